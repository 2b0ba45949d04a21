"""The whole of the settings: one frozen model, and the numbers that follow from it."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from drctl.settings.operations import Alarms, Calls, Drill, HealthCheck, Logs, Monitor, Objectives, Operators
from drctl.settings.place import Domain, Edge, Network, Regions
from drctl.settings.section import Refusal, Section, refuse_all, same_names, too_long
from drctl.settings.state import State
from drctl.settings.values import Account, EnvironmentName, refused, shown
from drctl.settings.workload import Bucket, Database, Service, Table

DEMO_DOMAIN = "drctl-demo.com"
"""Stands for the operator's own domain in a simulated environment. On AWS nobody delegates it: replace it."""

DEMO_OPERATORS = "111122223333"
"""An account of AWS's documentation: nobody's."""

ROLE_PART = 25
"""The longest last part, in characters, of an IAM role's name: ENVIRONMENT-SERVICE-<last part>-REGION."""

OWN_TAGS = 40
"""How many tags the operator may add: AWS takes 50, and drctl and AWS itself add theirs."""

# What every service takes (AWS Tagging User Guide, "Tag naming limits and requirements").
_TAG_TEXT = re.compile(r"[\w +\-=._:/@]*", re.ASCII)

Posture = Literal["pilot-light", "warm-standby", "hot-standby"]


