"""The settings of an environment that serves several applications: of each a table, a pair of buckets, a service."""

from __future__ import annotations

from drctl.settings import DEMO_DOMAIN

ENVIRONMENT = "bench"

HEAD = f"""\
environment = "{ENVIRONMENT}"

[domain]
name = "{DEMO_DOMAIN}"

[operators]
accounts = ["111122223333"]
external_id = "drctl-bench"
"""


def settings(applications: int) -> str:
    """The text of a drctl.toml."""
    return HEAD + "".join(_application(number) for number in range(1, applications + 1))


def _application(number: int) -> str:
    path = f'path = "/app{number}/*"\n' if number > 1 else ""
    return f"""
[[services]]
name = "app{number}"
{path}
[[tables]]
name = "table{number}"
key = "id"

[[buckets]]
name = "bucket{number}"
"""
