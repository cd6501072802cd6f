"""Put the measured figures of docs/measured.toml into the pages that tell them.

    python tools/docs_figures.py            # after the file changed
    python tools/docs_figures.py --check    # as CI does: the status is 1 if a page differs

A page marks a figure with its section and name: ``<!--celeba.kept-->96 %<!---->``. The marks don't
show, neither in the repository nor on the site.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
MEASURED = ROOT / "docs" / "measured.toml"
MARKED = re.compile(r"<!--([a-z_]+)\.([a-z_0-9]+)-->(.*?)<!---->")

Measured = dict[str, dict[str, str]]


def read_measured() -> Measured:
    """The figures by section and name, with their units."""
    measured: Measured = tomllib.loads(MEASURED.read_text(encoding="utf-8"))
    return measured


def fill(markdown: str, measured: Measured) -> str:
    """A page with its figures as they were measured last.

    Raises:
        KeyError: If one is not measured.
    """

    def figure(found: re.Match[str]) -> str:
        section, name, _ = found.groups()
        return f"<!--{section}.{name}-->{measured[section][name]}<!---->"

    return MARKED.sub(figure, markdown)


def main() -> int:
    """Fill the pages, or say which differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check, measured, stale = parser.parse_args().check, read_measured(), False
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (filled := fill(text, measured)) != text:
            stale = True
            print(
                f"{page.relative_to(ROOT)} {'differs from' if check else 'follows'} {MEASURED.name}"
            )
            if not check:
                page.write_text(filled, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
