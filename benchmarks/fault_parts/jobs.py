"""Work that writes files, for the parts that kill it or let its writes fail."""

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from icgan_sdk import train
from icgan_sdk.artefacts.layout import weights_digest
from icgan_sdk.artefacts.store import load_artefact, save_artefact
from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset, prepare_folder
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.pictures.saving import save_picture

RUN = {
    "model": {"z_dim": 3, "generator_width": 4, "discriminator_width": 4, "encoder_width": 2,
              "encoder_y_fc": 8},
    "gan": {"epochs": 3, "batch_size": 8, "ema_decay": 0.9},
    "generated": {"images": 20},
    "encoder_z": {"epochs": 2, "batch_size": 8},
    "encoder_y": {"epochs": 2, "batch_size": 8},
    "run": {"device": "cpu", "precision": "float32", "log_every": 2, "checkpoint_every": 4},
}  # fmt: skip


class Job(ABC):
    """Work that can be begun again after it was cut off."""

    name: str

    def prepare(self, folder: Path) -> Path:
        """Make what the work needs, in a new folder."""
        folder.mkdir()
        return folder

    @abstractmethod
    def work(self, prepared: Path, target: Path) -> None:
        """Do it, or go on with it."""

    @abstractmethod
    def check(self, target: Path) -> None:
        """Raise unless what is there after a kill is whole."""

    @abstractmethod
    def compare(self, whole: Path, target: Path) -> None:
        """Raise unless both are the same."""


def same(whole: Path, target: Path, names: list[str]) -> None:
    """Raise unless these files are equal in both folders."""
    for name in names:
        if (whole / name).read_bytes() != (target / name).read_bytes():
            raise AssertionError(f"{name} differs")


def same_weights(whole: Path, target: Path) -> None:
    """Raise unless both models have the same weights."""
    if weights_digest(whole) != weights_digest(target):
        raise AssertionError("weights differ")


class Train(Job):
    """A training of all stages."""

    name = "train"

    def prepare(self, folder: Path) -> Path:
        """Pictures of two classes."""
        pictures(folder / "pictures")
        prepare_folder(folder / "pictures", folder / "data", image_size=8, channels=1)
        return folder

    def work(self, prepared: Path, target: Path) -> None:
        """Begin, or go on from the last checkpoint."""
        config = train.TrainConfig.from_dict({"data": str(prepared / "data"), **RUN})
        train.run(config, target, mode="resume" if (target / "config.toml").exists() else "new")

    def check(self, target: Path) -> None:
        """Whatever checkpoints there are can be read."""
        for path in (target / "checkpoints").glob("[!.]*.pt"):
            torch.load(path, weights_only=True)

    def compare(self, whole: Path, target: Path) -> None:
        """Bit for bit the same weights."""
        same(whole / "artefact", target / "artefact", ["config.json"])
        same_weights(whole / "artefact", target / "artefact")


class Prepare(Job):
    """The preparation of a data set."""

    name = "prepare"

    def prepare(self, folder: Path) -> Path:
        """Pictures of two classes."""
        pictures(folder / "pictures")
        return folder

    def work(self, prepared: Path, target: Path) -> None:
        """Write it, in place of an earlier one."""
        prepare_folder(prepared / "pictures", target, image_size=8, overwrite=True)

    def check(self, target: Path) -> None:
        """There is none, or all of it."""
        if target.exists():
            data = PreparedDataset.open(target)
            data.images(torch.arange(len(data)))

    def compare(self, whole: Path, target: Path) -> None:
        """The same files."""
        same(whole, target, sorted(path.name for path in whole.iterdir() if path.is_file()))


class Save(Job):
    """Saving a model over another one."""

    name = "save"

    def work(self, prepared: Path, target: Path) -> None:
        """Save it several times, so that the folder is replaced."""
        torch.manual_seed(0)
        config = ModelConfig(16, z_dim=6, generator_width=8, encoder_width=4, encoder_layers=3)
        networks = IcGANNetworks(config)
        for _ in range(3):
            save_artefact(networks, target, card="# Saved")

    def check(self, target: Path) -> None:
        """There is none, or all of it."""
        if target.exists():
            load_artefact(target)

    def compare(self, whole: Path, target: Path) -> None:
        """The same files."""
        same(whole, target, ["config.json", "README.md"])
        same_weights(whole, target)


class Pictures(Job):
    """Pictures written over others."""

    name = "pictures"

    def work(self, prepared: Path, target: Path) -> None:
        """Write a picture in several formats."""
        pixels = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
        for suffix in ("png", "jpg", "webp", "gif"):
            save_picture(Image.fromarray(pixels), target / f"picture.{suffix}")

    def check(self, target: Path) -> None:
        """What has a picture's name is one."""
        for path in target.glob("picture.*"):
            with Image.open(path) as picture:
                picture.load()

    def compare(self, whole: Path, target: Path) -> None:
        """The same files."""
        same(whole, target, sorted(path.name for path in whole.iterdir()))


JOBS: tuple[Job, ...] = (Train(), Prepare(), Save(), Pictures())


def pictures(folder: Path) -> None:
    """Forty pictures in two folders of classes."""
    draws = np.random.default_rng(0)
    for number in range(40):
        path = folder / ("dark", "light")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = draws.integers(0, 100, (8, 8, 3), dtype=np.uint8) + np.uint8(120 * (number % 2))
        Image.fromarray(pixels).save(path)
