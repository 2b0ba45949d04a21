"""How a stranger looks: somebody else's thing on the account, and the call that shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.census import Client
from tests.environment import P

ANOTHER = {"drctl:environment": "demo-2", "drctl:address": f"{P}/vpc/main", "Name": "demo-main"}
"""The tags that another environment of drctl gives."""
COPIED = {"drctl:environment": "demo", "Name": "demo-main"}
"""Tags that somebody copied from ours, without the address."""


@dataclass(frozen=True)
class View:
    """A describe call that shows a stranger."""

    service: str
    region: str
    operation: str
    parameters: dict[str, Any] = field(default_factory=dict)


class Neighbourhood:
    """Strangers as they move in."""

    def __init__(self, client: Client, advance: Callable[[float], None]) -> None:
        """advance: lets so many simulated seconds pass."""
        self.client = client
        self.advance = advance
        self.views: list[View] = []

    def see(self, service: str, region: str, operation: str, **parameters: Any) -> None:
        """Remember how to look at one."""
        self.views.append(View(service, region, operation, parameters))


def upper(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags in the shape of most services."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def lower(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags in the shape of ECS."""
    return [{"key": key, "value": value} for key, value in tags.items()]
