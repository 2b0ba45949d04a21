"""The rule of a composite alarm: ``ALARM(a) AND NOT (OK("b c") OR FALSE)``.

Source: PutCompositeAlarm API reference, AlarmRule. Names may be quoted or be ARNs; NOT binds closest, then AND.
"""

from __future__ import annotations

import re
from collections.abc import Callable

TOKEN = re.compile(
    r'\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>[^"]+)"|(?P<plain>[^\s()"]+))\s*\)'
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE|\(|\)))"
)

States = Callable[[str], str]
"""The state (OK, ALARM, INSUFFICIENT_DATA) of an alarm by its name."""


class Malformed(ValueError):
    """The text is no rule."""


def alarm_names(rule: str) -> set[str]:
    """The names of the alarms that a rule looks at."""
    return {name for kind, name in tokens(rule) if kind in ("ALARM", "OK", "INSUFFICIENT_DATA")}


def holds(rule: str, state_of: States) -> bool:
    """Whether the rule is true for these states. Raises Malformed."""
    rest = tokens(rule)
    result = either(rest, state_of)
    if rest:
        raise Malformed(rule)
    return result


def tokens(rule: str) -> list[tuple[str, str]]:
    found = []
    at = 0
    while rule[at:].strip():
        match = TOKEN.match(rule, at)
        if match is None:
            raise Malformed(rule[at:])
        name = match["quoted"] or match["plain"] or ""
        found.append((match["state"] or match["word"], name.rsplit(":alarm:", 1)[-1]))
        at = match.end()
    return found


def either(rest: list[tuple[str, str]], state_of: States) -> bool:
    result = both(rest, state_of)
    while rest and rest[0][0] == "OR":
        rest.pop(0)
        result = both(rest, state_of) or result
    return result


def both(rest: list[tuple[str, str]], state_of: States) -> bool:
    result = term(rest, state_of)
    while rest and rest[0][0] == "AND":
        rest.pop(0)
        result = term(rest, state_of) and result
    return result


def term(rest: list[tuple[str, str]], state_of: States) -> bool:
    if not rest:
        raise Malformed("the rule ends where an alarm is expected")
    kind, name = rest.pop(0)
    if kind == "NOT":
        return not term(rest, state_of)
    if kind in ("TRUE", "FALSE"):
        return kind == "TRUE"
    if kind == "(":
        result = either(rest, state_of)
        if not rest or rest.pop(0)[0] != ")":
            raise Malformed("a bracket is not closed")
        return result
    if name:
        return state_of(name) == kind
    raise Malformed(kind)