class Settings(Section):
    """Everything the operator may wish. Every key may be left out.

    Validators see the fields declared before their own, and of these the accepted ones only. So a problem between two
    tables is found in the same pass as a problem elsewhere, and none is reported that only follows from another.
    """

    environment: EnvironmentName = Field(
        default="demo",
        description="the environment's name, the first part of every name on AWS; 2 to 19 characters",
    )
    account: Account | None = Field(
        default=None,
        description="a guard: drctl refuses to work in any other AWS account",
        examples=["123456789012"],
    )
    posture: Posture = Field(
        default="warm-standby",
        description='what runs in the standby region in normal times: "pilot-light" (no task, the database as storage '
        'only), "warm-standby" (one task, one database instance), "hot-standby" (as much as in the primary)',
    )
    regions: Regions = Regions()
    network: Network = Network()
    domain: Domain | None = None
    services: tuple[Service, ...] = (Service(),)
    database: Database = Database()
    tables: tuple[Table, ...] = (Table(),)
    buckets: tuple[Bucket, ...] = (Bucket(),)
    health_check: HealthCheck = HealthCheck()
    monitor: Monitor = Monitor()
    alarms: Alarms = Alarms()
    logs: Logs = Logs()
    edge: Edge = Edge()
    operators: Operators = Operators()
    objectives: Objectives = Objectives()
    drill: Drill = Drill()
    calls: Calls = Calls()
    state: State = State()
    tags: dict[str, str] = Field(
        default={},
        description="Tags of your own, on everything that takes tags; given when a thing is made.",
        examples=[{"team": "payments"}],
    )

    @classmethod
    def default(cls) -> "Settings":
        """What `drctl init` writes: every default, and a demo domain."""
        return cls(domain=Domain(name=DEMO_DOMAIN))

    @classmethod
    def demo(cls) -> "Settings":
        """What `--sim` runs on without a file: the defaults with everything switched on that has none.

        The paths are those of the application that stands behind the simulator's load balancers.
        """
        operators = Operators(accounts=(DEMO_OPERATORS,), external_id="drctl-demo")
        drill = Drill(
            read_path="/sessions",
            write_path="/api/sessions/{id}",
            record_path="/api/records/{id}",
        )
        return cls(domain=Domain(name=DEMO_DOMAIN), operators=operators, drill=drill)

    @property
    def digest(self) -> str:
        """The SHA-256 of the settings as canonical JSON, in hexadecimal: equal settings, equal digest."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def standby_tasks(self, service: Service) -> int:
        """How many tasks of the service run in the standby region in normal times."""
        if service.standby_tasks is not None:
            return service.standby_tasks
        return {"pilot-light": 0, "warm-standby": 1, "hot-standby": service.tasks}[self.posture]

    def standby_min_tasks(self, service: Service) -> int:
        """Autoscaling's lower limit in the standby region: it must not raise what the posture keeps low."""
        return min(service.min_tasks, self.standby_tasks(service))

    @property
    def standby_database_instances(self) -> int:
        """How many instances the standby's database cluster has in normal times; 0 is a headless cluster."""
        if self.database.standby_instances is not None:
            return self.database.standby_instances
        return {"pilot-light": 0, "warm-standby": 1, "hot-standby": self.database.instances}[self.posture]

    @field_validator("domain")
    @classmethod
    def _fits_a_certificate(cls, domain: Domain | None, info: ValidationInfo) -> Domain | None:
        # ACM API, RequestCertificate: "the length of the domain name (technically, the Common Name) cannot exceed 64".
        regions = info.data.get("regions")
        if domain is not None and regions is not None:
            name = f"{_longer(regions)}.{domain.name}"
            if len(name) > 64:
                cause = f"a region's name below it, {name}, has {len(name)} characters; certificates take 64"
                remedy = f"a domain of up to {64 - len(_longer(regions)) - 1} characters"
                refuse_all([Refusal(("name",), cause, remedy)])
        return domain

    @field_validator("services")
    @classmethod
    def _stand_apart(cls, services: tuple[Service, ...], info: ValidationInfo) -> tuple[Service, ...]:
        if not services:
            raise refused("there is none", "at least one [[services]] table")
        refusals = list(same_names(services))
        patterns: dict[str, int] = {}
        for index, service in enumerate(services):
            where = (index, "path")
            if index == 0 and service.path is not None:
                cause = "the first service gets every request that no other one claims, so it takes no path"
                refusals.append(Refusal(where, cause, "leave it out, or put another service first"))
            elif index > 0 and service.path is None:
                cause = "it is missing, and only the first service gets requests without one"
                refusals.append(Refusal(where, cause, 'a path pattern of its own, such as "/reports/*"'))
            elif service.path in patterns:
                cause = f"{service.path} is the path of services[{patterns[service.path]}] too"
                refusals.append(Refusal(where, cause, "a path pattern of its own for each"))
            if service.path is not None:
                patterns.setdefault(service.path, index)
        environment, regions = info.data.get("environment"), info.data.get("regions")
        for index, service in enumerate(services):
            if environment is not None and regions is not None:
                built = f"{environment}-{service.name}"
                role = f"{built}-{'x' * ROLE_PART}-{_longer(regions)}"  # x: what the role is for
                # Elastic Load Balancing API, CreateTargetGroup; IAM API, CreateRole.
                refusals += too_long("a load balancer or target group", built, 32, (index, "name"))
                if len(built) <= 32:
                    refusals += too_long("an IAM role (x: what it is for)", role, 64, (index, "name"))
        refuse_all(refusals)
        return services

    @field_validator("tables")
    @classmethod
    def _are_distinct(cls, tables: tuple[Table, ...]) -> tuple[Table, ...]:
        if not tables:
            raise refused("there is none", "at least one [[tables]] table; the first holds the sessions")
        refuse_all(same_names(tables))
        return tables

    @field_validator("buckets")
    @classmethod
    def _fit_their_names(cls, buckets: tuple[Bucket, ...], info: ValidationInfo) -> tuple[Bucket, ...]:
        if not buckets:
            raise refused("there is none", "at least one [[buckets]] table; the first holds the assets")
        refusals = list(same_names(buckets))
        environment, regions = info.data.get("environment"), info.data.get("regions")
        account = info.data.get("account") or "123456789012"
        for index, bucket in enumerate(buckets):
            if environment is not None and regions is not None:
                built = f"{environment}-{bucket.name}-{account}-{_longer(regions)}"
                refusals += too_long("a bucket", built, 63, (index, "name"))
        refuse_all(refusals)
        return buckets

    @field_validator("operators")
    @classmethod
    def _are_other_accounts(cls, operators: Operators, info: ValidationInfo) -> Operators:
        own = info.data.get("account")
        if own in operators.accounts:
            where = ("accounts", operators.accounts.index(own))
            refuse_all([Refusal(where, f"{own} is this environment's own account", "other accounts only")])
        return operators

    @field_validator("tags", mode="before")
    @classmethod
    def _are_allowed(cls, given: object) -> object:
        if not isinstance(given, dict):
            raise refused(f"{shown(given)} is not a table", 'a table of tags, such as team = "payments"')
        if len(given) > OWN_TAGS:
            raise refused(f"there are {len(given)} tags", f"{OWN_TAGS} tags at most")
        refuse_all(_wrong_tags(given))
        return given


def _wrong_tags(given: dict[str, object]) -> Iterator[Refusal]:
    letters = "letters, digits, spaces and _ . : / = + - @"
    for key, value in given.items():
        if key.lower().startswith(("aws:", "drctl:")):
            owner = key.partition(":")[0].lower()
            yield Refusal((key,), f"keys that begin with {owner}: are for {owner} itself", "another key")
        elif not 1 <= len(key) <= 128 or not _TAG_TEXT.fullmatch(key):
            yield Refusal(
                (key,), f"{shown(key)} does not have the right form", f"a key of 1 to 128 {letters}"
            )
        if not isinstance(value, str):
            yield Refusal((key,), f"{shown(value)} is not text in quotes", f"up to 256 {letters}")
        elif len(value) > 256 or not _TAG_TEXT.fullmatch(value):
            yield Refusal((key,), f"{shown(value)} does not have the right form", f"up to 256 {letters}")


def _longer(regions: Regions) -> str:
    """The region with the longer name: what fits with it fits with the other."""
    return max(regions.primary, regions.standby, key=len)
