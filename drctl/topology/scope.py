"""What every part of the topology needs to know: the settings, the two sides, how names are made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from drctl.engine.run import AnyResource
    from drctl.settings import Service, Settings

GLOBAL = "global"
"""The region of what has none."""

ZONES = ("a", "b")
"""The availability zones used in each region."""

METRICS = "drctl"
"""The CloudWatch namespace of the health monitor (lambda_src/health_monitor/metrics.py)."""

Role = Literal["primary", "standby"]
R = TypeVar("R", bound="AnyResource")


@dataclass(frozen=True)
class Side:
    """One of the two regions."""

    role: Role
    region: str
    cidr: str


class Graph:
    """The resources so far, each address once."""

    def __init__(self) -> None:
        self._resources: dict[str, AnyResource] = {}

    def add(self, resource: R) -> R:
        """Take it in and hand it back. Raises ValueError when its address is taken."""
        if resource.address in self._resources:
            raise ValueError(f"{resource.address} is there twice")
        self._resources[resource.address] = resource
        return resource

    @property
    def resources(self) -> tuple[AnyResource, ...]:
        """All of them, in the order in which they were added."""
        return tuple(self._resources.values())


@dataclass(frozen=True)
class Scope:
    """The settings and what follows from them for names."""

    settings: Settings
    account: str
    partition: str

    @cached_property
    def primary(self) -> Side:
        """Where it runs in normal times."""
        return Side("primary", self.settings.regions.primary, self.settings.network.primary.cidr)

    @cached_property
    def standby(self) -> Side:
        """Where it runs when the primary is lost."""
        return Side("standby", self.settings.regions.standby, self.settings.network.standby.cidr)

    @property
    def sides(self) -> tuple[Side, Side]:
        """Primary first."""
        return self.primary, self.standby

    def other(self, side: Side) -> Side:
        """The one across."""
        return self.standby if side.role == "primary" else self.primary

    def named(self, *parts: str) -> str:
        """A name on AWS: the environment's, then the parts."""
        return "-".join((self.settings.environment, *parts))

    def bucket(self, name: str, side: Side) -> str:
        """A bucket's name, unique in all of AWS."""
        return self.named(name, self.account, side.region)

    def tasks(self, service: Service, side: Side) -> int:
        """How many tasks of a service run on a side in normal times."""
        return service.tasks if side.role == "primary" else self.settings.standby_tasks(service)

    def least_tasks(self, service: Service, side: Side) -> int:
        """Autoscaling's floor on a side in normal times."""
        return service.min_tasks if side.role == "primary" else self.settings.standby_min_tasks(service)

    def instances(self, side: Side) -> int:
        """How many database instances a side has in normal times."""
        database = self.settings.database
        return database.instances if side.role == "primary" else self.settings.standby_database_instances

    def host(self, side: Side) -> str | None:
        """The region's own name, by which it is checked and reached even when it does not serve."""
        return f"{side.region}.{self.settings.domain.name}" if self.settings.domain else None

    @property
    def failover_host(self) -> str | None:
        """The name that follows the failover."""
        return f"app.{self.settings.domain.name}" if self.settings.domain else None
