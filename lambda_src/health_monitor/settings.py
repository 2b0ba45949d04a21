"""What the monitor is told: its environment variables, read once per invocation.

Required:

- ``DRCTL_ENVIRONMENT``: the environment's name; key of the breaker's item and dimension of every metric.
- ``ROLE``: ``primary`` or ``standby``: in which role's region this function runs.
- ``PRIMARY_REGION``, ``STANDBY_REGION``
- ``ENDPOINT_URL``: what a user of the *primary* requests, health path included. Both functions probe it.
- ``TABLE``: the breaker's table. Required of the standby; the primary never touches it.

Optional, what to look at in the function's own region; a check without a name is not made:

- ``CLUSTER`` and ``SERVICES``: ECS cluster, and its services separated by commas (ten at most, which is
  what one DescribeServices takes).
- ``DB_CLUSTER``: the region's Aurora cluster.
- ``TABLES``, ``BUCKETS``: names separated by commas.

Optional, how to judge:

- ``THRESHOLD`` (3): failed probes in a row that open the breaker.
- ``TIMEOUT_S`` (300): seconds the breaker stays open before a probe may half-open it.
- ``PROBE_GAP_S`` (30): seconds from the start of one invocation's first probe to its second.
- ``METRIC_NAMESPACE`` (``drctl``)
- ``PROMOTE_DATABASE`` (``false``) and ``GLOBAL_CLUSTER``: whether an opening breaker also promotes the
  standby's database, losing what was not replicated, and in which global cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    environment: str
    role: str
    primary_region: str
    standby_region: str
    endpoint_url: str
    table: str
    cluster: str
    services: tuple[str, ...]
    db_cluster: str
    tables: tuple[str, ...]
    buckets: tuple[str, ...]
    threshold: int
    timeout_s: float
    probe_gap_s: float
    metric_namespace: str
    promote_database: bool
    global_cluster: str

    @property
    def decides(self) -> bool:
        """Only the standby writes the decision: the region that may be lost cannot be the one to say so."""
        return self.role == "standby"

    @property
    def region(self) -> str:
        """The region this function runs in and makes all of its AWS calls to."""
        return self.standby_region if self.decides else self.primary_region

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Settings:
        """Raise ValueError naming the variable that is missing or wrong: a monitor deployed with wrong
        settings must fail loudly (its Errors alarm), not watch something else."""

        def required(name: str) -> str:
            if not variables.get(name):
                raise ValueError(f"{name} is not set")
            return variables[name]

        def names(name: str) -> tuple[str, ...]:
            return tuple(part.strip() for part in variables.get(name, "").split(",") if part.strip())

        role = required("ROLE")
        if role not in ("primary", "standby"):
            raise ValueError(f"ROLE is {role!r}, not primary or standby")
        promote = variables.get("PROMOTE_DATABASE", "false").lower()
        if promote not in ("true", "false"):
            raise ValueError(f"PROMOTE_DATABASE is {promote!r}, not true or false")
        threshold = int(variables.get("THRESHOLD", "3"))
        if threshold < 1:
            raise ValueError("THRESHOLD must be at least 1")
        return cls(
            environment=required("DRCTL_ENVIRONMENT"),
            role=role,
            primary_region=required("PRIMARY_REGION"),
            standby_region=required("STANDBY_REGION"),
            endpoint_url=required("ENDPOINT_URL"),
            table=required("TABLE") if role == "standby" else "",
            cluster=variables.get("CLUSTER", ""),
            services=names("SERVICES"),
            db_cluster=variables.get("DB_CLUSTER", ""),
            tables=names("TABLES"),
            buckets=names("BUCKETS"),
            threshold=threshold,
            timeout_s=float(variables.get("TIMEOUT_S", "300")),
            probe_gap_s=float(variables.get("PROBE_GAP_S", "30")),
            metric_namespace=variables.get("METRIC_NAMESPACE", "drctl"),
            promote_database=promote == "true",
            global_cluster=required("GLOBAL_CLUSTER") if promote == "true" else "",
        )
