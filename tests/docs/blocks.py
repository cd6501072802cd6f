"""Fenced blocks of Markdown pages, and the notes beside them on what can't be run."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"(?P<notes>(?:^[ ]*<!--[^>]*-->\n+)*)"
    r"^(?P<indent>[ ]*)```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^(?P=indent)```[ ]*$",
    re.M | re.S,
)
NOTE = re.compile(r"<!-- not run(?: \((?P<program>[\w-]+)\))?: (?P<reason>[^>]+?) -->")
SNIPPET = re.compile(r'^--8<-- "([^":]+):?(\d*):?"$', re.M)
PROMPT = "$ "


@dataclass(frozen=True)
class Block:
    """A fenced block.

    A comment ``<!-- not run: reason -->`` just above it says that it can't run here, and
    ``<!-- not run (program): reason -->`` that lines of this program can't.
    """

    where: str
    language: str
    body: str
    notes: tuple[tuple[str, str], ...]

    def runs(self, program: str = "") -> bool:
        """Whether the block, or a program's lines in it, can be run."""
        return not any(named in {"", program} for named, _ in self.notes)

    def commands(self) -> list[list[str]]:
        """The words of its commands: lines after a prompt, or all lines of a script."""
        text = self.body.replace("\\\n", " ")
        lines = text.splitlines()
        if self.language == "console":
            lines = [line[len(PROMPT) :] for line in lines if line.startswith(PROMPT)]
        parts = (part for line in lines for part in line.split("&&"))
        return [words for part in parts if (words := shlex.split(part, comments=True))]


def read(page: Path, root: Path) -> str:
    """A page's text, with the files it takes in."""

    def take_in(match: re.Match[str]) -> str:
        lines = (root / match[1]).read_text("utf-8").splitlines(keepends=True)
        return "".join(lines[int(match[2] or 1) - 1 :])

    return SNIPPET.sub(take_in, page.read_text("utf-8"))


def blocks_of(page: Path, root: Path) -> Iterator[Block]:
    """The blocks of a page in their order."""
    text = read(page, root)
    for match in FENCE.finditer(text):
        indent = match["indent"]
        body = re.sub(f"^{indent}", "", match["body"], flags=re.M)
        line = text.count("\n", 0, match.start("indent")) + 1
        notes = tuple((m["program"] or "", m["reason"]) for m in NOTE.finditer(match["notes"]))
        yield Block(f"{page.relative_to(root)}:{line}", match["language"], body, notes)
