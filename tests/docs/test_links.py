"""Links of the README; those of the site are checked by ``mkdocs build --strict``."""

import re

from tests.docs.scratch import ROOT

README = (ROOT / "README.md").read_text("utf-8")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.M)


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site both make them."""
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in HEADING.findall(text))
    return {re.sub(r"\s+", "-", heading.strip()) for heading in plain}


def test_readme_links_lead_somewhere() -> None:
    links = [link for link in LINK.findall(README) if not link.startswith("https://")]
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        target = ROOT / (path or "README.md")
        assert target.exists(), f"README.md links to {link}, which is not there"
        assert not anchor or anchor in anchors(target.read_text("utf-8")), link
