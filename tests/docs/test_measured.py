"""Figures in the docs come from one file, which the models' cards agree with."""

import importlib.util
import subprocess
import sys
from types import ModuleType

import pytest

from tests.docs.scratch import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))
CARD = ROOT / "src" / "icgan_sdk" / "pretrained" / "celeba" / "README.md"
TOOL = ROOT / "tools" / "docs_figures.py"


@pytest.fixture(scope="module")
def docs_figures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_figures", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_tell_what_was_measured() -> None:
    command = [sys.executable, str(TOOL), "--check"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_measured_figure_is_told(docs_figures: ModuleType) -> None:
    told = {
        found.groups()[:2]
        for page in PAGES
        for found in docs_figures.MARKED.finditer(page.read_text("utf-8"))
    }
    measured = docs_figures.read_measured()
    assert told == {(section, name) for section, rows in measured.items() for name in rows}


def test_what_is_told_of_celeba_stands_in_its_card(docs_figures: ModuleType) -> None:
    card = CARD.read_text("utf-8")
    for figure in docs_figures.read_measured()["celeba"].values():
        assert f"| {figure} " in card or f" / {figure} " in card, figure


def test_pages_are_filled(docs_figures: ModuleType) -> None:
    measured = {"celeba": {"kept": "96 %"}}
    page = "It keeps <!--celeba.kept-->9 %<!----> and <!--celeba.kept--><!---->."
    filled = "It keeps <!--celeba.kept-->96 %<!----> and <!--celeba.kept-->96 %<!---->."
    assert docs_figures.fill(page, measured) == filled
    assert docs_figures.fill(filled, measured) == filled
    with pytest.raises(KeyError):
        docs_figures.fill("<!--celeba.beauty-->1<!---->", measured)
