"""What people read, as lines of styled pieces: the plain view joins the pieces, the live view colours them.

Columns are aligned here, once. A style is one of the words in STYLES, never an escape code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from drctl.errors import Diagnostic

if TYPE_CHECKING:
    from drctl.commands.destroy import Removal
    from drctl.commands.drift import DriftResult
    from drctl.commands.plan import Plan
    from drctl.commands.runs import Intent
    from drctl.engine.inspect import Change

Piece = tuple[str, str]
Line = Sequence[Piece]

STYLES = (
    *("", "bold", "dim", "create", "update", "replace", "delete", "unchanged", "step"),
    *("good", "bad", "warning"),
)

SIGNS = {"create": "+", "update": "~", "replace": "!", "delete": "-", "unchanged": " ", "step": ">"}
DID = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "unchanged": "unchanged",
    "step": "done",
}
LONGEST_VALUE = 48
"""Characters of a field's value that are shown: a policy is not read in a plan."""


def duration(seconds: float) -> str:
    """``42 s``, ``3 min 20 s``, ``1 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def where(environment: str, account: str, caller: str, regions: Iterable[str]) -> list[Line]:
    """Whose environment this is: shown before anything changes."""
    return [
        [("environment  ", "dim"), (environment, "bold")],
        [("account      ", "dim"), (account, "bold"), (f"  as {caller}", "dim")],
        [("regions      ", "dim"), (" and ".join(regions), "bold")],
    ]


def plan(plan: Plan) -> list[Line]:
    """The differences, their fields under them, and the count."""
    lines = [*where(plan.environment, plan.account, plan.caller, plan.regions), []]
    lines += changes(plan.differences)
    if plan.differences:
        lines.append([])
    lines += [[(notice, "warning")] for notice in plan.notices]
    lines.append(counts(plan.summary, "to "))
    return lines


def changes(differences: Sequence[Change]) -> list[Line]:
    """Each with what would be done about it, and below it its fields: as they are, as they should be."""
    lines: list[Line] = []
    width = max((len(change.address) for change in differences), default=0)
    for change in differences:
        sign = f"  {SIGNS[change.action]} "
        lines.append(
            [(sign, change.action), (change.address.ljust(width), ""), (f"  {change.action}", change.action)]
        )
        for name, (actual, desired) in change.fields.items():
            lines.append([(f"      {name}: ", "dim"), (f"{value(actual)} -> {value(desired)}", "")])
    return lines


def drift(result: DriftResult) -> list[Line]:
    """What differs, and what `drctl up` would do about it."""
    if not result.drift:
        return [[("everything is as it was made", "good")]]
    count = f"{len(result.drift)} differ from what they were made as; `drctl up` repairs them"
    return [*changes(result.drift), [], [(count, "warning")]]


def intent(intent: Intent) -> list[Line]:
    """What a runbook is about to do, step by step."""
    parameters = intent.parameters
    lines = [*where(intent.environment, intent.account, intent.caller, intent.regions)]
    lines.append([("about to     ", "dim"), (intent.what, "bold")])
    if parameters.method:
        how = f"{parameters.method}, {parameters.trigger} trigger"
        lines.append([("outage       ", "dim"), (how, ""), (f"  {intent.outage}", "dim")])
    lines.append([])
    lines += [[("  > ", "step"), (step.title, "")] for step in intent.steps]
    if parameters.runbook == "failover":
        lines += [[], [("writes that have not reached the standby are given up", "warning")]]
    return [*lines, []]


def removal(removal: Removal) -> list[Line]:
    """What is about to go."""
    lines = [*where(removal.environment, removal.account, removal.caller, removal.regions), []]
    lines += [[("  - ", "delete"), (address, "")] for address in removal.addresses]
    return [*lines, [], [(f"{len(removal.addresses)} to delete", "delete")]]


def counts(summary: Mapping[str, int], prefix: str = "") -> Line:
    """``12 to create, 3 to update, 190 unchanged``; with no prefix ``12 created ...``."""
    pieces: list[Piece] = []
    for action, number in summary.items():
        if number or action == "unchanged":
            word = DID[action] if not prefix or action == "unchanged" else f"{prefix}{action}"
            pieces += [(", " if pieces else "", ""), (f"{number} {word}", action)]
    return pieces


def value(anything: object) -> str:
    """A field's value, short enough to read."""
    text = str(anything) if isinstance(anything, str) else repr(anything)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."


def errors(diagnostics: Iterable[Diagnostic]) -> list[Line]:
    """What failed, why, and what to do."""
    lines: list[Line] = []
    for each in diagnostics:
        about = f"{each.address}: " if each.address and each.address not in each.summary else ""
        lines.append([("error: ", "bad"), (f"{about}{each.summary}", "bold")])
        if each.cause:
            lines.append([("  why     ", "dim"), (each.cause, "")])
        for number, remedy in enumerate(each.remedy.splitlines()):
            lines.append([("  remedy  " if number == 0 else "          ", "dim"), (remedy, "")])
    return lines


def table(rows: Sequence[Sequence[str]], header: Sequence[str]) -> list[Line]:
    """Aligned columns under a dim header."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def joined(row: Sequence[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()

    return [[(joined(header), "dim")], *([(joined(row), "")] for row in rows)]


def pairs(items: Mapping[str, object]) -> list[Line]:
    """``key  value``, aligned."""
    width = max((len(key) for key in items), default=0)
    return [[(key.ljust(width), "dim"), (f"  {items[key]}", "")] for key in items]
