"""Finds the simulator's layers: every module of rules, gaps, lifecycle and motion registers itself when imported."""

from __future__ import annotations

import importlib
import pkgutil

from drctl.sim import gaps, lifecycle, motion, rules


def load() -> None:
    """Import all of them. After moto_cloud.follow, because they import moto's services."""
    for package in (rules, gaps, lifecycle, motion):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
