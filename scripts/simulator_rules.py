"""Writes what the simulator's code says of itself into docs/simulator.md: durations, rules, answered operations.

``python scripts/simulator_rules.py`` rewrites the parts between the markers; with ``--check`` it changes nothing and
leaves with 1 when they are not what the code says (a test runs that).
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from drctl.sim import layers, registry
from drctl.sim.lifecycle.durations import DURATIONS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "simulator.md"
MANY = 12
"""A rule for more operations than this is told by their number."""


def main() -> int:
    """The exit code: 0 unless --check found the page out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 if the page is out of date"
    )
    options = parser.parse_args()
    layers.load()
    written = PAGE.read_text(encoding="utf-8")
    wanted = written
    for name, lines in (("durations", durations()), ("intervals", intervals()), ("services", services())):
        wanted = between(wanted, name, lines)
    if options.check:
        if wanted != written:
            print(f"{PAGE} is not what the code says: run python scripts/simulator_rules.py", file=sys.stderr)
        return int(wanted != written)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


def between(page: str, name: str, lines: Iterable[str]) -> str:
    """The page with these lines between the markers of that name. Raises ValueError when it has no such markers."""
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{PAGE} has no markers {begin!r} and {end!r}")
    return before + begin + "".join(f"{line}\n" for line in lines) + end + after


def durations() -> Iterator[str]:
    """The table of lifecycle/durations.py."""
    yield from ("", "| what | ready | gone | source |", "|---|---|---|---|")
    for name, duration in DURATIONS.items():
        ready, gone = (f"{seconds:g}" if seconds else "" for seconds in (duration.ready, duration.gone))
        yield row(name.replace("-", " "), ready, gone, duration.source)
    yield ""


def intervals() -> Iterator[str]:
    """Every constant of the simulator whose docstring begins with "Simulated seconds"."""
    yield from ("", "| seconds | of what |", "|---|---|")
    for path in sorted((ROOT / "drctl" / "sim").rglob("*.py")):
        for seconds, told in documented(ast.parse(path.read_text(encoding="utf-8"))):
            match = re.match(r"Simulated seconds\s+(.*)", told, re.DOTALL)
            if match:
                yield row(f"{seconds:g}", f"{path.stem.replace('_', ' ')}: {match[1].replace('``', '`')}")
    yield ""


def documented(module: ast.Module) -> Iterator[tuple[float, str]]:
    """The numbers that a module names at its top level and tells about in the string after it."""
    for named, told in zip(module.body, module.body[1:], strict=False):
        match named, told:
            case (
                ast.Assign(value=ast.Constant(value=float() | int() as number)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield float(number), text


def services() -> Iterator[str]:
    """By service: the rules with their sources, then the operations that the simulator answers itself."""
    named: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for (service, operation), rules in sorted(registry.RULES.items()):
        for rule in rules:
            named[service][f"{rule.__module__}.{rule.__name__}"].append(operation)
    answered: dict[str, set[str]] = defaultdict(set)
    for table in (registry.GAPS, registry.AFTERS):
        for service, operation in table:
            answered[service].add(operation)
    for service in sorted({*named, *answered}):
        yield from ("", f"### {service}", "")
        if named[service]:
            yield from ("| rule | operations | source |", "|---|---|---|")
        for name, operations in sorted(named[service].items()):
            many = f"{len(operations)} operations"
            told = ", ".join(operations) if len(operations) <= MANY else many
            yield row(name.rpartition(".")[2].replace("_", " "), told, registry.SOURCES[name])
        if answered[service]:
            yield from (
                "",
                f"Answered here, or moto's answer mended: {', '.join(sorted(answered[service]))}.",
            )
    yield ""


def row(*cells: str) -> str:
    """A line of a table, its cells on one line each."""
    told = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(told)} |"


if __name__ == "__main__":
    raise SystemExit(main())
