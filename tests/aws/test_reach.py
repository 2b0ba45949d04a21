"""A region in which nothing answers is asked no more; what answers anything is."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from drctl.aws.clients import Aws
from drctl.aws.reach import ALONE_FOR_S, SILENT_FOR_S, SILENT_TIMES, RegionSilent
from drctl.sim import client
from tests.conftest import Sim

P, S = "us-east-1", "us-west-2"


class Hands:
    """A clock that is set by hand."""

    time = 0.0

    def now(self) -> float:
        return self.time


def doors(sim: Sim) -> tuple[Aws, Hands]:
    hands = Hands()
    return Aws(boto3.Session("simulated", "simulated"), sim.endpoint, attempts=1).giving_up(hands.now), hands


def ask(aws: Aws, region: str) -> None:
    aws.ec2(region).describe_vpcs()


def fall_silent(aws: Aws, hands: Hands, seconds: float, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ConnectionClosedError):
            ask(aws, S)
    hands.time += seconds
    with pytest.raises(ConnectionClosedError):
        aws.kms(S).list_keys()


def test_who_is_silent_for_long_is_asked_no_more_in_this_run_and_others_are(sim: Sim) -> None:
    aws, hands = doors(sim)
    client.begin_outage(sim.status(), S)
    fall_silent(aws, hands, SILENT_FOR_S + 1, SILENT_TIMES)
    client.end_outage(sim.status())
    calls = len(sim.access_log())
    for door in (aws, aws.once, aws.listed("demo")):
        with pytest.raises(RegionSilent, match="no answer for 61 s, to 6 requests"):
            ask(door, S)
    assert len(sim.access_log()) == calls
    ask(aws, P)
    ask(aws.giving_up(hands.now), S)


@pytest.mark.parametrize(
    ("seconds", "times"), [(SILENT_FOR_S - 1, SILENT_TIMES), (SILENT_FOR_S + 1, SILENT_TIMES - 1)]
)
def test_a_short_silence_proves_nothing(sim: Sim, seconds: float, times: int) -> None:
    aws, hands = doors(sim)
    client.begin_outage(sim.status(), S)
    fall_silent(aws, hands, seconds, times)
    client.end_outage(sim.status())
    ask(aws, S)


def test_one_service_alone_is_given_more_time(sim: Sim) -> None:
    aws, hands = doors(sim)
    client.begin_outage(sim.status(), S)
    for seconds in (*[0] * SILENT_TIMES, SILENT_FOR_S + 1, ALONE_FOR_S - SILENT_FOR_S):
        hands.time += seconds
        with pytest.raises(ConnectionClosedError):
            ask(aws, S)
    with pytest.raises(RegionSilent):
        ask(aws, S)


def test_any_answer_ends_a_silence_even_a_refusal(sim: Sim) -> None:
    aws, hands = doors(sim)
    client.begin_outage(sim.status(), S)
    fall_silent(aws, hands, 0, SILENT_TIMES)
    client.end_outage(sim.status())
    with pytest.raises(ClientError):
        aws.kms(S).describe_key(KeyId="nobody")
    client.begin_outage(sim.status(), S)
    fall_silent(aws, hands, SILENT_FOR_S + 1, 0)
    client.end_outage(sim.status())
    ask(aws, S)
