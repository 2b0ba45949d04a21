"""The world outside, made new for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.probe.world import World, world


@pytest.fixture
def outside_world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made
