"""A string that is known only once another resource exists: for policies, dimensions, environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drctl.engine.resource import Given, Resource


@dataclass(frozen=True)
class OutputOf:
    """``prefix`` + the output ``field`` of ``resource`` + ``suffix``: ``OutputOf(table, "arn", suffix="/index/*")``."""

    resource: Resource[Any]
    field: str
    prefix: str = ""
    suffix: str = ""

    def resolve(self, given: Given) -> str:
        """The string. Raises AttributeError when the kind has no such output."""
        return f"{self.prefix}{getattr(given[self.resource], self.field)}{self.suffix}"


Text = str | OutputOf


def resolve(text: Text, given: Given) -> str:
    """A plain string as it is, a reference as what it refers to."""
    return text.resolve(given) if isinstance(text, OutputOf) else text
