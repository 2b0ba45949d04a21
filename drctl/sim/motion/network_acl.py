"""Network ACLs, as traffic from the internet meets them. Security groups are not looked at here."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any

SOMEBODY = ipaddress.ip_address("203.0.113.1")
"""Whoever asks from the internet: an address for documentation (RFC 5737), which no rule is about by chance."""
EPHEMERAL = 49_152
"""The port answers go back to (VPC user guide, "Ephemeral ports")."""
TCP = ("-1", "6", "tcp")


def admits(ec2_backend: Any, subnet: str, port: int) -> bool:
    """Whether a TCP connection from the internet to a port in the subnet works, both ways.

    VPC user guide, "Network ACL rules": the lowest numbered rule that matches decides, and without one it is denied.
    """
    for acl in ec2_backend.network_acls.values():
        if any(association.subnet_id == subnet for association in acl.associations):
            return _allows(acl, port, egress=False) and _allows(acl, EPHEMERAL, egress=True)
    return True


def _allows(acl: Any, port: int, *, egress: bool) -> bool:
    rules = [entry for entry in acl.entries if _is(entry.egress, egress) and _is_about(entry, port)]
    return bool(rules) and min(rules, key=lambda entry: int(entry.rule_number)).rule_action == "allow"


def _is(egress: object, wanted: bool) -> bool:
    """moto keeps the flag as it came: a bool from itself, a word from the API."""
    return (str(egress).lower() == "true") == wanted


def _is_about(entry: Any, port: int) -> bool:
    if not entry.cidr_block or str(entry.protocol) not in TCP or SOMEBODY not in _network(entry.cidr_block):
        return False
    if str(entry.protocol) == "-1" or entry.port_range_from is None:
        return True
    return int(entry.port_range_from) <= port <= int(entry.port_range_to)


@lru_cache(maxsize=1000)
def _network(cidr: str) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(cidr, strict=False)
