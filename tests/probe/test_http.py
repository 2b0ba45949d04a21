"""A request as a new client makes it: over TLS, by name, once."""

from __future__ import annotations

import socket
import threading

import pytest

from drctl.probe.dns import Resolver
from drctl.probe.http import Reply, fetch
from drctl.probe.outside import Outside, Unreachable
from tests.probe.world import ADDRESSES, HOST, HandClock, P, S, World, web_server

PATIENCE = 20.0
URL = f"https://{HOST}/health?deep=1"


def get(
    world: World,
    url: str = URL,
    timeout: float = PATIENCE,
    outside: Outside | None = None,
    **more: bytes | str,
) -> Reply:
    resolver = Resolver(world.outside, (), HandClock())
    return fetch(outside or world.outside, resolver, url, timeout=timeout, **more)  # type: ignore[arg-type]


def test_an_answer(outside_world: World) -> None:
    outside_world.sites[P].headers["X-Region"] = P
    reply = get(outside_world)
    assert (reply.status, reply.region, reply.address, reply.served) == (200, P, ADDRESSES[P], True)
    assert reply.latency_ms > 0
    ((method, path, headers),) = outside_world.sites[P].requests
    assert (method, path, headers["Host"]) == ("GET", "/health?deep=1", HOST)


def test_without_the_header_nobody_says_which_region(outside_world: World) -> None:
    assert get(outside_world).region == ""


def test_what_is_written_arrives_whole(outside_world: World) -> None:
    reply = get(outside_world, f"https://{HOST}/api/sessions/7", method="PUT", body=b'{"a": 1}')
    assert reply.served
    assert outside_world.sites[P].held == {"7": b'{"a": 1}'}
    ((_, _, headers),) = outside_world.sites[P].requests
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [301, 302, 404, 500, 503])
def test_what_is_not_2xx_is_an_answer_that_does_not_serve(outside_world: World, status: int) -> None:
    outside_world.sites[P].status = status
    reply = get(outside_world)
    assert (reply.status, reply.served) == (status, False)
    assert len(outside_world.sites[P].requests) == 1


def test_each_request_is_a_new_connection(outside_world: World) -> None:
    resolver = Resolver(outside_world.outside, (), HandClock())
    for _ in range(3):
        fetch(outside_world.outside, resolver, URL, timeout=PATIENCE)
    assert [headers["Connection"] for _, _, headers in outside_world.sites[P].requests] == ["close"] * 3


def test_no_proxy_of_the_environment_is_asked(outside_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert get(outside_world).served


def test_a_certificate_must_be_the_names(outside_world: World) -> None:
    outside_world.names.records["other.example.org"] = [ADDRESSES[P]], 60
    with pytest.raises(Unreachable, match=r"certificate: .*ostname"):
        get(outside_world, "https://other.example.org/")
    assert outside_world.sites[P].requests == []


def test_a_certificate_must_be_of_an_authority_that_is_trusted(outside_world: World) -> None:
    strangers = Outside(outside_world.outside.name_server, outside_world.outside.ports)
    with pytest.raises(Unreachable, match="certificate: "):
        get(outside_world, outside=strangers)


def test_the_next_address_is_tried_when_nobody_is_at_the_first(outside_world: World) -> None:
    outside_world.names.records[HOST] = ["127.0.0.9", ADDRESSES[S]], 60
    assert get(outside_world).address == ADDRESSES[S]


def test_what_was_sent_is_not_sent_to_the_next_address(outside_world: World) -> None:
    outside_world.names.records[HOST] = [ADDRESSES[P], ADDRESSES[S]], 60
    outside_world.sites[P].cut = True
    with pytest.raises(Unreachable, match="connection closed"):
        get(outside_world)
    assert outside_world.sites[S].requests == []


@pytest.mark.parametrize("kind", ["silent", "dribble"])
def test_a_server_that_keeps_us_waiting_does_not_keep_us_longer_than_the_timeout(
    outside_world: World, kind: str
) -> None:
    setattr(outside_world.sites[P], kind, True)
    with pytest.raises(Unreachable, match="timed out"):
        get(outside_world, timeout=1.0)


def test_nobody_there(outside_world: World) -> None:
    outside_world.names.records[HOST] = ["127.0.0.9"], 60
    with pytest.raises(Unreachable, match="connection refused"):
        get(outside_world)
    with pytest.raises(Unreachable, match="no such name"):
        get(outside_world, "https://nowhere.example.org/")


def test_a_door_that_is_shut_in_our_face(outside_world: World) -> None:
    """As a region that is out: it accepts and closes."""
    with socket.create_server(("127.0.0.4", 0)) as door:
        door.settimeout(PATIENCE)
        outside_world.names.records[HOST] = ["127.0.0.4"], 60
        outside = Outside(
            outside_world.outside.name_server, {443: door.getsockname()[1]}, outside_world.outside.ca_bundle
        )

        def shut() -> None:
            line, _ = door.accept()
            line.close()

        thread = threading.Thread(target=shut)
        thread.start()
        with pytest.raises(Unreachable, match="connection closed"):
            get(outside_world, outside=outside)
        thread.join()


def test_plain_http_where_there_is_no_certificate(outside_world: World) -> None:
    site = outside_world.sites[P]
    with web_server(site, ADDRESSES[P]) as port:
        outside = Outside(outside_world.outside.name_server, {80: port})
        assert get(outside_world, f"http://{HOST}/", outside=outside).served
