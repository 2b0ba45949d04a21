"""A Lambda function's deployment package, the same bytes for the same sources on every machine.

Lambda reports the digest of what it runs (``CodeSha256``). Only if the package is reproducible does a different
digest mean different code, rather than another checkout, another day or another zlib.
"""

from __future__ import annotations

import base64
import hashlib
import io
import stat
import zipfile
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold."""

_READABLE_BY_ALL = (stat.S_IFREG | 0o644) << 16
"""Lambda runs the code as a user of its own and refuses files it may not read.
https://repost.aws/knowledge-center/lambda-deployment-package-errors"""

_UNIX = 3


def source(function: str) -> Path:
    """The folder of a function's sources: ``lambda_src`` is drctl's neighbour, in a checkout and installed."""
    return Path(__file__).parents[2] / "lambda_src" / function


def build(folder: Path) -> tuple[bytes, str]:
    """Zip the Python files of ``folder``, with paths relative to it.

    Returns the zip and its SHA-256 in base64, which is what Lambda returns as ``CodeSha256``.
    Raises FileNotFoundError when there is no Python file to zip.
    """
    files = sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*.py"))
    if not files:
        raise FileNotFoundError(f"no function sources in {folder}")
    package = io.BytesIO()
    # Stored, not deflated: implementations and versions of zlib compress the same text differently.
    with zipfile.ZipFile(package, "w", zipfile.ZIP_STORED) as archive:
        for name, path in files:
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _READABLE_BY_ALL
            archive.writestr(entry, path.read_bytes())
    content = package.getvalue()
    return content, base64.b64encode(hashlib.sha256(content).digest()).decode()
