"""How long AWS is waited for is a setting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ReadTimeoutError

from drctl.commands.context import Access, Context
from drctl.engine.events import Event

if TYPE_CHECKING:
    from tests.conftest import Sim


def test_an_answer_is_waited_for_as_long_as_the_settings_say(sim: Sim, tmp_path: Path) -> None:
    config = tmp_path / "drctl.toml"
    config.write_text("[calls]\nanswer_timeout_s = 1\n", encoding="utf-8")
    access = Access(endpoint_url=sim.endpoint, access_key="simulated", secret_key="simulated")
    context = Context(config, tmp_path / "state", "plan", _nobody, access)
    sim.fault("hang", operation="DescribeVpcs", seconds=25.0, times=1)
    with pytest.raises(ReadTimeoutError):
        context.aws().once.ec2("us-east-1").describe_vpcs()


def _nobody(event: Event) -> None:
    """Nobody looks on."""
