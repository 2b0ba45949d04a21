"""What can go wrong, said the same way everywhere: the bottom layer, which imports nothing of drctl.

A command that cannot do its work raises one of these. Views show the diagnostics (as text, or as the `errors`
list of `--output json`) and the command line leaves with the exit code; nobody else translates errors.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Diagnostic:
    """One thing that is wrong: an element of the `errors` list of a JSON result."""

    summary: str
    """What failed, in one line."""
    address: str = ""
    """What it is about: a resource's address, or a key's path in the settings file; empty for neither."""
    cause: str = ""
    """Why it failed; AWS's own words and code where AWS refused."""
    remedy: str = ""
    """What the operator can do about it."""


class DrctlError(Exception):
    """Exit code 1: failed. Holds every independent problem that was found, not only the first, and each once."""

    exit_code: ClassVar[int] = 1

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = (
            (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(dict.fromkeys(diagnostics))
        )
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "; ".join(
            ": ".join(part for part in (each.address, each.summary, each.cause) if part)
            for each in self.diagnostics
        )


class LockedError(DrctlError):
    """Exit code 4: the state is locked by another run (says who, since when, which command, how to break it).

    A living holder's lock is broken only by name: `drctl state unlock`.
    """

    exit_code: ClassVar[int] = 4


class SettingsError(DrctlError):
    """Exit code 5: bad settings or arguments."""

    exit_code: ClassVar[int] = 5


class Interrupted(DrctlError):
    """Exit code 130: interrupted (state saved, what to do next said)."""

    exit_code: ClassVar[int] = 130
