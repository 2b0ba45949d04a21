"""A VPC's flow log: who talked to whom, into a log group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import raise_unsuccessful
from drctl.aws.tagged import find
from drctl.engine.resource import Given, Observed, Repeat, Resource, differences, resource
from drctl.resources.iam_role import IamRole
from drctl.resources.log_group import LogGroup
from drctl.resources.vpc import Vpc

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FlowLogTypeDef

    from drctl.aws.clients import Aws

AGGREGATION_S = 60
"""Seconds a flow is summed up for; the other choice is 600, too long to watch a failover with."""


@dataclass(frozen=True)
class FlowLogOutputs:
    flow_log_id: str


@resource
class FlowLog(Resource[FlowLogOutputs]):
    """Nothing of it can be changed. There is one for a VPC and a log group (FlowLogAlreadyExists), so that a
    replaced one goes first (hence NAME, although its create takes a token too)."""

    kind: ClassVar[str] = "flow-log"
    repeat: ClassVar[Repeat] = Repeat.NAME

    vpc: Vpc
    log_group: LogGroup
    role: IamRole

    def read(self, aws: Aws, given: Given) -> Observed[FlowLogOutputs] | None:
        log = self._find(aws, given)
        if log is None:
            return None
        actual = {
            "vpc": log["ResourceId"],
            "log_group": log.get("LogGroupName"),
            "role": log.get("DeliverLogsPermissionArn"),
        }
        desired = {
            "vpc": given[self.vpc].vpc_id,
            "log_group": given[self.log_group].log_group_name,
            "role": given[self.role].arn,
        }
        return Observed(FlowLogOutputs(log["FlowLogId"]), drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> FlowLogOutputs:
        answer = aws.ec2(self.region).create_flow_logs(
            ResourceType="VPC",
            ResourceIds=[given[self.vpc].vpc_id],
            TrafficType="ALL",
            LogDestinationType="cloud-watch-logs",
            LogGroupName=given[self.log_group].log_group_name,
            DeliverLogsPermissionArn=given[self.role].arn,
            MaxAggregationInterval=AGGREGATION_S,
            ClientToken=given.token,
            TagSpecifications=tags.specification("vpc-flow-log", given.tags(self)),
        )
        raise_unsuccessful(answer.get("Unsuccessful", []), "CreateFlowLogs")
        return FlowLogOutputs(answer["FlowLogIds"][0])

    def delete(self, aws: Aws, outputs: FlowLogOutputs) -> None:
        answer = aws.ec2(self.region).delete_flow_logs(FlowLogIds=[outputs.flow_log_id])
        raise_unsuccessful(answer.get("Unsuccessful", []), "DeleteFlowLogs")

    def _find(self, aws: Aws, given: Given) -> FlowLogTypeDef | None:
        ec2 = aws.ec2(self.region)
        return find(
            self,
            given,
            "FlowLogId",
            lambda id: ec2.describe_flow_logs(FlowLogIds=[id])["FlowLogs"],
            lambda filters: ec2.describe_flow_logs(Filters=filters)["FlowLogs"],
        )
