"""What `state rebuild` found, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drctl.view import text
from drctl.view.text import Line

if TYPE_CHECKING:
    from drctl.commands.rebuild import Found, Rebuilt


STRAYS = (
    "these carry the environment's tag, but the settings do not name them: `drctl destroy` will leave them. Put back "
    "into the settings what belongs there and rebuild again; remove the others by hand. Some may be gone already: the "
    "list they come from lags"
)


def found(found: Found) -> list[Line]:
    """Whose environment it is; what is not there; what is there and belongs to no record; how much was found."""
    lines = [*text.where(found.environment, found.account, found.caller, found.regions), []]
    if found.missing:
        rows = [(each.address, each.why) for each in found.missing]
        lines += [*text.table(rows, ("not found", "why")), []]
    if found.strays:
        strays = [(each.address, each.arn) for each in found.strays]
        lines += [*text.table(strays, ("found, not recorded", "ARN")), [(STRAYS, "warning")], []]
    lines += [[(notice, "warning")] for notice in found.notices]
    missing = f", {len(found.missing)} not found" if found.missing else ""
    return [*lines, [(f"{len(found.records)} for the new state{missing}", "bold")]]


def rebuilt(result: Rebuilt) -> list[Line]:
    """The same unless it has been shown with the question, where the files of before are, and what to do next."""
    lines = [] if result.found.before else found(result.found)
    lines += [[("kept aside   ", "dim"), (path, "")] for path in result.set_aside]
    lines.append([("the state is rebuilt; nothing on AWS was changed", "good")])
    return [*lines, [("next         ", "dim"), ("`drctl plan` shows what differs from the settings", "")]]
