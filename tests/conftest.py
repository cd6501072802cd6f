"""Fixtures that several test folders use."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from icgan_sdk import IcGAN
from icgan_sdk.artefacts.layout import CONFIG_FILE, WEIGHTS_FILE
from icgan_sdk.artefacts.store import save_artefact
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.photo import Align, FaceOrAll, find_subject
from icgan_sdk.pictures.opening import listed

TOGETHER = {
    "demo": "demo",
    "editing": "export",
    "engines": "export",
    "evaluation": "evaluation",
    "export": "export",
    "photo": "photo",
}
"""Folders whose tests share what is long to make, and so a process: to the process's name."""

CARD = "# Tiny\n"


class ByFolder(LoadScopeScheduling):  # type: ignore[misc]  # it carries no types
    """Gives single tests to whichever process is free, but the folders named above as a whole."""

    def _split_scope(self, nodeid: str) -> str:
        folders = Path(nodeid.partition("::")[0]).parts
        return next((TOGETHER[folder] for folder in folders if folder in TOGETHER), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFolder:
    return ByFolder(config, log)


def as_input(
    images: Any, config: ModelConfig, align: Align = "none", face: FaceOrAll = "largest"
) -> tuple[Tensor, bool]:
    """What of pictures goes into the networks, [B, C, P, P], and whether one single was given."""
    pictures, single = listed(images)
    placed = [find_subject(picture, config, align, face).pixels[0] for picture in pictures]
    return torch.from_numpy(np.stack(placed)), single


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """On tiny networks, threads wait for each other longer than they compute."""
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that tests start


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and recorded outputs, where there is one."""
    path = Path(os.environ.get("ICGAN_SHARED", Path(__file__).parents[2] / "shared"))
    if not path.is_dir():
        pytest.skip("needs the shared data: set ICGAN_SHARED to its folder")
    return path


def tiny_networks(config: ModelConfig) -> IcGANNetworks:
    """Real networks, randomly initialised, whose pictures have contrast and follow z and y."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = IcGANNetworks(config)
        for parameter in networks.generator.parameters():
            parameter.data.mul_(2.5)
    return networks.eval()


def save_tiny(config: ModelConfig, folder: Path) -> Path:
    save_artefact(tiny_networks(config), folder, card=CARD)
    return folder


def to_single_file(folder: Path) -> Path:
    """Let a model's weights lie in one file, as older releases wrote them."""
    weights: dict[str, Tensor] = {}
    for path in folder.glob("*.safetensors"):
        weights |= load_file(path)
        path.unlink()
    save_file(weights, folder / WEIGHTS_FILE)
    config = json.loads((folder / CONFIG_FILE).read_text())
    del config["networks"]
    (folder / CONFIG_FILE).write_text(json.dumps({**config, "format_version": 1}))
    return folder


@pytest.fixture(scope="session")
def tiny_config() -> ModelConfig:
    return ModelConfig(
        image_size=16,
        attributes=AttributeSet(
            ("Male", "Smiling", "Black_Hair", "Blond_Hair"),
            {"hair_color": ("Black_Hair", "Blond_Hair")},
        ),
        z_dim=6,
        generator_width=4,
        encoder_width=2,
        encoder_layers=3,
        encoder_z_fc=8,
        encoder_y_fc=8,
    )


@pytest.fixture(scope="session")
def digits_config() -> ModelConfig:
    """A small relative of the MNIST model: grey, padded, one-hot."""
    return ModelConfig(
        image_size=16,
        channels=1,
        padding=2,
        attributes=AttributeSet.classes("digit", "012"),
        z_dim=4,
        generator_width=4,
        encoder_width=2,
        encoder_layers=2,
        encoder_z_fc=8,
        encoder_y_fc=8,
    )


@pytest.fixture
def tiny_model(tiny_config: ModelConfig) -> IcGAN:
    return IcGAN(tiny_networks(tiny_config), device="cpu")


@pytest.fixture
def digits_model(digits_config: ModelConfig) -> IcGAN:
    return IcGAN(tiny_networks(digits_config), device="cpu")


@pytest.fixture
def tiny_folder(tiny_config: ModelConfig, tmp_path: Path) -> Path:
    return save_tiny(tiny_config, tmp_path / "tiny")


@pytest.fixture(scope="session")
def tiny_artefact(tiny_config: ModelConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `tiny_folder`, for all tests."""
    return save_tiny(tiny_config, tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def exported(tiny_artefact: Path) -> Path:
    """The ONNX export of the colour model; tests that change it take a copy."""
    from icgan_sdk.export import export_onnx

    export_onnx(tiny_artefact, tiny_artefact.with_name("tiny-onnx"))
    return tiny_artefact.with_name("tiny-onnx")


@pytest.fixture
def picture() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((50, 60), Image.Resampling.BICUBIC)
