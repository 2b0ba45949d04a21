"""The database's credentials in Secrets Manager, replicated to the standby region under that region's own key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import (
    Difference,
    Given,
    Observed,
    Phase,
    Resource,
    Typical,
    differences,
    resource,
)
from drctl.resources.kms_key import KmsKey

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.type_defs import (
        DescribeSecretResponseTypeDef,
        ReplicaRegionTypeTypeDef,
        ReplicationStatusTypeTypeDef,
    )

    from drctl.aws.clients import Aws

PASSWORD_LENGTH = 32
"""Aurora takes 8 to 41 characters, and no "/", "@", quotes or spaces (RDS API, CreateDBCluster)."""


@dataclass(frozen=True)
class SecretOutputs:
    arn: str


@resource
class Secret(Resource[SecretOutputs]):
    """``{"username", "password"}`` as JSON. Nobody but AWS ever keeps the password: it is generated there, passes
    through ``create`` and is not read again. The user's name is written once, with it.

    replica_region, replica_key: where the copy lives, and the key of that region which encrypts it
    """

    kind: ClassVar[str] = "secret"
    fixed: ClassVar[frozenset[str]] = frozenset({"name"})
    holds_data: ClassVar[bool] = True
    typical: ClassVar[Typical] = Typical(ready=5, gone=5)

    aws_name: str
    key: KmsKey
    replica_region: str
    replica_key: KmsKey
    username: str

    def read(self, aws: Aws, given: Given) -> Observed[SecretOutputs] | None:
        secret = self._find(aws, given)
        if secret is None:
            return None
        given.claim(self, tags.as_dict(secret.get("Tags", [])))
        outputs = SecretOutputs(secret["ARN"])
        if "DeletedDate" in secret:
            found = Difference("scheduled for deletion", "kept")
            return Observed(outputs, drift={"deletion": found})
        replicas = secret.get("ReplicationStatus", [])
        if any(replica.get("Status") in ("InProgress", "Pending") for replica in replicas):
            return Observed(outputs, Phase.PENDING, reason="its copy in the other region is being made")
        actual = {
            "name": secret["Name"],
            "key": secret.get("KmsKeyId"),
            "replica": "; ".join(_said(replica) for replica in replicas),
        }
        desired = {
            "name": self.aws_name,
            "key": given[self.key].arn,
            "replica": f"{self.replica_region} {given[self.replica_key].arn}",
        }
        return Observed(outputs, drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> SecretOutputs:
        manager = aws.secretsmanager(self.region)
        secret = manager.create_secret(
            Name=self.aws_name,
            ClientRequestToken=given.token,
            Description=f"database credentials of drctl environment {given.environment}",
            KmsKeyId=given[self.key].arn,
            SecretString=json.dumps(
                {
                    "username": self.username,
                    "password": manager.get_random_password(
                        PasswordLength=PASSWORD_LENGTH, ExcludePunctuation=True
                    )["RandomPassword"],
                }
            ),
            Tags=tags.as_list(given.tags(self)),
            AddReplicaRegions=[self._replica(given)],
        )
        return SecretOutputs(secret["ARN"])

    def update(self, aws: Aws, given: Given, observed: Observed[SecretOutputs]) -> None:
        """A wrong or failed copy is taken away; the next look finds it missing, and it is made anew."""
        manager, arn = aws.secretsmanager(self.region), observed.outputs.arn
        if "deletion" in observed.drift:
            manager.restore_secret(SecretId=arn)
        if "key" in observed.drift:
            manager.update_secret(SecretId=arn, KmsKeyId=given[self.key].arn)
        if "replica" in observed.drift:
            regions = _replica_regions(manager.describe_secret(SecretId=arn))
            if regions:
                manager.remove_regions_from_replication(SecretId=arn, RemoveReplicaRegions=regions)
            else:
                manager.replicate_secret_to_regions(SecretId=arn, AddReplicaRegions=[self._replica(given)])

    def delete(self, aws: Aws, outputs: SecretOutputs) -> None:
        """The copy first; then at once and for good, because a recovery window would keep the name taken."""
        manager = aws.secretsmanager(self.region)
        regions = _replica_regions(manager.describe_secret(SecretId=outputs.arn))
        if regions:
            manager.remove_regions_from_replication(SecretId=outputs.arn, RemoveReplicaRegions=regions)
            return
        manager.delete_secret(SecretId=outputs.arn, ForceDeleteWithoutRecovery=True)

    def _replica(self, given: Given) -> ReplicaRegionTypeTypeDef:
        return {"Region": self.replica_region, "KmsKeyId": given[self.replica_key].arn}

    def _find(self, aws: Aws, given: Given) -> DescribeSecretResponseTypeDef | None:
        recorded = given.recorded(self)
        for identifier in (recorded.arn, self.aws_name) if recorded else (self.aws_name,):
            with tolerating_absence():
                return aws.secretsmanager(self.region).describe_secret(SecretId=identifier)
        return None


def _said(replica: ReplicationStatusTypeTypeDef) -> str:
    """A copy as drift shows it; a failed one with AWS's reason."""
    failed = f" {replica.get('StatusMessage', '')}" if replica.get("Status") == "Failed" else ""
    return f"{replica['Region']} {replica.get('KmsKeyId', '')}{failed}"


def _replica_regions(secret: DescribeSecretResponseTypeDef) -> list[str]:
    return [replica["Region"] for replica in secret.get("ReplicationStatus", [])]


def arn_in(region: str, arn: str) -> str:
    """The ARN of a secret's replica, which differs in the region only (Secrets Manager user guide, "Replicate")."""
    parts = arn.split(":")
    return ":".join((*parts[:3], region, *parts[4:])) if len(parts) > 4 else arn
