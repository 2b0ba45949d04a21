"""A run of which only a part is asked for: what a test does not name is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3

from drctl.aws.clients import Aws
from drctl.engine.walk import Interrupt
from drctl.runbook.journal import Journal
from drctl.runbook.recovery import Parameters, Recovery
from drctl.runbook.site import Service, Side, Site
from tests.conftest import Sim

P = "us-east-1"


def recovery(
    sim: Sim,
    folder: Path,
    parameters: Parameters,
    vpc: str = "",
    public_subnets: tuple[str, ...] = (),
    services: tuple[Service, ...] = (),
) -> Recovery:
    """Of a primary that consists of these; the journal lies in the folder."""
    aws = Aws(boto3.Session("simulated", "simulated"), sim.endpoint)
    nothing: Any = None
    side = Side(P, services, (), (), "", None, "", "", {}, {}, "", None, public_subnets, vpc, ())
    return Recovery(
        parameters=parameters,
        site=Site("demo", "", side, side, "", "", "", {}, "", None, "", ()),
        settings=nothing,
        clock=sim.clock,
        journal=Journal(folder / "run.jsonl"),
        interrupt=Interrupt(),
        tell=lambda _: None,
        aws=aws,
        standby=aws,
        compare=nothing,
        watch=nothing,
        holds=lambda: None,
        watch_of=nothing,
    )
