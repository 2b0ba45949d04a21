"""A customer-managed key of one region, rotated every year, with an alias."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

from drctl.aws import tags
from drctl.aws.errors import code_of, tolerating_absence
from drctl.engine.resource import Given, Observed, Phase, Repeat, Resource, differences, resource

if TYPE_CHECKING:
    from mypy_boto3_kms.type_defs import KeyMetadataTypeDef

    from drctl.aws.clients import Aws

PENDING_DAYS = 7
"""The shortest wait AWS allows before a key is really deleted (KMS API, ScheduleKeyDeletion)."""


@dataclass(frozen=True)
class KmsKeyOutputs:
    key_id: str
    arn: str


@resource
class KmsKey(Resource[KmsKeyOutputs]):
    """The key under which everything of its region is encrypted.

    A key pending deletion counts as absent: its alias is free, and a new key takes its place.
    """

    kind: ClassVar[str] = "kms-key"
    repeat: ClassVar[Repeat] = Repeat.NEVER
    holds_data: ClassVar[bool] = True

    alias: str

    def read(self, aws: Aws, given: Given) -> Observed[KmsKeyOutputs] | None:
        key = self._find(aws, given)
        if key is None:
            return None
        kms, key_id = aws.kms(self.region), key["KeyId"]
        outputs = KmsKeyOutputs(key_id, key["Arn"])
        if key["KeyState"] != "Enabled":
            return Observed(outputs, Phase.PENDING, reason=f"the key is {key['KeyState']}")
        aliases = kms.list_aliases(KeyId=key_id)["Aliases"]
        policy = json.loads(kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"])
        actual = {
            "alias": next((a["AliasName"] for a in aliases if a["AliasName"] == self._alias), None),
            "rotation": kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"],
            "policy": json.dumps(policy, sort_keys=True),
        }
        desired = {
            "alias": self._alias,
            "rotation": True,
            "policy": json.dumps(self._policy(given), sort_keys=True),
        }
        return Observed(outputs, drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> KmsKeyOutputs:
        key = aws.kms(self.region).create_key(
            Description=f"drctl environment {given.environment}",
            Policy=json.dumps(self._policy(given)),
            Tags=[{"TagKey": key, "TagValue": value} for key, value in given.tags(self).items()],
        )["KeyMetadata"]
        return KmsKeyOutputs(key["KeyId"], key["Arn"])

    def update(self, aws: Aws, given: Given, observed: Observed[KmsKeyOutputs]) -> None:
        kms, key_id = aws.kms(self.region), observed.outputs.key_id
        if "policy" in observed.drift:
            kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=json.dumps(self._policy(given)))
        if "rotation" in observed.drift:
            kms.enable_key_rotation(KeyId=key_id)
        if "alias" in observed.drift:
            kms.create_alias(AliasName=self._alias, TargetKeyId=key_id)

    def delete(self, aws: Aws, outputs: KmsKeyOutputs) -> None:
        """Alias first, so that the name is free at once."""
        kms = aws.kms(self.region)
        for alias in kms.list_aliases(KeyId=outputs.key_id)["Aliases"]:
            kms.delete_alias(AliasName=alias["AliasName"])
        kms.schedule_key_deletion(KeyId=outputs.key_id, PendingWindowInDays=PENDING_DAYS)

    @property
    def _alias(self) -> str:
        return f"alias/{self.alias}"

    def _find(self, aws: Aws, given: Given) -> KeyMetadataTypeDef | None:
        recorded = given.recorded(self)
        if recorded is not None:
            with tolerating_absence():
                key = self._alive(aws, recorded.key_id)
                if key is not None:
                    given.claim(self, self._tags(aws, recorded.key_id))
                return key
            return None
        for page in aws.kms(self.region).get_paginator("list_keys").paginate():
            for listed in page["Keys"]:
                key_id = listed["KeyId"]
                if key_id in given.others or not given.is_ours(self, self._tags(aws, key_id)):
                    continue
                alive = self._alive(aws, key_id)
                if alive is not None:
                    return alive
        return None

    def _alive(self, aws: Aws, key_id: str) -> KeyMetadataTypeDef | None:
        key = aws.kms(self.region).describe_key(KeyId=key_id)["KeyMetadata"]
        return None if key["KeyState"] == "PendingDeletion" else key

    def _tags(self, aws: Aws, key_id: str) -> dict[str, str]:
        """No tags for a key that is gone, or for one that does not show them and has other aliases than ours: AWS's
        own, or one whose policy lets only others look. Raises ClientError where it may be ours."""
        kms = aws.kms(self.region)
        try:
            return tags.as_dict(kms.list_resource_tags(KeyId=key_id)["Tags"])
        except ClientError as error:
            if code_of(error) == "NotFoundException":
                return {}
            if code_of(error) != "AccessDeniedException":
                raise
            aliases = [each["AliasName"] for each in kms.list_aliases(KeyId=key_id)["Aliases"]]
            if not aliases or self._alias in aliases:
                raise
            return {}

    def _policy(self, given: Given) -> dict[str, Any]:
        """The account may delegate to IAM; services get what they need and no more.

        Sources: CloudWatch Logs user guide "Encrypt log data"; CloudWatch "Alarms and SNS encryption"; SNS, SQS and
        EventBridge developer guides, "key policy"; CloudFront, "Restrict access to an S3 origin" (SSE-KMS). RDS,
        DynamoDB, S3 and Secrets Manager use grants and kms:ViaService.
        """
        logs = f"logs.{self.region}.amazonaws.com"
        senders = ["cloudwatch", "events", "sns", "sqs"]
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "Account",
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:{given.partition}:iam::{given.account}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                },
                {
                    "Sid": "Logs",
                    "Effect": "Allow",
                    "Principal": {"Service": logs},
                    "Action": [
                        "kms:Encrypt*",
                        "kms:Decrypt*",
                        "kms:ReEncrypt*",
                        "kms:GenerateDataKey*",
                        "kms:Describe*",
                    ],
                    "Resource": "*",
                    "Condition": {
                        "ArnLike": {
                            "kms:EncryptionContext:aws:logs:arn": (
                                f"arn:{given.partition}:logs:{self.region}:{given.account}:*"
                            )
                        }
                    },
                },
                {
                    "Sid": "Notifications",
                    "Effect": "Allow",
                    "Principal": {"Service": [f"{sender}.amazonaws.com" for sender in senders]},
                    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                    "Resource": "*",
                    "Condition": {"StringEquals": {"aws:SourceAccount": given.account}},
                },
                {
                    "Sid": "Distributions",
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudfront.amazonaws.com"},
                    "Action": "kms:Decrypt",
                    "Resource": "*",
                    "Condition": {
                        "ArnLike": {
                            "aws:SourceArn": f"arn:{given.partition}:cloudfront::{given.account}:distribution/*"
                        }
                    },
                },
            ],
        }
