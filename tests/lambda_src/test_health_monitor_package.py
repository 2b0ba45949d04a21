"""The zip that is deployed: the same bytes for the same sources, and fit for Lambda."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from drctl.aws import function_zip

SOURCE = function_zip.source("health_monitor")


def test_another_checkout_on_another_day_gives_the_same_bytes(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for number, path in enumerate(sorted(copy.iterdir(), reverse=True)):
        os.utime(path, (1_000_000_000 + number, 1_500_000_000 + number))
        path.chmod(0o600)
    subprocess.run([sys.executable, "-m", "compileall", "-q", copy], check=True)

    assert function_zip.build(copy) == function_zip.build(SOURCE)


def test_other_code_gives_another_digest(tmp_path: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / "changed")
    with (tmp_path / "changed" / "handler.py").open("a") as handler:
        handler.write("# changed\n")
    assert function_zip.build(tmp_path / "changed")[1] != function_zip.build(SOURCE)[1]


def test_the_digest_is_what_lambda_calls_code_sha256() -> None:
    content, digest = function_zip.build(SOURCE)
    assert base64.b64decode(digest) == hashlib.sha256(content).digest()


def test_the_zip_holds_readable_sources_only(package: Path) -> None:
    entries = zipfile.ZipFile(package).infolist()
    assert "handler.py" in [entry.filename for entry in entries]
    assert all(entry.filename.endswith(".py") for entry in entries)
    assert {entry.external_attr >> 16 & 0o777 for entry in entries} == {0o644}


def test_the_function_needs_nothing_of_drctl(package: Path) -> None:
    program = "import sys, handler; sys.exit(any(name.startswith('drctl') for name in sys.modules))"
    subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(package)}, cwd=package.parent, check=True
    )


def test_a_folder_without_sources_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no function sources"):
        function_zip.build(tmp_path)
