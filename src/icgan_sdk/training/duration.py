"""How long a run will take on this machine, measured on a few of its own steps."""

import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from icgan_sdk.data import PreparedDataset, write_arrays
from icgan_sdk.errors import DataWarning
from icgan_sdk.training.logging import Progress
from icgan_sdk.training.pipeline import train
from icgan_sdk.training.settings import OptimiserConfig
from icgan_sdk.training.train_config import TrainConfig

WARMUP, TIMED = 2, 8
"""Steps of each stage that are not timed, as memory is laid out in them, and that are."""


def estimate_seconds(config: TrainConfig) -> dict[str, float]:
    """Seconds that each stage will take, from a few real steps of each in a temporary folder.

    Sample sheets and checkpoints come on top: some percent.

    Args:
        config: Of the run; every stage that trains a network trains one here.

    Returns:
        By stage, in the order of the run.

    Raises:
        ConfigError, DatasetError, ResourceError: As `train`.
    """
    dataset = PreparedDataset.open(config.data)
    rows = len(dataset.part("train"))
    sections = _sections(config)
    clock = _Clock()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the run itself will say it
        largest = max(section.batch_size for section in sections.values())
        data = _some_of(dataset, (WARMUP + TIMED) * largest, Path(folder) / "data")
        short: dict[str, Any] = {n: replace(s, epochs=1) for n, s in sections.items()}
        optional = {name: short.pop(name) for name in config.optional}
        small = replace(
            config,
            data=str(data),
            **short,
            optional=optional,
            generated=replace(config.generated, images=WARMUP + TIMED),
        )
        train(small, Path(folder) / "run", watcher=clock)
    return {
        name: each * sections[name].epochs * (rows // sections[name].batch_size)
        for name, each in clock.seconds_per_step().items()
        if name in sections
    }


def _sections(config: TrainConfig) -> dict[str, OptimiserConfig]:
    fixed: dict[str, OptimiserConfig] = {
        "gan": config.gan,
        "encoder_z": config.encoder_z,
        "encoder_y": config.encoder_y,
    }
    return fixed | dict(config.optional)


def _some_of(dataset: PreparedDataset, count: int, folder: Path) -> Path:
    """A prepared data set with so many training pictures, taken evenly; of few, some repeat."""
    train_part = dataset.part("train")
    rows = np.linspace(0, len(train_part) - 1, count).astype(np.int64)
    pixels, presence = train_part.arrays(rows)
    write_arrays(
        folder,
        pixels,
        presence,
        dataset.attributes,
        {"train": count},
        padding=dataset.padding,
        crop=dataset.crop,
    )
    return folder


class _Clock:
    """Notes when each step ended."""

    def __init__(self) -> None:
        self._ends: dict[str, list[float]] = {}

    def __call__(self, progress: Progress) -> None:
        self._ends.setdefault(progress.stage, []).append(time.perf_counter())

    def seconds_per_step(self) -> dict[str, float]:
        """Of each stage: the median time between the ends of steps, without the first ones."""
        timed = {n: np.diff(ends[min(WARMUP, len(ends) - 1) :]) for n, ends in self._ends.items()}
        return {name: float(np.median(gaps)) for name, gaps in timed.items() if len(gaps)}
