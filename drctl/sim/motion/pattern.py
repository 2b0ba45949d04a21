"""Wildcards in paths and host names, the same in load balancers' rules and CloudFront's behaviours."""

from __future__ import annotations

import re
from functools import lru_cache


def matches(pattern: str, text: str) -> bool:
    """``*`` is any number of characters, ``?`` exactly one (ELB user guide, "Path conditions"; CloudFront developer
    guide, "Path pattern"). Case counts."""
    return _compiled(pattern).fullmatch(text) is not None


def covers(name: str, host: str) -> bool:
    """Whether a name of a certificate or an alias fits a host: ``*.`` stands for exactly one label (ACM user guide,
    "Wildcard names")."""
    name, host = name.lower().rstrip("."), host.lower().rstrip(".")
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:] and not host.startswith(".")
    return name == host


@lru_cache(maxsize=1000)
def _compiled(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(each) or re.escape(each) for each in pattern), re.DOTALL)
