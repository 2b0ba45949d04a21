"""docs/simulator.md is what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tables_of_the_page_are_those_of_the_code() -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "scripts" / "simulator_rules.py", "--check"], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
