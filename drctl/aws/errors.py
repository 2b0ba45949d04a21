"""The only sets of AWS error codes in drctl, and what they mean to the engine.

Codes are those of botocore's service models and of the services' API references ("Common errors" and each
operation's "Errors"). What AWS answers for "again in a moment" is listed in the documentation page named beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.parsers import ResponseParserError

from drctl.aws.reach import RegionSilent
from drctl.engine.resource import DependsOnUnknown, NotOurs
from drctl.engine.trouble import Meaning, Trouble

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import UnsuccessfulItemTypeDef

GONE = frozenset({
    "404", "Gateway.NotAttached", "ServiceNotActiveException",
    "AlarmNotFound", "ClusterNotFoundException", "DBClusterNotFoundFault", "DBClusterParameterGroupNotFound",
    "DBInstanceNotFound", "DBInstanceNotFoundFault", "DBParameterGroupNotFound", "DBParameterGroupNotFoundFault",
    "DBSubnetGroupNotFoundFault", "GlobalClusterNotFoundFault", "InvalidAllocationID.NotFound",
    "InvalidAssociationID.NotFound", "InvalidFlowLogId.NotFound", "InvalidGroup.NotFound",
    "InvalidInternetGatewayID.NotFound", "InvalidNetworkInterfaceID.NotFound", "InvalidPermission.NotFound",
    "InvalidRoute.NotFound", "InvalidRouteTableID.NotFound", "InvalidSecurityGroupRuleId.NotFound",
    "InvalidSubnetID.NotFound", "InvalidVpcEndpointId.NotFound", "InvalidVpcID.NotFound",
    "InvalidVpcPeeringConnectionID.NotFound", "InvalidVpcPeeringConnectionId.NotFound", "ListenerNotFound",
    "LoadBalancerNotFound", "NatGatewayNotFound", "NoSuchBucket", "NoSuchBucketPolicy",
    "NoSuchDistribution", "NoSuchEntity", "NoSuchHealthCheck", "NoSuchHostedZone", "NoSuchLifecycleConfiguration",
    "NoSuchOriginAccessControl", "NoSuchResource", "NoSuchPublicAccessBlockConfiguration", "NoSuchTagSet", "NotFound",
    "NotFoundException", "ObjectNotFoundException", "OwnershipControlsNotFoundError",
    "ReplicationConfigurationNotFoundError", "ResourceNotFound", "ResourceNotFoundException", "RuleNotFound",
    "ServerSideEncryptionConfigurationNotFoundError", "ServiceNotFoundException", "TableNotFoundException",
    "TargetGroupNotFound", "DashboardNotFoundError", "InvalidAddress.NotFound", "InvalidAddressID.NotFound",
    "InvalidVpcEndpoint.NotFound", "InvalidNatGatewayID.NotFound", "InvalidNetworkAclID.NotFound",
})  # fmt: skip
"""It is not there: an answer to a read, success to a delete."""

GONE_WORDS = (
    ("ClientException", r"Unable to describe task definition"),
    ("InvalidChangeBatch", r"Tried to delete resource record set .* but it was not found"),
    ("InvalidParameterException", r"is not replicated to region"),
    ("KMSInvalidStateException", r"pending deletion"),
    ("ClientException", r"Task ?[Dd]efinition is inactive|task definition does not exist"),
    ("ValidationException", r"not part of the global table"),
    ("ValidationException", r"Replica specified in .* was not found"),
)
"""The same, where only the message tells (ECS API reference, DescribeTaskDefinition; Route 53), above all where the
SDK sent a removal again because its first answer was lost: Secrets Manager's RemoveRegionsFromReplication, KMS's
ScheduleKeyDeletion, ECS's DeregisterTaskDefinition, DynamoDB's UpdateTable."""

THROTTLED = frozenset({
    "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException",
    "SlowDown", "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException",
    "TransactionInProgressException", "ConcurrentModification", "ConcurrentModificationException",
    "ConcurrentUpdateException", "OperationAborted", "OperationAbortedException", "UpdateInProgressException",
    "HealthCheckVersionMismatch", "InvalidIfMatchVersion", "PreconditionFailed",
})  # fmt: skip
"""Refused for haste or for another change under way; certainly not done."""

IN_USE = frozenset({
    "ClusterContainsContainerInstancesException", "ClusterContainsServicesException", "ClusterContainsTasksException",
    "CannotDelete", "DeleteConflict", "DependencyViolation", "DistributionNotDisabled", "HealthCheckInUse",
    "InvalidDBClusterStateFault", "InvalidDBInstanceState", "InvalidDBInstanceStateFault",
    "InvalidDBParameterGroupState", "InvalidDBParameterGroupStateFault", "InvalidDBSubnetGroupStateFault",
    "InvalidDBSubnetStateFault", "InvalidGlobalClusterStateFault", "InvalidIPAddress.InUse", "OriginAccessControlInUse",
    "ResourceInUse", "ResourceInUseException", "ResourceConflictException", "IncorrectState", "BucketNotEmpty",
    "InvalidVpcPeeringConnectionState", "InvalidStateTransition", "InvalidGroup.InUse",
})  # fmt: skip
"""Not in this state, or not while something else uses it: later."""

IN_USE_WORDS = (
    ("ValidationException", r"has targets"),
    ("AuthFailure", r"do not have permission to access the specified resource"),
    ("InvalidParameterException", r"still Draining"),
)
"""The same, where only the message tells (EventBridge: "Rule can't be deleted since it has targets."; EC2's
ReleaseAddress while the NAT gateway still holds the address; ECS's CreateService while one of that name drains)."""

EXISTS = frozenset({
    "AlreadyExistsException", "BucketAlreadyOwnedByYou", "DBClusterAlreadyExistsFault", "DBInstanceAlreadyExists",
    "DBInstanceAlreadyExistsFault", "DBParameterGroupAlreadyExists", "DBParameterGroupAlreadyExistsFault",
    "DBSubnetGroupAlreadyExists", "DBSubnetGroupAlreadyExistsFault", "DistributionAlreadyExists", "DuplicateListener",
    "DuplicateLoadBalancerName", "DuplicateTargetGroupName", "EntityAlreadyExists", "FlowLogAlreadyExists",
    "GlobalClusterAlreadyExistsFault", "HealthCheckAlreadyExists", "HostedZoneAlreadyExists",
    "IdempotentParameterMismatch", "InvalidGroup.Duplicate", "InvalidPermission.Duplicate", "InvalidSubnet.Conflict",
    "OriginAccessControlAlreadyExists", "PriorityInUse", "Resource.AlreadyAssociated", "ResourceAlreadyExistsException",
    "ResourceExistsException", "RouteAlreadyExists", "TableAlreadyExistsException",
})  # fmt: skip
"""The name is taken, by us or by somebody else: a read tells."""

EXISTS_WORDS = (
    ("ResourceInUseException", r"^Table already exists"),
    ("ValidationException", r"one or more replicas already existed as tables"),
    ("ResourceConflictException", r"[Aa]lready exist"),
    ("InvalidChangeBatch", r"Tried to create resource record set .* but it already exists"),
    ("InvalidParameter", r"already exists with different"),
    ("InvalidParameterException", r"was not idempotent"),
    ("InvalidParameterException", r"already.* replicat"),
)
"""The same, where only the message tells (DynamoDB's CreateTable and UpdateTable; Lambda's CreateFunction and
AddPermission; Route 53; SNS's CreateTopic)."""

LOST = frozenset({
    "500", "502", "503", "504", "InternalError", "InternalFailure", "InternalServerError", "InternalServiceError",
    "InternalServiceException", "ServerException", "ServiceException", "ServiceFailure", "ServiceUnavailable",
    "ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException", "Unavailable",
})  # fmt: skip
"""The service stumbled; whether it acted is unknown."""

NOT_YET = (
    ("InvalidParameterValueException", r"cannot be assumed by Lambda"),
    ("InvalidParameterValueException", r"role .*(not have|does not have).* permission"),
    ("InvalidParameterException", r"[Uu]nable to assume|[Rr]ole is not valid|Verify that the .*role"),
    ("InvalidParameter", r"[Uu]nable to assume|DeliverLogsPermissionArn"),
    ("ClientException", r"[Rr]ole is not valid|unable to assume"),
    ("InvalidParameterCombination", r"[Rr]ole .*(assume|not exist)"),
    ("InvalidParameterValue", r"IAM role .*(not valid|does not exist|permissions)"),
    ("MalformedPolicyDocumentException", r"invalid principals"),
    ("MalformedPolicyDocument", r"[Ii]nvalid principal"),
    ("MalformedPolicy", r"[Ii]nvalid principal"),
    ("InvalidRequest", r"role .*(assume|exist)|assume the IAM role"),
    ("ValidationException", r"[Uu]nable to assume IAM role"),
    ("AccessDeniedException", r"KMS key|key policy"),
    ("InvalidParameterException", r"KMS [Kk]ey .*(not exist|not allowed|authorized)"),
    ("InvalidVpcPeeringConnectionID.NotFound", r""),
    ("UnsupportedCertificate", r""),
    ("InvalidViewerCertificate", r""),
    ("CertificateNotFound", r""),
    ("InvalidConfigurationRequest", r"Access Denied for bucket"),
    ("InvalidParameterException", r"does not have an associated load balancer"),
    ("InvalidRequestException", r"scheduled for deletion"),
    ("ContinuousBackupsUnavailableException", r""),
    ("InvalidTargetBucketForLogging", r""),
)
"""Code and a pattern of its message: a new role, key, policy or id that the other service does not see yet.

Lambda: "The role defined for the function cannot be assumed by Lambda" (Lambda troubleshooting guide); KMS:
"Policy contains a statement with one or more invalid principals" (IAM "Changes are not always immediately visible");
Application Auto Scaling: "Unable to assume IAM role" of a service-linked role made a moment ago (the Terraform
provider repeats RegisterScalableTarget on it).
"""

DENIED = frozenset({
    "AccessDenied", "AccessDeniedException", "AuthFailure", "AuthorizationError", "Forbidden", "UnauthorizedOperation",
})  # fmt: skip
EXPIRED = frozenset({
    "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken",
    "RequestExpired", "SignatureDoesNotMatch", "TokenRefreshRequired", "UnrecognizedClientException",
})  # fmt: skip
"""The credentials are over, revoked or of nobody; RequestExpired is also what a wrong clock gets (EC2 API reference,
"Error codes")."""
NO_CREDENTIALS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
"""What botocore says when it has no credentials to sign with: a provider that it asks again in time has failed."""
QUOTA = re.compile(r"(LimitExceeded|QuotaExceeded|TooMany\w+|MaximumNumber|InsufficientAddress|AddressLimit)")


def code_of(error: ClientError) -> str:
    """AWS's error code; some REST answers have none but the status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def words_of(error: ClientError) -> str:
    """AWS's own words: code and message, and the operation that was asked for."""
    return f"{code_of(error)}: {_message_of(error)} ({error.operation_name})"


def _message_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def _says(error: ClientError, sayings: Iterable[tuple[str, str]]) -> bool:
    """Whether the error is one of these pairs of a code and a pattern of its message."""
    code, message = code_of(error), _message_of(error)
    return any(code == known and re.search(pattern, message) for known, pattern in sayings)


def is_refusal(error: Exception) -> bool:
    """Whether AWS does not let us: for want of a permission, or with credentials that are no longer any."""
    return isinstance(error, ClientError) and code_of(error) in DENIED | EXPIRED


def is_denial(error: BaseException) -> bool:
    """Whether AWS knows who we are and does not let us."""
    return isinstance(error, ClientError) and code_of(error) in DENIED


def is_gone(error: ClientError) -> bool:
    """Whether AWS says that the thing does not exist."""
    return code_of(error) in GONE or _says(error, GONE_WORDS)


def raise_unsuccessful(failures: Iterable[UnsuccessfulItemTypeDef], operation: str) -> None:
    """Raise the first of the errors that EC2 tells inside a successful answer; absence is not one to a deletion."""
    for failure in failures:
        told = failure.get("Error", {})
        error = ClientError(
            {"Error": {"Code": told.get("Code", ""), "Message": told.get("Message", "")}}, operation
        )
        if not (operation.startswith("Delete") and is_gone(error)):
            raise error


def raise_failed_entries(entries: Iterable[Mapping[str, object]], operation: str) -> None:
    """Raise the first of the errors that EventBridge tells inside a successful answer (``FailedEntries``)."""
    for entry in entries:
        code, message = str(entry.get("ErrorCode", "")), str(entry.get("ErrorMessage", ""))
        raise ClientError({"Error": {"Code": code, "Message": message}}, operation)


@contextmanager
def tolerating_absence() -> Iterator[None]:
    """Leave the block when AWS says that the thing is not there: a read then falls through to None."""
    try:
        yield
    except ClientError as error:
        if not is_gone(error):
            raise


@contextmanager
def tolerating_existence() -> Iterator[None]:
    """Leave the block when AWS says that it has been done already: the second run of an update."""
    try:
        yield
    except ClientError as error:
        if code_of(error) not in EXISTS and not _says(error, EXISTS_WORDS):
            raise


def classify(error: Exception) -> Trouble:
    """What an error from a verb means: the engine's only view of AWS's codes."""
    if isinstance(error, ClientError):
        return _classify_answer(error)
    if isinstance(error, NotOurs):
        return Trouble(Meaning.FATAL, str(error), "rename it in the settings, or remove what is in the way")
    if isinstance(error, DependsOnUnknown):
        return Trouble(Meaning.NOT_YET, str(error))
    if isinstance(error, NO_CREDENTIALS) or "refreshed credentials are still expired" in str(error):
        return _without_credentials(str(error).strip())
    if isinstance(error, RegionSilent):
        return _out(error)
    if isinstance(error, ParamValidationError):
        return Trouble(Meaning.FATAL, str(error), "this is a defect of drctl: please report it")
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)):
        return Trouble(Meaning.LOST, str(error), "check the network, then run the same command again")
    if isinstance(error, (HTTPClientError, BotocoreConnectionError, ResponseParserError)):
        return Trouble(
            Meaning.LOST, str(error), "run the same command again: it looks first at what was done"
        )
    if isinstance(error, BotoCoreError):
        return Trouble(Meaning.FATAL, str(error))
    return Trouble(
        Meaning.FATAL,
        f"{type(error).__name__}: {error}",
        "this is a defect of drctl: run again with -vv and report it",
    )


