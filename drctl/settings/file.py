"""Reading drctl.toml: from bytes to settings, or to everything that is wrong with them."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from drctl.errors import Diagnostic, SettingsError
from drctl.settings.model import Settings
from drctl.settings.section import Section
from drctl.settings.values import REFUSED, did_you_mean, shown


def load(path: Path) -> Settings:
    """The settings in the file.

    Raises SettingsError with a diagnostic for every problem; its address is the key's path in the file, such as
    `network.standby.cidr` or `services[1].cpu`, and empty when the file cannot be read at all.
    """
    try:
        return Settings.model_validate(tomllib.loads(_text(path)))
    except ValidationError as error:
        problems = [_diagnostic(path, each) for each in error.errors(include_url=False)]
        raise SettingsError(problems) from None
    except (ValueError, RecursionError) as error:
        # tomllib's own error says the line and column; a number of thousands of digits is a plain ValueError.
        remedy = "correct the file; `drctl init` writes a correct one, under another name with --config"
        raise SettingsError(Diagnostic(f"{path} is not valid TOML", "", str(error), remedy)) from None


def _text(path: Path) -> str:
    unreadable = f"{path} cannot be read"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        remedy = "write one with `drctl init`, name another with --config, or use --sim, which needs none"
        raise SettingsError(Diagnostic(unreadable, "", "there is no such file", remedy)) from None
    except IsADirectoryError:
        raise SettingsError(Diagnostic(unreadable, "", "it is a folder", "name the file in it")) from None
    except OSError as error:
        remedy = "make the file readable for you, or name another with --config"
        raise SettingsError(Diagnostic(unreadable, "", str(error.strerror or error), remedy)) from None
    try:
        return content.decode("utf-8-sig")  # some editors put a byte order mark, which TOML ignores
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        cause = f"line {line} is not UTF-8"
        raise SettingsError(Diagnostic(unreadable, "", cause, "save the file as UTF-8")) from None


def _diagnostic(path: Path, error: ErrorDetails) -> Diagnostic:
    """One problem in the operator's words. What pydantic says of it is never shown."""
    location, given = error["loc"], error["input"]
    address = _address(location)
    summary, context = f"{path}: {address} is refused", error.get("ctx", {})
    match error["type"]:
        case kind if kind == REFUSED:
            cause, remedy = str(context["cause"]), str(context["remedy"])
        case "missing":
            summary = f"{path}: {address} is missing"
            cause = f"[{_address(location[:-1])}] needs it"
            remedy = f"give {address}, or leave out the whole table"
        case "extra_forbidden":
            keys = _sections(_annotation(location[:-1]))[0].model_fields
            summary = f"{path}: {address} is unknown"
            cause = f"there is no such key{did_you_mean(str(location[-1]), keys)}"
            remedy = f"one of {', '.join(keys)}"
        case "literal_error":
            cause = f"{shown(given)} is not among the choices"
            remedy = f"one of {', '.join(map(shown, get_args(_annotation(location))))}"
        case "tuple_type":
            cause = f"{shown(given)} is not a list"
            tables = _sections(_annotation(location))
            remedy = (
                f"a [[{address}]] table for each item" if tables else "a list in square brackets: [ ... ]"
            )
        case _:
            cause = f"{shown(given)} is not a table"
            remedy = f"a table with the keys {', '.join(_sections(_annotation(location))[0].model_fields)}"
    return Diagnostic(summary, address, cause, remedy)


def _address(location: Sequence[int | str]) -> str:
    """A place in the file as an operator writes it: services[1].cpu; a tag with odd letters in quotes."""
    address = ""
    for part in location:
        if isinstance(part, int):
            address += f"[{part}]"
        else:
            key = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else shown(part)
            address += f".{key}" if address else key
    return address


def _annotation(location: Sequence[int | str]) -> object:
    """The type of the value at a place in the file; an item of a list has the list's."""
    annotation: object = Settings
    for part in location:
        if isinstance(part, str):
            annotation = _sections(annotation)[0].model_fields[part].annotation
    return annotation


def _sections(annotation: object) -> list[type[Section]]:
    """The table in a type such as `Domain | None` or `tuple[Service, ...]`, if there is one."""
    parts = (annotation, *get_args(annotation))
    return [each for each in parts if isinstance(each, type) and issubclass(each, Section)]
