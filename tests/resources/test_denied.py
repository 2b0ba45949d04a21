"""What we may not look at: it is never taken for what is not there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drctl.engine.run import ResourceFailed
from tests.contract import Trial
from tests.resources.test_data import EAST, HERE, KEYS

if TYPE_CHECKING:
    from tests.conftest import Sim

KEY = KEYS[EAST]


def test_a_bucket_of_our_account_that_we_may_not_look_at_is_not_a_strangers(sim: Sim, tmp_path: Path) -> None:
    sim.client("s3").create_bucket(Bucket=HERE.aws_name)
    sim.fault("error", service="s3", operation="HeadBucket", code="AccessDenied", status=403, message="no")
    with Trial(sim, tmp_path) as trial, pytest.raises(ResourceFailed) as caught:
        trial.inspect(HERE)
    assert "HeadBucket" in caught.value.diagnostic.cause


def test_a_bucket_of_another_account_is_a_strangers(sim: Sim, tmp_path: Path) -> None:
    """It is not in our list, though a longer name is."""
    sim.client("s3").create_bucket(Bucket=f"{HERE.aws_name}-2")
    sim.fault("error", service="s3", operation="HeadBucket", code="AccessDenied", status=403, message="no")
    with Trial(sim, tmp_path) as trial, pytest.raises(ResourceFailed) as caught:
        trial.inspect(HERE)
    assert "is taken" in caught.value.diagnostic.cause


def test_a_key_whose_tags_we_may_not_see_is_not_absent(sim: Sim, tmp_path: Path) -> None:
    """Whether it is on record, or has only its alias, or not even that yet."""
    kms = sim.client("kms")
    with Trial(sim, tmp_path / "recorded") as trial:
        trial.ensure(KEY)
    denied = {"service": "kms", "operation": "ListResourceTags", "code": "AccessDeniedException"}
    sim.fault("error", **denied, status=400, message="not authorized")

    def is_not_told(folder: str) -> None:
        with Trial(sim, tmp_path / folder) as trial, pytest.raises(ResourceFailed) as caught:
            trial.inspect(KEY)
        assert "ListResourceTags" in caught.value.diagnostic.cause

    is_not_told("recorded")
    is_not_told("lost")
    kms.delete_alias(AliasName=f"alias/{KEY.alias}")
    is_not_told("lost")


def test_a_key_of_another_alias_may_keep_its_tags_to_itself(sim: Sim, tmp_path: Path) -> None:
    kms = sim.client("kms")
    theirs = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/theirs", TargetKeyId=theirs)
    denied = {"service": "kms", "operation": "ListResourceTags", "code": "AccessDeniedException"}
    sim.fault("error", **denied, status=400, message="not authorized")
    with Trial(sim, tmp_path) as trial:
        assert trial.inspect(KEY).action == "create"
