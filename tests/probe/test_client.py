"""What clients see of two regions, and which region they say it was."""

from __future__ import annotations

import pytest

from drctl.probe.client import Client
from drctl.probe.dns import Resolver
from drctl.probe.outside import Unreachable
from tests.probe.world import ADDRESSES, BALANCERS, HOST, HandClock, P, S, World


@pytest.fixture
def client(outside_world: World) -> Client:
    clock = HandClock()
    return Client(outside_world.outside, Resolver(outside_world.outside, (), clock), clock, 20.0, BALANCERS)


def test_the_name_leads_to_the_region_whose_load_balancer_has_the_address(
    client: Client, outside_world: World
) -> None:
    assert client.dns(HOST).who == P
    outside_world.names.records[HOST] = [ADDRESSES[S]], 60
    found = client.dns(HOST)
    assert (found.ok, found.who, found.detail) == (True, S, ADDRESSES[S])


def test_clients_follow_the_name_once_their_resolver_does(client: Client, outside_world: World) -> None:
    assert client.read(f"https://{HOST}/").who == P
    outside_world.names.records[HOST] = [ADDRESSES[S]], 60
    assert client.read(f"https://{HOST}/").who == P
    assert client.dns(HOST).who == S


def test_what_the_application_says_goes_before_the_address(client: Client, outside_world: World) -> None:
    outside_world.sites[P].headers["X-Region"] = S
    assert client.read(f"https://{HOST}/").who == S


def test_an_address_of_nobody(client: Client, outside_world: World) -> None:
    outside_world.names.records[HOST] = ["127.0.0.77"], 60
    assert client.dns(HOST).who == ""


def test_a_region_is_still_known_when_its_balancers_name_no_longer_is(
    client: Client, outside_world: World
) -> None:
    client.dns(HOST)
    del outside_world.names.records[BALANCERS[P]]
    assert client.dns(HOST).who == P


def test_an_answer_that_does_not_serve(client: Client, outside_world: World) -> None:
    outside_world.sites[P].status = 503
    found = client.write(f"https://{HOST}/api/sessions/1", b"{}", 1)
    assert (found.ok, found.who, found.detail, found.sequence) == (False, P, "503", 1)


def test_nobody_answers(client: Client, outside_world: World) -> None:
    outside_world.names.records[HOST] = ["127.0.0.77"], 60
    with pytest.raises(Unreachable, match="connection refused"):
        client.read(f"https://{HOST}/")
