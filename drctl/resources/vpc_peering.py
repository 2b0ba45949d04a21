"""A peering between the two regions' VPCs: requested in one, accepted in the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.aws.tagged import find
from drctl.engine.resource import (
    Difference,
    Given,
    Observed,
    Phase,
    Repeat,
    Resource,
    Typical,
    differences,
    resource,
)
from drctl.resources.vpc import Vpc

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import VpcPeeringConnectionTypeDef

    from drctl.aws.clients import Aws

PHASES = {"active": Phase.READY, "deleting": Phase.LEAVING, "failed": Phase.FAILED}
OVER = ("deleted", "rejected", "expired")
"""Ends that AWS still shows for a while (VPC peering guide, "VPC peering connection lifecycle")."""


@dataclass(frozen=True)
class VpcPeeringOutputs:
    vpc_peering_id: str
    accepter_region: str


@resource
class VpcPeering(Resource[VpcPeeringOutputs]):
    """Its region is the requester's. The other side's acceptance and tags are drift: each side has its own tags."""

    kind: ClassVar[str] = "vpc-peering"
    repeat: ClassVar[Repeat] = Repeat.NEVER
    fixed: ClassVar[frozenset[str]] = frozenset({"requester", "accepter"})
    typical: ClassVar[Typical] = Typical(ready=5, gone=3)

    requester: Vpc
    accepter: Vpc

    def read(self, aws: Aws, given: Given) -> Observed[VpcPeeringOutputs] | None:
        peering = self._find(aws, given)
        if peering is None:
            return None
        peering_id, status = peering["VpcPeeringConnectionId"], peering["Status"]
        drift = differences(
            {
                "requester": peering["RequesterVpcInfo"]["VpcId"],
                "accepter": peering["AccepterVpcInfo"]["VpcId"],
            },
            {"requester": given[self.requester].vpc_id, "accepter": given[self.accepter].vpc_id},
        )
        if status["Code"] == "pending-acceptance":
            drift["accepted"] = Difference(False, True)
        phase = PHASES.get(status["Code"], Phase.PENDING)
        other_side = self._accepter_tags(aws, peering_id)
        if other_side is None:
            phase = Phase.PENDING if phase is Phase.READY else phase
        elif not given.is_ours(self, other_side):
            drift["accepter_tags"] = Difference(dict(other_side), given.tags(self))
        return Observed(
            VpcPeeringOutputs(peering_id, self.accepter.region), phase, drift, status.get("Message", "")
        )

    def create(self, aws: Aws, given: Given) -> VpcPeeringOutputs:
        peering = aws.ec2(self.region).create_vpc_peering_connection(
            VpcId=given[self.requester].vpc_id,
            PeerVpcId=given[self.accepter].vpc_id,
            PeerRegion=self.accepter.region,
            TagSpecifications=tags.specification("vpc-peering-connection", given.tags(self)),
        )["VpcPeeringConnection"]
        return VpcPeeringOutputs(peering["VpcPeeringConnectionId"], self.accepter.region)

    def update(self, aws: Aws, given: Given, observed: Observed[VpcPeeringOutputs]) -> None:
        there, peering_id = aws.ec2(self.accepter.region), observed.outputs.vpc_peering_id
        if "accepted" in observed.drift:
            there.accept_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
        if "accepter_tags" in observed.drift:
            there.create_tags(Resources=[peering_id], Tags=tags.as_list(given.tags(self)))

    def delete(self, aws: Aws, outputs: VpcPeeringOutputs) -> None:
        """A failed one cannot be deleted, and AWS shows it for two hours: without our tags it is not ours."""
        ec2, peering_id = aws.ec2(self.region), outputs.vpc_peering_id
        for peering in ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[peering_id])[
            "VpcPeeringConnections"
        ]:
            if peering["Status"]["Code"] == "failed":
                ec2.delete_tags(Resources=[peering_id], Tags=[{"Key": "drctl:address"}])
            else:
                ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering_id)

    def _accepter_tags(self, aws: Aws, peering_id: str) -> Mapping[str, str] | None:
        """None while the other region does not show the peering yet."""
        with tolerating_absence():
            there = aws.ec2(self.accepter.region)
            for peering in there.describe_vpc_peering_connections(VpcPeeringConnectionIds=[peering_id])[
                "VpcPeeringConnections"
            ]:
                return tags.as_dict(peering.get("Tags", []))
        return None

    def _find(self, aws: Aws, given: Given) -> VpcPeeringConnectionTypeDef | None:
        ec2 = aws.ec2(self.region)
        return find(
            self,
            given,
            "VpcPeeringConnectionId",
            lambda id: _existing(
                ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[id])["VpcPeeringConnections"]
            ),
            lambda filters: _existing(
                ec2.describe_vpc_peering_connections(Filters=filters)["VpcPeeringConnections"]
            ),
        )


def _existing(peerings: Sequence[VpcPeeringConnectionTypeDef]) -> list[VpcPeeringConnectionTypeDef]:
    return [peering for peering in peerings if peering["Status"]["Code"] not in OVER]
