"""A CloudWatch Logs log group, encrypted, that forgets after some days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.kms_key import KmsKey

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import LogGroupTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class LogGroupOutputs:
    log_group_name: str
    arn: str


@resource
class LogGroup(Resource[LogGroupOutputs]):
    """Made before whatever writes to it, which would else make it unencrypted and keep it for ever."""

    kind: ClassVar[str] = "log-group"
    named: ClassVar[bool] = True
    fixed: ClassVar[frozenset[str]] = frozenset({"name"})

    aws_name: str
    key: KmsKey
    retention_days: int

    def read(self, aws: Aws, given: Given) -> Observed[LogGroupOutputs] | None:
        group = self._find(aws, given)
        if group is None:
            return None
        name, arn = group["logGroupName"], group["arn"].removesuffix(":*")
        given.claim(self, aws.logs(self.region).list_tags_for_resource(resourceArn=arn)["tags"])
        actual = {"name": name, "key": group.get("kmsKeyId"), "retention_days": group.get("retentionInDays")}
        desired = {"name": self.aws_name, "key": given[self.key].arn, "retention_days": self.retention_days}
        return Observed(LogGroupOutputs(name, arn), drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> LogGroupOutputs:
        aws.logs(self.region).create_log_group(
            logGroupName=self.aws_name, kmsKeyId=given[self.key].arn, tags=given.tags(self)
        )
        arn = f"arn:{given.partition}:logs:{self.region}:{given.account}:log-group:{self.aws_name}"
        return LogGroupOutputs(self.aws_name, arn)

    def update(self, aws: Aws, given: Given, observed: Observed[LogGroupOutputs]) -> None:
        logs, name = aws.logs(self.region), observed.outputs.log_group_name
        if "key" in observed.drift:
            logs.associate_kms_key(logGroupName=name, kmsKeyId=given[self.key].arn)
        if "retention_days" in observed.drift:
            logs.put_retention_policy(logGroupName=name, retentionInDays=self.retention_days)

    def delete(self, aws: Aws, outputs: LogGroupOutputs) -> None:
        aws.logs(self.region).delete_log_group(logGroupName=outputs.log_group_name)

    def _find(self, aws: Aws, given: Given) -> LogGroupTypeDef | None:
        """By its recorded name, else by the one it should have: there is no asking by name, only by prefix."""
        recorded = given.recorded(self)
        names = (recorded.log_group_name, self.aws_name) if recorded else (self.aws_name,)
        pages = aws.logs(self.region).get_paginator("describe_log_groups")
        for name in dict.fromkeys(names):
            for page in pages.paginate(logGroupNamePrefix=name):
                for group in page["logGroups"]:
                    if group["logGroupName"] == name:
                        return group
        return None
