"""What the operator wishes, in one file, drctl.toml: read and validated once, before any call to AWS.

Tables of the file are classes (`place`, `workload`, `operations`, `state`), `model` is the whole, `values` holds AWS's
rules for single values, `file` reads, `template` writes the commented file of `drctl init`. Nothing here needs the SDK.
"""

from drctl.settings.file import load
from drctl.settings.model import DEMO_DOMAIN, ROLE_PART, Posture, Settings
from drctl.settings.operations import Alarms, Calls, Drill, HealthCheck, Logs, Monitor, Objectives, Operators
from drctl.settings.place import Domain, Edge, Network, PrimaryNetwork, Regions, StandbyNetwork
from drctl.settings.state import State
from drctl.settings.template import TEMPLATE, write
from drctl.settings.workload import BREAKER_TABLE, LOG_BUCKET, Bucket, Database, Service, Table

__all__ = [
    "BREAKER_TABLE",
    "DEMO_DOMAIN",
    "LOG_BUCKET",
    "ROLE_PART",
    "TEMPLATE",
    "Alarms",
    "Bucket",
    "Calls",
    "Database",
    "Domain",
    "Drill",
    "Edge",
    "HealthCheck",
    "Logs",
    "Monitor",
    "Network",
    "Objectives",
    "Operators",
    "Posture",
    "PrimaryNetwork",
    "Regions",
    "Service",
    "Settings",
    "StandbyNetwork",
    "State",
    "Table",
    "load",
    "write",
]
