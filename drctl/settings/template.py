"""The commented drctl.toml that `drctl init` writes, made of the model itself so that the two cannot differ."""

import inspect
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

from drctl.errors import Diagnostic, SettingsError
from drctl.settings.model import Settings
from drctl.settings.place import Domain
from drctl.settings.section import Section

_HEAD = (
    "What drctl builds. Every key is shown with its default and may be left out. A line such as # key = value is a key "
    "without a default, with an example. Everything is checked, and all that is wrong is reported, before the first "
    "call to AWS."
)
_DEMO = "On AWS, put your own domain here: this one is for the simulator, where nobody has to delegate it."


def write(path: Path) -> None:
    """Writes the commented file. Raises SettingsError when it is there already: it is never overwritten."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        remedy = "remove it first, or name another file with --config"
        raise SettingsError(Diagnostic(f"{path} is not written", "", "it exists already", remedy)) from None
    except OSError as error:
        remedy = "name a file in a folder that exists and that you may write to"
        cause = str(error.strerror or error)
        raise SettingsError(Diagnostic(f"{path} cannot be written", "", cause, remedy)) from None


def _lines(section: Section, path: str = "") -> Iterator[str]:
    """The section's own keys, then the tables below it: the order that TOML asks for."""
    below: list[tuple[str, Section]] = []
    for name, field in type(section).model_fields.items():
        value, place = getattr(section, name), f"{path}.{name}" if path else name
        if isinstance(value, Section):
            below.append((f"[{place}]", value))
        elif isinstance(value, tuple) and value and isinstance(value[0], Section):
            below += [(f"[[{place}]]", each) for each in value]
        elif name != "tags":
            yield from _comment(field.description or "")
            example = (field.examples or [None])[0]
            yield (
                f"{name} = {json.dumps(value)}" if value is not None else f"# {name} = {json.dumps(example)}"
            )
    for header, each in below:
        yield ""
        yield from _comment(inspect.getdoc(type(each)) or "")
        if isinstance(each, Domain):
            yield from _comment(_DEMO)
        yield header
        yield from _lines(each, header.strip("[]"))


def _tags() -> Iterator[str]:
    """Tags have no keys of drctl's, so there is only an example to show."""
    field = Settings.model_fields["tags"]
    yield ""
    yield from _comment(field.description or "")
    yield "[tags]"
    for key, value in (field.examples or [{}])[0].items():
        yield f"# {key} = {json.dumps(value)}"


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text[:1].upper() + text[1:], 108):
        yield f"# {line}"


TEMPLATE = "\n".join([*_comment(_HEAD), "", *_lines(Settings.default()), *_tags(), ""])
"""The text of the file: it loads as `Settings.default()`."""
