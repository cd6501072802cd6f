"""Figures in the docs come from one file, which the models' cards agree with."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.scratch import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))
CARD = ROOT / "src" / "icgan_sdk" / "pretrained" / "celeba" / "README.md"


@pytest.fixture(scope="module")
def measured() -> ModuleType:
    pytest.importorskip("mkdocs")
    path = ROOT / "docs" / "hooks" / "measured.py"
    spec = importlib.util.spec_from_file_location("measured", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_figure_that_a_page_names_is_measured(page: Path, measured: ModuleType) -> None:
    assert "{{" not in measured.fill(page.read_text("utf-8"))


def test_every_measured_figure_is_told(measured: ModuleType) -> None:
    told = {
        found.groups()
        for page in PAGES
        for found in measured.NAMED.finditer(page.read_text("utf-8"))
    }
    kept = {(section, name) for section, rows in measured.read_measured().items() for name in rows}
    assert told == kept


def test_what_is_told_of_celeba_stands_in_its_card(measured: ModuleType) -> None:
    card = CARD.read_text("utf-8")
    for figure in measured.read_measured()["celeba"].values():
        assert f"| {figure} " in card or f" / {figure} " in card, figure


def test_a_figure_that_is_not_measured_is_an_error(measured: ModuleType) -> None:
    with pytest.raises(KeyError):
        measured.fill("{{ celeba.beauty }}")
