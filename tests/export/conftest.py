"""Exports of tiny models, each written once."""

from pathlib import Path

import pytest

from icgan_sdk.artefacts.store import save_artefact
from icgan_sdk.config import ModelConfig
from icgan_sdk.export import export_onnx
from tests.conftest import tiny_networks

CARD = "# Tiny\n"


def save_tiny(config: ModelConfig, folder: Path) -> Path:
    save_artefact(tiny_networks(config), folder, card=CARD)
    return folder


@pytest.fixture(scope="session")
def tiny_artefact(tiny_config: ModelConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tiny_config, tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def exported(tiny_artefact: Path) -> Path:
    """The ONNX export of the colour model; tests that change it take a copy."""
    export_onnx(tiny_artefact, tiny_artefact.with_name("tiny-onnx"))
    return tiny_artefact.with_name("tiny-onnx")
