"""The front door: arguments in, exit code and output out. No simulated AWS is needed for what is tested here."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from drctl.settings import Settings, load
from drctl.sim import client
from tests.environment import Desk, clean_environment

NOWHERE = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent", "HOME": "/nonexistent"}
"""An environment in which boto3 finds no credentials."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty folder; a simulator that was started for it is stopped."""
    made = Desk(tmp_path)
    yield made
    client.stop(made.state)


def test_help_and_version_load_neither_boto3_nor_moto_nor_rich(desk: Desk) -> None:
    for option in ("--help", "--version"):
        source = (
            "import sys\n"
            "from drctl.cli import app\n"
            f"app([{option!r}], prog_name='drctl', standalone_mode=False)\n"
            "print(sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)\n"
        )
        ran = subprocess.run(
            [sys.executable, "-c", source],
            capture_output=True,
            text=True,
            env=clean_environment(),
            check=True,
        )
        assert ran.stdout
        loaded = set(ran.stderr.replace("'", " ").replace(",", " ").split())
        assert "typer" in loaded
        assert loaded.isdisjoint({"boto3", "botocore", "moto", "rich", "pydantic"}), option


def test_without_credentials_it_says_both_ways_on(desk: Desk) -> None:
    desk.run("init")
    for command in (["plan"], ["up", "--yes"]):
        ran = desk.run(*command, environment=NOWHERE)
        assert (ran.code, ran.out) == (1, "")
        lines = ran.err.splitlines()
        assert lines[0] == "error: no AWS credentials"
        (real,) = (line for line in lines if "AWS_PROFILE" in line)
        (simulated,) = (line for line in lines if "--sim" in line)
        assert real != simulated
        assert "Traceback" not in ran.err
    assert not list(desk.state.glob("*.json")), "nothing was done, so nothing is remembered"


def test_a_profile_that_does_not_exist_is_no_traceback(desk: Desk) -> None:
    desk.run("init")
    ran = desk.run("--profile", "nobody", "plan", environment=NOWHERE)
    assert ran.code == 1
    assert "nobody" in ran.err
    assert "Traceback" not in ran.err


def test_everything_that_is_wrong_with_the_settings_is_said_at_once(desk: Desk) -> None:
    desk.settings(
        'environment = "X"\n[regions]\nprimary = "us-east-1"\nstandby = "us-east-1"\n'
        '[network.standby]\ncidr = "10.0.0.0/16"\n[logs]\nretention_days = 8\n[colour]\nred = 1\n'
    )
    ran = desk.run("--output", "json", "--sim", "plan")
    assert ran.code == 5
    assert {error["address"] for error in ran.json["errors"]} == {
        "environment",
        "regions.standby",
        "network.standby.cidr",
        "logs.retention_days",
        "colour",
    }
    assert all(error["cause"] and error["remedy"] for error in ran.json["errors"])
    human = desk.run("--sim", "plan")
    assert human.code == 5
    assert human.err.count("error: ") == 5


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--nonsense"],
        ["--nonsense", "plan"],
        ["nonsense"],
        ["up", "surplus"],
        ["--output", "yaml", "plan"],
        ["state", "show"],
        ["sim", "start", "--speed", "fast"],
    ],
)
def test_wrong_arguments_are_exit_code_five(desk: Desk, arguments: list[str]) -> None:
    ran = desk.run(*arguments)
    assert ran.code == 5
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert ran.err


def test_init_writes_settings_that_load_and_never_overwrites_any(desk: Desk) -> None:
    ran = desk.run("--output", "json", "init")
    assert (ran.code, ran.json["path"]) == (0, "drctl.toml")
    assert load(desk.config) == Settings.default()
    tomllib.loads(desk.config.read_text(encoding="utf-8"))
    desk.settings("# mine\n")
    again = desk.run("--output", "json", "init")
    assert again.code == 5
    assert "exists already" in again.json["errors"][0]["cause"]
    assert desk.config.read_text(encoding="utf-8") == "# mine\n"


def test_options_come_from_the_environment_too(desk: Desk) -> None:
    other = desk.folder / "other.toml"
    ran = desk.run("init", environment={"DRCTL_CONFIG": str(other)})
    assert ran.code == 0
    assert other.exists()


@pytest.mark.parametrize(
    "command", [["outputs"], ["status"], ["state", "list"], ["plan"], ["destroy", "--yes"]]
)
def test_without_settings_and_state_it_says_what_to_do(desk: Desk, command: list[str]) -> None:
    ran = desk.run("--output", "json", *command)
    assert ran.code == 5
    document = json.loads(ran.out)
    assert document["command"] == " ".join(word for word in command if word != "--yes")
    (error,) = document["errors"]
    assert "drctl init" in error["remedy"]


def test_a_damaged_state_file_is_an_error_with_a_way_out_and_not_an_empty_environment(desk: Desk) -> None:
    desk.run("init")
    desk.state.mkdir()
    (desk.state / "demo.json").write_text('{"version": 1, "reco', encoding="utf-8")
    ran = desk.run("--output", "json", "state", "list")
    assert ran.code == 1
    (error,) = ran.json["errors"]
    assert "demo.json" in error["summary"] + error["cause"]
    assert error["remedy"]
