"""MkDocs hook: the command line's reference, written from the application itself."""

import os
import subprocess
import sys

from mkdocs.structure.pages import Page

PAGE, PLACE = "cli-reference.md", "<!-- commands -->"


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Put what ``typer … utils docs`` prints where the page has the mark."""
    if page.file.src_uri != PAGE:
        return markdown
    command = [sys.executable, "-m", "typer", "icgan_sdk.cli.main", "utils", "docs"]
    done = subprocess.run(
        [*command, "--name", "icgan"],
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8", "COLUMNS": "120"},
    )
    # The page has a title of its own.
    return markdown.replace(PLACE, done.stdout.partition("\n")[2])
