"""What all tables of the settings file share, and how rules between several values refuse."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import InitErrorDetails

from drctl.settings.values import refused, shown


class Section(BaseModel):
    """A table of the file: its docstring and its fields' descriptions are what the commented file says.

    Unknown keys are refused. Defaults are held to the same rules as given values, since a default can be wrong beside
    a given one (a memory size that Fargate does not offer with the given CPU).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Named(Protocol):
    """An item of a list whose items are told apart by name."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Refusal:
    """One wrong value, found by a rule that looks at several."""

    where: tuple[str | int, ...]
    """Its place below the field under validation: (1, "cpu") is the key `cpu` of the second item."""
    cause: str
    remedy: str


def refuse_all(refusals: Iterable[Refusal]) -> None:
    """Raises all refusals at once, each at its own place; none is fine."""
    errors = [
        InitErrorDetails(type=refused(each.cause, each.remedy), loc=each.where, input=None)
        for each in refusals
    ]
    if errors:
        raise ValidationError.from_exception_data("settings", errors)


def same_names(items: Sequence[Named]) -> Iterator[Refusal]:
    """Refuses every item whose name an earlier one has."""
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        if item.name in seen:
            cause = f"{shown(item.name)} is the name of item {seen[item.name]} too"
            yield Refusal((index, "name"), cause, "a name of its own for each")
        seen.setdefault(item.name, index)


def too_long(built: str, name: str, limit: int, where: tuple[str | int, ...]) -> Iterator[Refusal]:
    """Refuses a value when the name on AWS that is built from it (`built`, for instance "a bucket") is too long."""
    if len(name) > limit:
        cause = f"the name of {built} built from it, {name}, has {len(name)} characters; AWS allows {limit}"
        remedy = f"shorter by {len(name) - limit}, here or in environment"
        yield Refusal(where, cause, remedy)
