"""The front door while something is under way, on a simulated AWS: asking, locking, stopping, and what it prints."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest
from botocore.exceptions import ConnectionClosedError

from tests.environment import TIMEOUT, Installation, P, S

FIVE = {"command", "environment", "ok", "duration_s", "schema"}
VPC = f"{P}/internet-gateway/*"
"""A target of two: the gateway and its VPC."""


def test_without_a_terminal_and_without_yes_nothing_is_changed(fresh: Installation) -> None:
    calls = fresh.calls()
    ran = fresh.run("--sim", "up")
    assert ran.code == 5
    assert "+ us-east-1/vpc/main" in ran.out, "the plan is shown"
    assert "account      123456789012" in ran.out
    assert "--yes" in ran.err
    assert fresh.mutations(calls) == []
    assert fresh.on_sim("up", "--yes", "--target", VPC).code == 0
    ran = fresh.run("--sim", "destroy")
    assert ran.code == 5
    assert "- us-east-1/vpc/main" in ran.out
    assert len(fresh.ok("state", "list").json["records"]) == 2


def test_on_a_terminal_it_asks_and_only_the_right_word_counts(fresh: Installation) -> None:
    for answer, made in (("no", 0), ("y", 0), ("yes", 2)):
        code, shown = _on_a_terminal(fresh, ["--sim", "up", "--target", VPC], answer)
        assert "us-east-1/vpc/main" in shown
        assert code == (0 if made else 1)
        assert len(fresh.ok("state", "list").json["records"]) == made
    for answer, left in (("yes", 2), ("demo", 0)):
        _on_a_terminal(fresh, ["--sim", "destroy"], answer)
        assert len(fresh.ok("state", "list").json["records"]) == left


def test_json_is_one_document_on_stdout_and_progress_is_on_stderr(fresh: Installation) -> None:
    made = fresh.ok("up", "--yes", "--target", VPC)
    assert made.json.keys() >= FIVE | {"summary", "outputs"}
    assert made.json["summary"]["create"] == 2
    assert made.done == {f"{P}/vpc/main": "create", f"{P}/internet-gateway/main": "create"}
    wanted = {
        ("plan",): {"changes", "summary"},
        ("status",): {"resources", "serving_region", "writer_region", "lag", "alarms"},
        ("outputs",): {"outputs"},
        ("state", "list"): {"records"},
        ("state", "show", f"{P}/vpc/main"): {"records"},
        ("state", "unlock"): {"broken"},
        ("sim", "status"): {"running", "pid", "endpoint", "speed", "now", "faults", "access_log"},
        ("destroy", "--yes"): {"summary", "left"},
    }
    for command, keys in wanted.items():
        ran = fresh.ok(*command)
        assert ran.json.keys() >= FIVE | keys, command
        assert ran.json["command"] == " ".join(command[: 2 if command[0] in ("state", "sim") else 1])
        assert ran.json["ok"] is True


def test_a_plain_pipe_gets_plain_lines(fresh: Installation) -> None:
    for arguments in (
        ["up", "--yes", "--target", VPC],
        ["status"],
        ["state", "list"],
        ["plan"],
        ["destroy", "--yes"],
    ):
        ran = fresh.run("--sim", *arguments)
        assert ran.code == 0, ran.err
        assert "\x1b" not in ran.out + ran.err, arguments
        assert "\r" not in ran.out + ran.err, arguments


def test_plan_says_with_its_exit_code_whether_there_are_differences_when_asked(fresh: Installation) -> None:
    assert fresh.on_sim("plan", "--target", VPC).code == 0
    assert fresh.on_sim("plan", "--target", VPC, "--detailed-exitcode").code == 2
    fresh.ok("up", "--yes", "--target", VPC)
    assert fresh.on_sim("plan", "--target", VPC, "--detailed-exitcode").code == 0


def test_targets_bring_what_they_need_and_take_what_needs_them(fresh: Installation) -> None:
    before = fresh.census()
    made = fresh.ok("up", "--yes", "--target", f"{P}/subnet/public-*", "--target", f"{S}/kms-key/main")
    assert made.done.keys() == {
        f"{P}/vpc/main",
        f"{P}/subnet/public-a",
        f"{P}/subnet/public-b",
        f"{S}/kms-key/main",
    }
    gone = fresh.ok("destroy", "--yes", "--target", f"{P}/vpc/*")
    assert gone.done.keys() == made.done.keys() - {f"{S}/kms-key/main"}
    assert gone.json["left"] == [f"{S}/kms-key/main"]
    for command in ("plan", "up", "destroy"):
        ran = fresh.on_sim(command, *(["--yes"] if command != "plan" else []), "--target", "us-east-1/vcp/*")
        assert ran.code == 5
        assert "us-east-1/vcp/*" in ran.json["errors"][0]["summary"]
    fresh.destroy()
    assert fresh.census() == before


def test_state_list_shows_ids_and_state_show_one_record(fresh: Installation) -> None:
    fresh.ok("up", "--yes", "--target", VPC)
    vpc = fresh.client("ec2", P).describe_vpcs(
        Filters=[{"Name": "tag:drctl:address", "Values": [f"{P}/vpc/main"]}]
    )["Vpcs"][0]["VpcId"]
    assert vpc in fresh.run("--sim", "state", "list").out
    (record,) = fresh.ok("state", "show", f"{P}/vpc/main").json["records"]
    assert record["outputs"]["vpc_id"] == vpc
    ran = fresh.on_sim("state", "show", f"{P}/vpc/other")
    assert ran.code == 5


@pytest.fixture
def slow(fresh: Installation) -> Iterator[Installation]:
    """An AWS that takes its time; ``_until_called`` makes it all but stand still, so that much can happen meanwhile."""
    fresh.sim.set_speed(40)
    yield fresh
    fresh.sim.set_speed(600)


def test_a_second_run_is_told_who_is_at_it_and_the_first_one_stops_when_asked(slow: Installation) -> None:
    target = ["--target", f"{P}/nat-gateway/a"]
    first = slow.start("--sim", "up", "--yes", *target)
    _until_called(slow, "CreateNatGateway", first)

    second = slow.on_sim("up", "--yes")
    assert second.code == 4
    (error,) = second.json["errors"]
    assert f"process {first.pid}" in error["cause"]
    assert "drctl up" in error["cause"]
    assert "state unlock" in error["remedy"]
    assert slow.on_sim("plan", *target).code == 0, "looking needs no lock"

    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=TIMEOUT)
    assert first.returncode == 130, out + err
    assert "interrupted" in err
    assert "drctl up" in err, "it says how to go on"
    slow.sim.set_speed(600)
    records = {record["address"] for record in slow.ok("state", "list").json["records"]}
    assert f"{P}/nat-gateway/a" in records

    again = slow.ok("up", "--yes", *target)
    assert again.code == 0
    nats = slow.client("ec2", P).describe_nat_gateways()["NatGateways"]
    assert [nat["State"] for nat in nats] == ["available"], "it went on with the one it had asked for"


def test_unlock_breaks_the_lock_of_a_run_which_then_stops_by_itself(slow: Installation) -> None:
    first = slow.start("--sim", "up", "--yes", "--target", f"{P}/nat-gateway/a")
    _until_called(slow, "CreateNatGateway", first)
    broken = slow.ok("state", "unlock").json["broken"]
    assert (broken["pid"], broken["command"]) == (first.pid, "up")
    slow.sim.set_speed(600)
    out, err = first.communicate(timeout=TIMEOUT)
    assert first.returncode == 1
    assert "lock" in err
    assert "Traceback" not in out + err
    assert slow.ok("state", "unlock").json["broken"] is None
    slow.ok("up", "--yes", "--target", f"{P}/nat-gateway/a")
    slow.destroy()


def test_a_region_goes_out_and_comes_back(fresh: Installation) -> None:
    nowhere = fresh.run("sim", "outage", "us-middle-1")
    assert nowhere.code == 5
    assert "us-middle-1" in nowhere.err
    assert "global or one of" in nowhere.err
    for region in (P, "global"):
        assert fresh.run("sim", "outage", region).code == 0
    shown = fresh.run("sim", "status").out
    assert P in shown
    assert "global" in shown
    with pytest.raises(ConnectionClosedError):
        fresh.client("ec2", P).describe_vpcs()
    with pytest.raises(ConnectionClosedError):
        fresh.client("iam", S).list_roles()
    fresh.client("ec2", S).describe_vpcs()
    assert fresh.run("sim", "heal", P).code == 0
    fresh.client("ec2", P).describe_vpcs()
    with pytest.raises(ConnectionClosedError):
        fresh.client("iam", S).list_roles()
    assert fresh.run("sim", "heal").code == 0
    fresh.client("iam", S).list_roles()


def _until_called(place: Installation, operation: str, child: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not place.sim.calls(operation=operation):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    place.sim.set_speed(1)


def _on_a_terminal(place: Installation, arguments: list[str], answer: str) -> tuple[int, str]:
    """The program with a terminal for everything; what it shows, and its exit code."""
    ours, its = pty.openpty()
    child = place.start(
        *arguments, environment={"TERM": "xterm"}, stdin=its, stdout=its, stderr=its, start_new_session=True
    )
    os.close(its)
    os.write(ours, f"{answer}\n".encode())
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass  # the terminal is closed when the program ends
    os.close(ours)
    return child.wait(TIMEOUT), shown.decode(errors="replace")
