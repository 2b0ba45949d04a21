"""docs/reliability.md: what a real run writes into it, between its marks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


def write(section: str, lines: Iterable[str], page: Path = PAGE) -> None:
    """Put lines in place of what stands between the marks of a section, or at the end where it has none yet."""
    opening, closing = f"<!-- {section}: written by the run itself -->", f"<!-- end of {section} -->"
    body = "\n".join([opening, *lines, closing])
    text = page.read_text(encoding="utf-8")
    before, found, rest = text.partition(opening)
    kept, after = (before, rest.partition(closing)[2]) if found else (before.rstrip() + "\n\n", "\n")
    page.write_text(kept + body + after, encoding="utf-8")


def rows(header: Iterable[str], lines: Iterable[Iterable[str]]) -> list[str]:
    """A Markdown table."""
    names = list(header)
    return [_row(names), _row("---" for _ in names), *(_row(each) for each in lines)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
