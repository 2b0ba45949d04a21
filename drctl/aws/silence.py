"""Which regions answer at all: one call each, before much is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from drctl.aws.errors import classify
from drctl.engine.trouble import Meaning

if TYPE_CHECKING:
    from drctl.aws.clients import Aws


def silence(aws: Aws, place: str) -> str | None:
    """Why nobody answers in a region, or for "global" in Route 53's control plane; None when somebody does.

    A refusal is an answer.
    """
    try:
        if place == "global":
            aws.route53().list_hosted_zones(MaxItems="1")
        else:
            aws.identity(place)
    except (ClientError, BotoCoreError) as error:
        trouble = classify(error)
        return trouble.cause if trouble.meaning is Meaning.LOST else None
    return None
