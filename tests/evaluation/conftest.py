"""Tiny data sets that show their labels, models for them, and referees trained in a second."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset, write_arrays
from icgan_sdk.evaluation.referees.referee_network import ARCHITECTURES, Referee
from icgan_sdk.evaluation.referees.referee_settings import RefereeSettings
from icgan_sdk.evaluation.referees.referee_training import train_referee

PARTS = {"train": 128, "validation": 64, "test": 64}
QUICK = RefereeSettings(
    epochs=6,
    batch_size=16,
    learning_rate=2e-3,
    beta1=0.9,
    schedule="cosine",
    device="cpu",
    precision="float32",
)


def write_faces(folder: Path, config: ModelConfig, seed: int = 0) -> Path:
    """16×16 colour pictures: hair black, blond or neither; a mouth; a blue or brown ground."""
    draws = np.random.default_rng(seed)
    count = sum(PARTS.values())
    hair = draws.integers(0, 3, count)
    labels = np.stack(
        [draws.random(count) < 0.4, draws.random(count) < 0.3, hair == 0, hair == 1], axis=1
    ).astype(np.uint8)
    images = draws.integers(0, 40, (count, 16, 16, 3), np.uint8)
    for image, (male, smiling, black, blond) in zip(images, labels, strict=True):
        image[..., 2 if male else 0] += np.uint8(120)
        image[11:14, 4:12] += np.uint8(90 if smiling else 0)
        image[:4] = (10, 10, 10) if black else (230, 220, 60) if blond else (120, 120, 120)
    write_arrays(folder, images, labels, config.attributes, PARTS, source="faces")
    return folder


def write_digits(folder: Path, config: ModelConfig, seed: int = 0) -> Path:
    """12×12 grey pictures, padded to 16×16: a bar at the top, in the middle or at the bottom."""
    draws = np.random.default_rng(seed)
    count = sum(PARTS.values())
    classes = draws.integers(0, 3, count)
    images = draws.integers(0, 40, (count, 12, 12, 1), np.uint8)
    for image, digit in zip(images, classes, strict=True):
        image[4 * digit : 4 * digit + 3, 2:10] += np.uint8(180)
    labels = np.eye(3, dtype=np.uint8)[classes]
    write_arrays(folder, images, labels, config.attributes, PARTS, padding=2, source="digits")
    return folder


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory, tiny_config: ModelConfig) -> PreparedDataset:
    """The images and attributes of `tiny_config`."""
    folder = tmp_path_factory.mktemp("data") / "faces"
    return PreparedDataset.open(write_faces(folder, tiny_config))


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory, digits_config: ModelConfig) -> PreparedDataset:
    """The images and classes of `digits_config`."""
    folder = tmp_path_factory.mktemp("data") / "digits"
    return PreparedDataset.open(write_digits(folder, digits_config))


@pytest.fixture(scope="session")
def tiny_referee(faces: PreparedDataset, tmp_path_factory: pytest.TempPathFactory) -> Referee:
    """A residual referee of `faces`."""
    return train_referee(faces, tmp_path_factory.mktemp("faces") / "referee", "residual", QUICK)


@pytest.fixture(scope="session")
def digits_referee(digits: PreparedDataset, tmp_path_factory: pytest.TempPathFactory) -> Referee:
    """A residual referee of `digits`."""
    return train_referee(digits, tmp_path_factory.mktemp("digits") / "referee", "residual", QUICK)


@pytest.fixture(scope="session")
def quick_judges(
    faces: PreparedDataset, digits: PreparedDataset, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folders ``faces`` and ``digits``, each with both referees, trained for one epoch."""
    root = tmp_path_factory.mktemp("judges")
    for dataset in (faces, digits):
        for name in ARCHITECTURES:
            folder = root / dataset.folder.name / name
            train_referee(dataset, folder, name, replace(QUICK, epochs=1))
    return root
