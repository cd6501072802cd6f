"""Markdown: tables, numbers and sections of a report."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeGuard

NONE = "–"
"""Stands where there is no figure."""


class Line(NamedTuple):
    """A line of the summary: what is measured, the model's value, what to compare it with."""

    figure: str
    value: str
    compare: str


class Section(NamedTuple):
    """A part of a report: its heading, and paragraphs, tables and images below it."""

    heading: str
    blocks: Sequence[str]


def document(title: str, introduction: str, sections: Iterable[Section]) -> str:
    """A page of sections. Neighbours with the same heading become one section."""
    blocks, heading = [f"# {title}", introduction], ""
    for section in sections:
        if section.heading != heading:
            heading = section.heading
            blocks.append(f"## {heading}")
        blocks += section.blocks
    return "\n\n".join(blocks) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table. Columns without a figure are left out; columns of numbers are aligned right."""
    there = [
        (title, *cells)
        for title, *cells in zip(head, *rows, strict=True)
        if not cells or any(cell != NONE for cell in cells)
    ]
    marks = ["---:" if all(_is_number(c) for c in cells) else "---" for _, *cells in there]
    title, *lines = zip(*there, strict=True)
    return "\n".join(f"| {' | '.join(line)} |" for line in (title, marks, *lines))


def image(name: str, files: Mapping[str, str]) -> str:
    """The image of a name, from its file relative to the report; nothing before it is drawn."""
    return f"![{name}]({files[name]})" if name in files else ""


def code(text: str) -> str:
    """A name, shown as it is written; in tables too."""
    # Models of older releases may have names with line ends in them.
    shown = " ".join(text.splitlines()).replace("|", "\\|")
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def percent(share: float | None) -> str:
    """A share in 0…1 as "12.34 %"."""
    return f"{100 * share:.2f} %" if _is_there(share) else NONE


def share_cell(share: float | None) -> str:
    """A share in 0…1 as "12.34", for columns whose title says that they are in %."""
    return f"{100 * share:.2f}" if _is_there(share) else NONE


def number(value: float | None) -> str:
    """A number with four significant digits."""
    return f"{value:.4g}" if _is_there(value) else NONE


def _is_number(cell: str) -> bool:
    return cell == NONE or cell.removeprefix("-")[0].isdigit()


def _is_there(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)