def _without_credentials(cause: str) -> Trouble:
    return Trouble(
        Meaning.FATAL,
        cause,
        "renew the credentials (and see that this machine's clock is right), then run the same command again: "
        "it goes on from what is recorded",
        "the AWS credentials are no longer valid",
    )


def _out(error: RegionSilent) -> Trouble:
    what = (
        "the control planes of IAM, Route 53 and CloudFront do not answer"
        if error.place == "global"
        else f"{error.place} does not answer"
    )
    remedy = "run the same command again when it is back: it goes on from what is recorded"
    return Trouble(Meaning.FATAL, str(error), remedy, what)


def _classify_answer(error: ClientError) -> Trouble:
    code, cause = code_of(error), words_of(error)
    message = _message_of(error)
    if _says(error, NOT_YET):
        return Trouble(Meaning.NOT_YET, cause)
    for sayings, meaning in (
        (GONE_WORDS, Meaning.GONE),
        (IN_USE_WORDS, Meaning.IN_USE),
        (EXISTS_WORDS, Meaning.EXISTS),
    ):
        if _says(error, sayings):
            return Trouble(meaning, cause)
    for codes, meaning in (
        (GONE, Meaning.GONE),
        (THROTTLED, Meaning.THROTTLED),
        (IN_USE, Meaning.IN_USE),
        (EXISTS, Meaning.EXISTS),
        (LOST, Meaning.LOST),
    ):
        if code in codes and not (code == "LimitExceededException" and "rate" not in message.lower()):
            return Trouble(meaning, cause)
    if code in EXPIRED:
        return _without_credentials(cause)
    if code in DENIED:
        return Trouble(
            Meaning.FATAL, cause, f"allow {error.operation_name} to these credentials, then run again"
        )
    if QUOTA.search(code):
        return Trouble(
            Meaning.FATAL, cause, "raise this quota in Service Quotas for that region, then run again"
        )
    return Trouble(_meaning_of_status(error), cause)


def _meaning_of_status(error: ClientError) -> Meaning:
    """Of a code that no set names: HTTP's own classes (RFC 9110, 15.6; RFC 6585, 4). 501 is no stumble."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Meaning.THROTTLED
    stumbled = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED
    return Meaning.LOST if stumbled else Meaning.FATAL
