"""One API call as the simulator's layers see it, and how a layer says no."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Answer = dict[str, Any]


def _as_usual(kind: str) -> float | None:
    return None


"""A response as boto3 would return it, without ResponseMetadata: keys are the model's member names."""


@dataclass(frozen=True)
class Call:
    """A request, identified and parsed by botocore's own service models.

    service: botocore's name (``ec2``, ``elbv2``, ``application-autoscaling``, ``cloudwatch`` ...)
    operation: the model's name (``CreateVpc``)
    region: the region the request was signed for; ``us-east-1`` for IAM, Route 53 and CloudFront
    account: twelve digits
    params: the parameters as the caller of boto3 wrote them
    now: simulated seconds since the epoch
    held_back: for a kind of fault, how many simulated seconds one keeps what this call makes from others;
        None: the usual time. To be asked once, when the thing has been made: it counts as a call that was hit
    """

    service: str
    operation: str
    region: str
    account: str
    params: dict[str, Any] = field(default_factory=dict)
    now: float = 0.0
    held_back: Callable[[str], float | None] = _as_usual


Moto = Callable[[Call], Answer]
"""Runs a call on moto, bypassing faults, rules and gaps. Raises Refused with moto's own code and message."""


class Refused(Exception):
    """AWS's answer is an error: code and message as AWS words them.

    status: the HTTP status; left at 400, the service's model decides where it names one for the code
    members: further members of the error's shape (``CancellationReasons`` ...)
    """

    def __init__(
        self, code: str, message: str, status: int = 400, members: dict[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members or {}
