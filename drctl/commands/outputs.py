"""The addresses a person needs, from the ledger alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drctl.commands.context import Context
from drctl.ledger.ledger import Ledger
from drctl.ledger.model import CONDEMNED, GONE

SHOWN = {
    "load-balancer": "dns_name",
    "distribution": "domain_name",
    "hosted-zone": "name_servers",
    "aurora-cluster": "endpoint",
    "dynamodb-table": "table_name",
    "s3-bucket": "bucket",
    "secret": "arn",
    "dashboard": "dashboard_name",
}
"""Kind -> the output a person asks for."""


@dataclass(frozen=True)
class OutputsResult:
    """``REGION/KIND/NAME`` -> what AWS calls it."""

    environment: str
    outputs: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """cli.md: outputs."""
        return {"outputs": self.outputs}


def outputs(context: Context) -> OutputsResult:
    """What ``up`` made. Raises DrctlError when there is nothing."""
    ledger = context.built()
    return OutputsResult(ledger.meta.environment, of_records(ledger))


def of_records(ledger: Ledger) -> dict[str, str]:
    """The outputs worth showing, sorted by address."""
    found = {}
    for address, record in sorted(ledger.records().items()):
        if CONDEMNED in address or record.phase == GONE:
            continue
        field = SHOWN.get(record.kind)
        if record.kind == "iam-role" and record.name == "operator":
            field = "arn"
        if field and record.outputs.get(field):
            found[address] = record.outputs[field]
    return found
