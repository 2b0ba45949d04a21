"""Replication of everything in a bucket to the other region's, within fifteen minutes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws.errors import tolerating_absence
from drctl.aws.policy_document import canonical
from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.iam_role import IamRole
from drctl.resources.iam_role_policy import IamRolePolicy
from drctl.resources.kms_key import KmsKey
from drctl.resources.s3_bucket import S3Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ReplicationConfigurationTypeDef

    from drctl.aws.clients import Aws

MINUTES = 15
"""The only threshold that Replication Time Control knows (S3 API reference, ReplicationTimeValue)."""


RULE_ID = "everything"
"""The id of the one rule in each bucket's replication configuration, a dimension of S3's replication metrics."""


@dataclass(frozen=True)
class S3ReplicationOutputs:
    bucket: str


@resource
class S3Replication(Resource[S3ReplicationOutputs]):
    """The whole replication configuration of ``source``. It carries no tags: it is ours because the bucket is.

    Without SseKmsEncryptedObjects and a key for the replicas, no object under a customer-managed key is replicated
    (S3 user guide, "Replicating encrypted objects").

    destination_key: of the destination's region
    role, role_policy: what S3 replicates as
    replica_modifications: also what changes on a replica is replicated, which two-way rules need for the way back
    """

    kind: ClassVar[str] = "s3-replication"

    source: S3Bucket
    destination: S3Bucket
    destination_key: KmsKey
    role: IamRole
    role_policy: IamRolePolicy
    replica_modifications: bool

    def read(self, aws: Aws, given: Given) -> Observed[S3ReplicationOutputs] | None:
        recorded = given.recorded(self)
        bucket = recorded.bucket if recorded else given[self.source].bucket
        with tolerating_absence():
            found = aws.s3(self.region).get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]
            drift = differences(
                {"configuration": canonical(found)},
                {"configuration": canonical(self._configuration(given))},
            )
            return Observed(S3ReplicationOutputs(bucket), drift=drift)
        return None

    def create(self, aws: Aws, given: Given) -> S3ReplicationOutputs:
        bucket = given[self.source].bucket
        aws.s3(self.region).put_bucket_replication(
            Bucket=bucket, ReplicationConfiguration=self._configuration(given)
        )
        return S3ReplicationOutputs(bucket)

    def update(self, aws: Aws, given: Given, observed: Observed[S3ReplicationOutputs]) -> None:
        self.create(aws, given)

    def delete(self, aws: Aws, outputs: S3ReplicationOutputs) -> None:
        aws.s3(self.region).delete_bucket_replication(Bucket=outputs.bucket)

    def _configuration(self, given: Given) -> ReplicationConfigurationTypeDef:
        return {
            "Role": given[self.role].arn,
            "Rules": [
                {
                    "ID": RULE_ID,
                    "Priority": 1,
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "DeleteMarkerReplication": {"Status": "Enabled"},
                    "SourceSelectionCriteria": {
                        "SseKmsEncryptedObjects": {"Status": "Enabled"},
                        "ReplicaModifications": {
                            "Status": "Enabled" if self.replica_modifications else "Disabled"
                        },
                    },
                    "Destination": {
                        "Bucket": given[self.destination].arn,
                        "EncryptionConfiguration": {"ReplicaKmsKeyID": given[self.destination_key].arn},
                        "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": MINUTES}},
                        "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": MINUTES}},
                    },
                }
            ],
        }
