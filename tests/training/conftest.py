"""A tiny data set and a tiny run that takes a second."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.data import write_arrays
from icgan_sdk.training.logging import Progress
from icgan_sdk.training.train_config import TrainConfig

ATTRIBUTES = AttributeSet(("bright", "left", "right"), {"side": ("left", "right")})
SECTIONS = {
    "model": {
        "z_dim": 3,
        "generator_width": 4,
        "discriminator_width": 4,
        "encoder_width": 2,
        "encoder_y_fc": 8,
    },
    "gan": {"epochs": 2, "batch_size": 8, "ema_decay": 0.9},
    "images": {"shift": 1},
    "generated": {"images": 20},
    "encoder_z": {"epochs": 2, "batch_size": 8},
    "encoder_y": {"epochs": 2, "batch_size": 8},
    "run": {"device": "cpu", "precision": "float32", "log_every": 2, "checkpoint_every": 2},
}


def write_bars(
    folder: Path, attributes: AttributeSet = ATTRIBUTES, seed: int = 0, side: int = 8
) -> Path:
    """48 training and 16 test pictures, grey: a bar at the left or right, bright or dim."""
    draws = np.random.default_rng(seed)
    labels = np.zeros((64, len(attributes)), np.uint8)
    images = draws.integers(0, 40, (64, 8, 8, 1), np.uint8)
    for image, label in zip(images, labels, strict=True):
        bright, right = draws.integers(0, 2, 2)
        image[:, slice(5, 7) if right else slice(1, 3)] += np.uint8(200 if bright else 90)
        if len(attributes):
            label[:] = bright, not right, right
    images = images.repeat(side // 8, 1).repeat(side // 8, 2)
    write_arrays(folder, images, labels, attributes, {"train": 48, "test": 16}, source="bars")
    return folder


class KilledError(Exception):
    """What `killed_at` raises."""


def killed_at(stage: str, step: int) -> Callable[[Progress], None]:
    """A watcher that cuts a run off at one step of a stage."""

    def watch(progress: Progress) -> None:
        if (progress.stage, progress.step) == (stage, step):
            raise KilledError

    return watch


@pytest.fixture(scope="session")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bars(tmp_path_factory.mktemp("data") / "bars")


@pytest.fixture
def config(bars: Path) -> TrainConfig:
    return TrainConfig.from_dict({"data": str(bars), **SECTIONS})
