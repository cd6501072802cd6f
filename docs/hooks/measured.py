"""MkDocs hook: pages name figures, like ``{{ celeba.same_person }}``, and one file has them all."""

import re
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page

MEASURED = Path(__file__).parent / "measured.toml"
NAMED = re.compile(r"\{\{ ([a-z_]+)\.([a-z_0-9]+) \}\}")


def read_measured() -> dict[str, dict[str, str]]:
    """The figures by section and name, with their units."""
    sections: dict[str, dict[str, str]] = tomllib.loads(MEASURED.read_text(encoding="utf-8"))
    return sections


def fill(markdown: str) -> str:
    """Text with its figures.

    Raises:
        KeyError: If one is not measured.
    """
    measured = read_measured()
    return NAMED.sub(lambda found: measured[found[1]][found[2]], markdown)


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Fill a page."""
    try:
        return fill(markdown)
    except KeyError as error:
        raise PluginError(f"{page.file.src_uri}: no figure {error} in {MEASURED.name}") from error
