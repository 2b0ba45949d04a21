"""The same system built by Terraform, against the same simulator in the same run, where both can be had.

Terraform waits in real seconds and knows no simulated clock, so its wall time beside drctl's says little: what compares
is calls, processor and memory. At a high speed it even looks less often than it would on AWS.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.life import PROJECT, Life, Simulation, Step, clean_environment, simulation
from bench.measured import Absent
from bench.report import Part, Table, number
from drctl.settings import DEMO_DOMAIN
from drctl.sim import client

FILES = PROJECT.parent / "shared" / "peers" / "terraform"
PROVIDER = "terraform-provider-aws_v*"
MIRROR_VARIABLE = "TF_PLUGIN_DIR"
MIRROR_ROOTS = ("/opt", "/usr/local/share", "/usr/local/lib", "/usr/share", "~/.terraform.d")
"""Where provider mirrors usually lie, when the variable does not say."""
MIRROR_DEPTH = 7
"""Folders between a root and a provider: mirror, host, namespace, type, version, platform."""
FAILURE = re.compile(r"Error: (.*)")
NOISE = re.compile(r"https response error StatusCode: \d+, |(RequestID|HostID): \S+, ")
"""What the AWS SDK for Go puts into its errors and nobody can use here."""
SHOWN = 5
"""Failures of a command in the notes; the JSON has all."""
GAP = "SimulatorGap"


def part(life: Life) -> Part:
    """``life``: drctl's own, at the speed at which the peer is to be measured. Raises Absent."""
    program = shutil.which("terraform")
    if not FILES.is_dir():
        raise Absent("there is no peer: ../shared/peers/terraform is not beside this checkout")
    if program is None:
        raise Absent("terraform is not installed")
    mirror = _mirror()
    with simulation(life.speed) as simulated:
        steps = _terraform(simulated, program, mirror)
        resources = _resources(simulated)
    rows = [
        *_rows("drctl", life.objects, {"up": life.up, "up again": life.again, "destroy": life.destroy}),
        *_rows("terraform", resources, steps),
    ]
    heading = ("command", "resources", "calls", "refused", "processor", "memory", "wall", "outcome")
    table = Table(
        "peer: the same system, the same simulator",
        heading,
        [
            (
                f"{row['tool']} {row['command']}",
                number(row["resources"]),
                number(row["calls"]),
                number(row["refused"]),
                number(row["cpu_s"], "s"),
                number(row["memory_mb"], "MB"),
                number(row["wall_s"], "s"),
                row["outcome"],
            )
            for row in rows
        ],
    )
    notes = [
        f"Speed {life.speed:.0f}. Terraform waits in real seconds, drctl in simulated ones: compare calls, processor "
        "and memory, not the wall.",
        *(f"{row['tool']} {row['command']}: {each}" for row in rows for each in row["failures"][:SHOWN]),
        *(
            f"{row['tool']} {row['command']} asked what the simulator does not model: {', '.join(row['gaps'])}"
            for row in rows
            if row["gaps"]
        ),
    ]
    return Part("peer", [table], {"speed": life.speed, "runs": rows}, notes)


def _terraform(simulated: Simulation, program: str, mirror: Path) -> dict[str, Step]:
    """init, apply, apply again, destroy; a step that fails does not stop the next, which is what users do."""
    folder = simulated.folder / "terraform"
    shutil.copytree(FILES, folder)
    with zipfile.ZipFile(folder / "monitor.zip", "w") as archive:
        archive.write(folder / "lambda_src" / "index.py", "index.py")
    env = {
        **{key: value for key, value in clean_environment().items() if not key.startswith("TF_")},
        **client.environment(simulated.status),
        "AWS_REGION": "us-east-1",
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }
    base = [program, f"-chdir={folder}"]
    variables = ["-var", f"domain={DEMO_DOMAIN}"]
    prepared = simulated.step([*base, "init", "-no-color", "-input=false", f"-plugin-dir={mirror}"], env)
    if prepared.usage.code:
        raise Absent(f"terraform init failed: {'; '.join(_failures(prepared)) or 'it does not say why'}")
    change = ["-no-color", "-input=false", "-auto-approve", *variables]
    steps = {"up": simulated.step([*base, "apply", *change], env)}
    if not steps["up"].usage.code:
        steps["up again"] = simulated.step([*base, "apply", *change], env)
    steps["destroy"] = simulated.step([*base, "destroy", *change], env)
    return steps


def _resources(simulated: Simulation) -> int:
    """How many it had made, from the state it kept before the last run."""
    for name in ("terraform.tfstate.backup", "terraform.tfstate"):
        path = simulated.folder / "terraform" / name
        if path.exists():
            state = json.loads(path.read_text(encoding="utf-8"))
            found = sum(
                len(each["instances"]) for each in state.get("resources", []) if each["mode"] == "managed"
            )
            if found:
                return found
    return 0


def _rows(tool: str, resources: int, steps: dict[str, Step]) -> list[dict[str, Any]]:
    return [
        {
            "tool": tool,
            "command": name,
            "resources": resources,
            "calls": len(step.calls),
            "refused": sum(1 for call in step.calls if call.code),
            "refused_by_code": dict(Counter(call.code for call in step.calls if call.code).most_common()),
            "gaps": sorted({f"{call.service} {call.operation}" for call in step.calls if call.code == GAP}),
            "cpu_s": round(step.usage.cpu, 2),
            "memory_mb": round(step.usage.memory / 1e6),
            "wall_s": round(step.usage.wall, 1),
            "outcome": "failed" if step.usage.code else "done",
            "failures": _failures(step) if step.usage.code else [],
        }
        for name, step in steps.items()
    ]


def _failures(step: Step) -> list[str]:
    """What Terraform called errors, each once, with the words that follow the heading."""
    found = FAILURE.findall(step.usage.err + step.usage.out)
    return list(dict.fromkeys(NOISE.sub("", each).strip() for each in found))


def _mirror() -> Path:
    """The folder for ``-plugin-dir``: above the host's name in MIRROR/HOST/NAMESPACE/TYPE/VERSION/PLATFORM."""
    said = os.environ.get(MIRROR_VARIABLE)
    if said:
        return Path(said)
    for root in MIRROR_ROOTS:
        for provider in _providers(Path(root).expanduser()):
            return provider.parents[5]
    raise Absent(f"no mirror with Terraform's AWS provider was found: name one in {MIRROR_VARIABLE}")


def _providers(root: Path) -> Iterator[Path]:
    for folder, below, _ in os.walk(root):
        depth = len(Path(folder).relative_to(root).parts)
        if depth >= MIRROR_DEPTH:
            below.clear()
        yield from Path(folder).glob(PROVIDER)
