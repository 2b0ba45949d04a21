"""Settings about what runs and what is kept: services, the database, tables, buckets."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from drctl.settings.section import Section
from drctl.settings.values import (
    AURORA_SCHEMAS,
    AURORA_USERS,
    FARGATE_MEMORY,
    MYSQL_RESERVED_WORDS,
    EngineVersion,
    Image,
    InstanceClass,
    one_of,
    pattern,
    refused,
    whole,
)

LOG_BUCKET = "logs"
"""The name that drctl's own bucket of access logs has in each region, beside those of `[[buckets]]`."""

BREAKER_TABLE = "breaker"
"""The name that drctl's own table, the circuit breaker's state, has beside those of `[[tables]]`."""

# At most 64 characters, so that alarms and tags built from a name stay below AWS's 255 and 256.
ItemName = Annotated[
    str,
    pattern(
        "(?=.{1,64}$)[a-z][a-z0-9]*(-[a-z0-9]+)*",
        "up to 64 lower-case letters, digits and single hyphens, a letter first and no hyphen last",
    ),
]
# Valid both for Elastic Load Balancing (HealthCheckPath) and for Route 53 (ResourcePath, up to 255).
HealthPath = Annotated[
    str,
    pattern(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,254}", "a path that begins with /, up to 255 characters"),
]
# Elastic Load Balancing API, PathPatternConditionConfig; quota "condition wildcards per rule", 5.
PathPattern = Annotated[
    str,
    pattern(
        r"/(?!\*$)(?!([^*?]*[*?]){6})[A-Za-z0-9_.$/~\"'@:+&*?-]{1,127}",
        'a path pattern such as "/reports/*": at most 128 characters and 5 wildcards, and not "/*" alone',
    ),
]
# DynamoDB API, TableName and KeySchemaAttributeName.
TableName = Annotated[
    str,
    pattern(
        "[A-Za-z0-9_.-]{1,100}",
        f'1 to 100 letters, digits, _ . and -, not "{BREAKER_TABLE}"',
        [BREAKER_TABLE],
    ),
]
KeyName = Annotated[str, pattern("[A-Za-z0-9_.-]{1,255}", "1 to 255 letters, digits, _ . and -")]
BucketName = Annotated[
    str,
    pattern(
        "[a-z0-9]([a-z0-9-]*[a-z0-9])?",
        f'lower-case letters, digits and hyphens, no hyphen first or last, not "{LOG_BUCKET}"',
        [LOG_BUCKET],
    ),
]
# RDS API, CreateDBCluster (MasterUsername) and CreateDBInstance (DBName, Aurora MySQL).
MasterUsername = Annotated[
    str,
    pattern(
        "[A-Za-z][A-Za-z0-9]{0,15}",
        "1 to 16 letters and digits, a letter first",
        MYSQL_RESERVED_WORDS | AURORA_USERS,
    ),
]
DatabaseName = Annotated[
    str,
    pattern(
        "[A-Za-z][A-Za-z0-9_]{0,63}",
        "1 to 64 letters, digits and underscores, a letter first",
        MYSQL_RESERVED_WORDS | AURORA_SCHEMAS,
    ),
]


