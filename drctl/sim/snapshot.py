"""The simulated AWS on disk: moto's backends, the world and the clock, in one file.

The file is written beside, synced and renamed, so there is always one whole snapshot. It belongs to the
versions of drctl, moto and Python that wrote it. It holds the code of moto's own lambdas and is read with pickle:
it is as trusted as the state directory it lies in, and no more portable.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import marshal
import os
import pickle
import sys
import threading
import types
import weakref
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509 import Certificate, load_pem_x509_certificate
from moto.core.base_backend import BackendDict, BaseBackend

from drctl.sim.world import World

FORMAT = (
    f"drctl-sim 1, drctl {version('drctl')}, moto {version('moto')}, "
    f"python {sys.version_info.major}.{sys.version_info.minor}"
)

PRIVATE_KEYS = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)


class DamagedSnapshot(Exception):
    """The file is there and cannot be used. Never taken for an empty AWS."""


@dataclass
class Snapshot:
    """What is saved beside moto's backends."""

    world: World
    now: float
    """Simulated seconds since the epoch when it was taken."""


def dump(snapshot: Snapshot) -> bytes:
    """moto's backends and the snapshot as bytes: a line with format and checksum, then a pickle."""
    buffer = io.BytesIO()
    states = {
        _backend_id(account, region, backend): backend.__dict__
        for backends in BackendDict._instances  # type: ignore[misc]
        for account, region, backend in backends.iter_backends()
    }
    _Pickler(buffer, protocol=5).dump((snapshot, states))
    body = buffer.getvalue()
    return f"{FORMAT}, sha256 {hashlib.sha256(body).hexdigest()}\n".encode() + body


def write(path: Path, content: bytes) -> None:
    """Replace the file at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load(path: Path) -> Snapshot | None:
    """Put moto's backends back and return the rest; None when there is no file.

    Raises DamagedSnapshot, with the way out.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    header, _, body = content.partition(b"\n")
    written_as, _, checksum = header.decode(errors="replace").rpartition(", sha256 ")
    if written_as and written_as != FORMAT:
        raise DamagedSnapshot(
            f"{path} was written as {written_as[:80]!r} and this is {FORMAT!r}: "
            "use the versions that wrote it, or delete the file to start with an empty AWS"
        )
    if checksum != hashlib.sha256(body).hexdigest():
        raise DamagedSnapshot(f"{path} is damaged: delete the file to start with an empty AWS")
    snapshot, states = pickle.loads(body)  # noqa: S301 - our own file, checked above
    for backend_id, state in states.items():
        _backend(*backend_id).__dict__.update(state)
    assert isinstance(snapshot, Snapshot)
    return snapshot


_EC2_REGISTERS = ("vpc_refs", "vpc_pcx_refs", "backend_refs")

BackendId = tuple[str, str, str, str]


def _backend_id(account: str, region: str, backend: BaseBackend) -> BackendId:
    kind = type(backend)
    return kind.__module__, kind.__qualname__, account, region


def _backend(module: str, name: str, account: str, region: str) -> BaseBackend:
    """The backend of that class, account and region; bare, without its constructor, if it is not there yet."""
    backends = _backends(module, name)
    of_account = backends[account]
    if region not in of_account.keys():  # noqa: SIM118 - moto's `in` is true for any region it could make
        kind: type[BaseBackend] = getattr(importlib.import_module(module), name)
        bare = kind.__new__(kind)
        dict.__setitem__(of_account, region, bare)
        for register in _EC2_REGISTERS:
            # How EC2 finds VPCs and peerings of another region; its constructor would enter it there.
            if hasattr(kind, register):
                getattr(kind, register)[kind].add(weakref.ref(bare))
    return dict.__getitem__(of_account, region)


def _backends(module: str, name: str) -> BackendDict[Any]:
    for value in vars(importlib.import_module(module)).values():
        if isinstance(value, BackendDict) and value.backend.__qualname__ == name:
            return value
    raise LookupError(f"{module} has no backends of {name}")


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, BackendDict):
            return _backends, (obj.backend.__module__, obj.backend.__qualname__)
        if isinstance(obj, BaseBackend):
            # By name only: what it holds is saved once, apart.
            return _backend, _backend_id(obj.account_id, obj.region_name, obj)
        if isinstance(obj, PRIVATE_KEYS):
            return _private_key, (
                obj.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                ),
            )
        if isinstance(obj, Certificate):
            return _certificate, (obj.public_bytes(serialization.Encoding.PEM),)
        kind = type(obj)
        if kind is _LOCK:
            return threading.Lock, ()
        if kind is _RLOCK:
            return threading.RLock, ()
        if kind is types.FunctionType and _is_local(obj):
            return _reduce_function(obj)
        if kind is types.GeneratorType:
            return iter, ((),)  # the pages that moto keeps for whoever asks on: nobody does after a restart
        if kind is types.ModuleType:
            return importlib.import_module, (obj.__name__,)
        if kind is WeakValueDictionary:
            return _weak_values, (dict(obj),)
        if isinstance(obj, dict) and not kind.__module__.startswith("collections"):
            # Subclasses give and take items in ways of their own (S3's store of versions shows the newest
            # only), so what they hold is moved beneath them, after the object itself for the sake of cycles.
            factory = obj.default_factory if isinstance(obj, defaultdict) else None
            state = (dict(dict.items(obj)), getattr(obj, "__dict__", {}), factory)
            return _empty_dict, (kind,), state, None, None, _fill_dict
        return NotImplemented


_LOCK = type(threading.Lock())
_RLOCK = type(threading.RLock())


def _is_local(function: types.FunctionType) -> bool:
    """Whether pickle could not find it again by its name."""
    found: Any = sys.modules.get(function.__module__)
    for part in function.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is not function


def _reduce_function(function: types.FunctionType) -> Any:
    cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
    code = marshal.dumps(function.__code__)
    return _function, (code, function.__module__, function.__name__, function.__defaults__, cells)


def _function(
    code: bytes, module: str, name: str, defaults: tuple[Any, ...] | None, cells: tuple[Any, ...]
) -> types.FunctionType:
    scope = vars(importlib.import_module(module))
    closure = tuple(types.CellType(value) for value in cells)
    return types.FunctionType(marshal.loads(code), scope, name, defaults, closure)  # noqa: S302


def _private_key(pem: bytes) -> Any:
    return serialization.load_pem_private_key(pem, None)


def _certificate(pem: bytes) -> Certificate:
    return load_pem_x509_certificate(pem)


def _weak_values(items: dict[Any, Any]) -> WeakValueDictionary[Any, Any]:
    return WeakValueDictionary(items)


def _empty_dict(kind: type[dict[Any, Any]]) -> dict[Any, Any]:
    return kind.__new__(kind)


def _fill_dict(made: dict[Any, Any], state: tuple[dict[Any, Any], dict[str, Any], Any]) -> None:
    items, attributes, factory = state
    if isinstance(made, defaultdict):
        made.default_factory = factory
    dict.update(made, items)
    if attributes:
        vars(made).update(attributes)
