"""One file per kind of AWS thing, named with AWS's own noun. drctl/engine/resource.py holds the contract."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

from drctl.engine.resource import Resource

if TYPE_CHECKING:
    from drctl.engine.run import AnyResource


@cache
def kinds() -> dict[str, type[AnyResource]]:
    """Every kind by its name: what a record of the ledger is rebuilt with."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return {cls.kind: cls for cls in _leaves(Resource)}  # type: ignore[type-abstract]


def _leaves(cls: type[AnyResource]) -> list[type[AnyResource]]:
    below = cls.__subclasses__()
    return [leaf for each in below for leaf in _leaves(each)] if below else [cls]