class Service(Section):
    """A service of the application: ECS Fargate behind the load balancer. Repeat the table for more services."""

    name: ItemName = Field(default="app", description="unique; part of the name of its target group")
    image: Image = Field(
        default="public.ecr.aws/nginx/nginx:1.27-alpine",
        description="the container image, pinned by a tag or a digest; it must answer health_path",
    )
    port: Annotated[int, whole(1, 65535)] = Field(
        default=80, description="the port the container listens on, HTTP"
    )
    cpu: Annotated[int, one_of(*FARGATE_MEMORY)] = Field(
        default=1024, description="CPU units of a task; 1024 are one vCPU"
    )
    memory: Annotated[int, whole(512, 122880, "MiB")] = Field(
        default=2048,
        description="memory of a task, MiB; each cpu has its own sizes, 1024 has 2048 to 8192 by 1024",
    )
    health_path: HealthPath = Field(
        default="/", description='what health checks ask for; "/" is what the default image, nginx, answers'
    )
    tasks: Annotated[int, whole(1, 5000)] = Field(default=3, description="tasks in the primary region")
    min_tasks: Annotated[int, whole(1, 5000)] = Field(
        default=2, description="autoscaling keeps at least so many tasks"
    )
    max_tasks: Annotated[int, whole(1, 5000)] = Field(
        default=10, description="autoscaling makes at most so many tasks"
    )
    standby_tasks: Annotated[int, whole(0, 5000)] | None = Field(
        default=None,
        description="tasks in the standby region, when it is not what the posture says",
        examples=[2],
    )
    path: PathPattern | None = Field(
        default=None,
        description="the requests it gets, the longest pattern winning; the first service has none and gets the rest, "
        "every other needs its own",
        examples=["/reports/*"],
    )
    cpu_target: Annotated[int, whole(1, 100, "percent")] = Field(
        default=70, description="autoscaling aims at so much CPU, percent"
    )
    memory_target: Annotated[int, whole(1, 100, "percent")] = Field(
        default=80, description="autoscaling aims at so much memory, percent"
    )

    @field_validator("memory")
    @classmethod
    def _is_offered(cls, memory: int, info: ValidationInfo) -> int:
        cpu = info.data.get("cpu")
        if cpu is not None and memory not in FARGATE_MEMORY[cpu]:
            sizes = FARGATE_MEMORY[cpu]
            remedy = (
                f"{sizes.start} to {sizes[-1]} in steps of {sizes.step}"
                if isinstance(sizes, range)
                else f"one of {', '.join(map(str, sizes))}"
            )
            raise refused(
                f"Fargate does not offer {memory} MiB with cpu = {cpu}", f"{remedy} (MiB), or another cpu"
            )
        return memory

    @field_validator("min_tasks")
    @classmethod
    def _is_not_above_tasks(cls, least: int, info: ValidationInfo) -> int:
        tasks = info.data.get("tasks")
        if tasks is not None and least > tasks:
            raise refused(
                f"{least} is more than tasks, {tasks}", f"a number from 1 to {tasks}, or more tasks"
            )
        return least

    @field_validator("max_tasks")
    @classmethod
    def _is_not_below_tasks(cls, most: int, info: ValidationInfo) -> int:
        tasks = info.data.get("tasks")
        if tasks is not None and most < tasks:
            raise refused(f"{most} is less than tasks, {tasks}", f"{tasks} or more, or fewer tasks")
        return most

    @field_validator("standby_tasks")
    @classmethod
    def _is_not_above_max_tasks(cls, standby: int | None, info: ValidationInfo) -> int | None:
        most = info.data.get("max_tasks")
        if standby is not None and most is not None and standby > most:
            raise refused(f"{standby} is more than max_tasks, {most}", f"a number from 0 to {most}")
        return standby


class Database(Section):
    """The Aurora MySQL Global Database. Which region writes is not a setting: a failover moves it."""

    engine_version: EngineVersion | None = Field(
        default=None,
        description="a pinned version; else the newest that supports a Global Database in both regions, chosen once",
        examples=["8.0.mysql_aurora.3.08.2"],
    )
    instance_class: InstanceClass = Field(
        default="db.r6g.large", description="memory-optimized; a Global Database does not take db.t classes"
    )
    # A cluster has one writer and up to 15 readers, less one for each secondary region (Amazon Aurora User Guide,
    # "Configuration requirements of an Amazon Aurora global database"). The standby's becomes the primary one in a
    # failover, so it is held to the same number.
    instances: Annotated[int, whole(1, 15)] = Field(
        default=2, description="instances in the primary region, 1 to 15"
    )
    standby_instances: Annotated[int, whole(0, 15)] | None = Field(
        default=None,
        description="instances in the standby region, when it is not what the posture says; 0 is storage only",
        examples=[1],
    )
    name: DatabaseName = Field(default="app", description="the database that is made in the cluster")
    username: MasterUsername = Field(
        default="dbadmin",
        description="the master user; its password is generated and kept in Secrets Manager only",
    )
    backup_days: Annotated[int, whole(1, 35, "days")] = Field(
        default=7, description="automated backups are kept so long"
    )


class Table(Section):
    """A DynamoDB global table, on demand. The first one holds the sessions. Repeat the table for more."""

    name: TableName = Field(default="sessions", description="unique; the table is called ENVIRONMENT-NAME")
    key: KeyName = Field(default="sessionId", description="its partition key, a string")


class Bucket(Section):
    """A pair of S3 buckets, one in each region, replicated both ways. Repeat the table for more."""

    name: BucketName = Field(
        default="assets", description="unique; a bucket is called ENVIRONMENT-NAME-ACCOUNT-REGION"
    )
