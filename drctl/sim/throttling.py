"""With which error each service refuses what is asked of it too often."""

from __future__ import annotations

from drctl.sim.call import Refused
from drctl.sim.identify import Target

RATE = "Rate exceeded"

THROTTLED: dict[str, tuple[str, str, int]] = {
    # EC2 API reference, "Error codes": RequestLimitExceeded; "Request throttling": 503
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    # Amazon S3 API reference, "List of error codes": SlowDown, 503 Slow Down
    "s3": ("SlowDown", "Please reduce your request rate.", 503),
    # Lambda API reference, TooManyRequestsException: 429
    "lambda": ("TooManyRequestsException", RATE, 429),
    # KMS developer guide, "Throttling requests": "Error Code: ThrottlingException", 400
    "kms": (
        "ThrottlingException",
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
        400,
    ),
    # Service Quotas API reference, TooManyRequestsException
    "service-quotas": (
        "TooManyRequestsException",
        "Due to throttling, the request was denied. Slow down the rate of request calls, or request an increase "
        "for this quota.",
        400,
    ),
}
"""Service -> code, message, HTTP status; for the others the protocol tells."""

THROUGHPUT = "ProvisionedThroughputExceededException"
"""DynamoDB developer guide, "Error handling": what reads or writes items is told this."""

QUERY = ("Throttling", RATE, 400)
"""API references of the services that speak the query protocol (CloudWatch, which has a second one, among them),
"Common errors": code "Throttling", as SDKs show it; Route 53 developer guide, "Quotas", on API requests: 400, Code
"Throttling", Message "Rate exceeded"."""
SPEAKS_QUERY = frozenset({"query", "ec2", "rest-xml"})

JSON = ("ThrottlingException", RATE, 400)
"""API references of the others, "Common errors": ThrottlingException, 400."""


def throttled(target: Target) -> Refused:
    """That service's own throttling error."""
    if target.service == "dynamodb" and THROUGHPUT in {shape.name for shape in target.operation.error_shapes}:
        return Refused(
            THROUGHPUT,
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
            "provisioning level with the UpdateTable API.",
        )
    model = target.operation.service_model
    old = SPEAKS_QUERY & set(model.metadata.get("protocols", [model.metadata.get("protocol")]))
    return Refused(*THROTTLED.get(target.service, QUERY if old else JSON))
