"""How CloudFront proves itself to the buckets it reads: by signing every request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, NotOurs, Observed, Resource, differences, resource

if TYPE_CHECKING:
    from mypy_boto3_cloudfront.type_defs import OriginAccessControlConfigTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class OriginAccessControlOutputs:
    oac_id: str


@resource
class OriginAccessControl(Resource[OriginAccessControlOutputs]):
    """It carries no tags: its description says whose it is. Names are unique in an account."""

    kind: ClassVar[str] = "origin-access-control"

    aws_name: str

    def read(self, aws: Aws, given: Given) -> Observed[OriginAccessControlOutputs] | None:
        oac_id = self._find(aws, given)
        if oac_id is None:
            return None
        with tolerating_absence():
            found = aws.cloudfront().get_origin_access_control_config(Id=oac_id)["OriginAccessControlConfig"]
            if found.get("Description") != self._config(given)["Description"]:
                raise NotOurs(f"an origin access control {self.aws_name} exists that drctl did not make")
            return Observed(OriginAccessControlOutputs(oac_id), drift=differences(found, self._config(given)))
        return None

    def create(self, aws: Aws, given: Given) -> OriginAccessControlOutputs:
        made = aws.cloudfront().create_origin_access_control(OriginAccessControlConfig=self._config(given))
        return OriginAccessControlOutputs(made["OriginAccessControl"]["Id"])

    def update(self, aws: Aws, given: Given, observed: Observed[OriginAccessControlOutputs]) -> None:
        cloudfront, oac_id = aws.cloudfront(), observed.outputs.oac_id
        version = cloudfront.get_origin_access_control_config(Id=oac_id)["ETag"]
        cloudfront.update_origin_access_control(
            Id=oac_id, IfMatch=version, OriginAccessControlConfig=self._config(given)
        )

    def delete(self, aws: Aws, outputs: OriginAccessControlOutputs) -> None:
        cloudfront = aws.cloudfront()
        version = cloudfront.get_origin_access_control_config(Id=outputs.oac_id)["ETag"]
        cloudfront.delete_origin_access_control(Id=outputs.oac_id, IfMatch=version)

    def _find(self, aws: Aws, given: Given) -> str | None:
        cloudfront, recorded = aws.cloudfront(), given.recorded(self)
        if recorded is not None:
            with tolerating_absence():
                cloudfront.get_origin_access_control_config(Id=recorded.oac_id)
                return recorded.oac_id
        marker = ""
        while True:
            page = cloudfront.list_origin_access_controls(**({"Marker": marker} if marker else {}))
            listed = page["OriginAccessControlList"]
            for each in listed.get("Items", []):
                if each["Name"] == self.aws_name and each["Id"] not in given.others:
                    return each["Id"]
            if not listed["IsTruncated"]:
                return None
            marker = listed["NextMarker"]

    def _config(self, given: Given) -> OriginAccessControlConfigTypeDef:
        return {
            "Name": self.aws_name,
            "Description": f"drctl environment {given.environment}, {self.address}",
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
