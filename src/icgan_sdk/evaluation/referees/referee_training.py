"""Training referees on a prepared data set, and keeping them for the next evaluation."""

import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError, ModelNotFoundError
from icgan_sdk.evaluation.progress import Watcher
from icgan_sdk.evaluation.referees.referee_folder import (
    check_referee_replaceable,
    load_referee,
    read_record,
    save_referee,
)
from icgan_sdk.evaluation.referees.referee_network import ARCHITECTURES, Architecture, Referee
from icgan_sdk.evaluation.referees.referee_readings import read_real
from icgan_sdk.evaluation.referees.referee_settings import RefereeSettings, default_settings
from icgan_sdk.evaluation.referees.thresholds import matching_thresholds, read_scores
from icgan_sdk.progress import Progress
from icgan_sdk.training.losses import encoder_y_loss
from icgan_sdk.training.optimisers import MovingAverage, descend, make_adam, set_learning_rate
from icgan_sdk.training.rows import draw_images
from icgan_sdk.training.runtime import Runtime
from icgan_sdk.training.settings import RunConfig


def train_referee(
    dataset: PreparedDataset,
    folder: str | os.PathLike[str],
    architecture: Architecture,
    settings: RefereeSettings | None = None,
    watcher: Progress | None = None,
) -> Referee:
    """Train a referee on the partition `train` and save it.

    "anet" minimises ‖y − scores‖² (equation 4), as the original does. Its thresholds stay 0.
    "residual" minimises the cross-entropy of each attribute, or of the softmax over classes. Then
    `matching_thresholds` sets its thresholds on the partition `validation`, or else `train`.

    Args:
        dataset: All partitions.
        folder: Where the referee is saved. It replaces one that is there already.
        architecture: Which referee.
        settings: By default `default_settings`.
        watcher: Called after each step with the number of pictures seen, and that of all epochs.

    Returns:
        The referee on the device it was trained on, in eval mode, without gradients. On a CPU,
        the same settings and data give the same weights.

    Raises:
        ConfigError: If the settings don't fit the data, or there is no such device.
        DatasetError: If there is no partition `train`.
        SaveError: If the folder holds other files or can't be written.
    """
    settings = settings or default_settings(dataset, architecture)
    check_referee_replaceable(folder)
    runtime = Runtime(
        RunConfig(seed=settings.seed, device=settings.device, precision=settings.precision)
    )
    train = dataset.part("train")
    referee = _untrained(dataset, architecture, settings, runtime)
    average = MovingAverage(referee, settings.ema_decay)
    optimiser = make_adam(referee, settings)
    flip = settings.flip and not dataset.attributes.one_hot
    batches = list(_batches(len(train), architecture, settings))
    for step, rows in enumerate(batches, start=1):
        set_learning_rate(optimiser, settings, step, len(batches))
        draws = _draws(settings, architecture, step)
        x = runtime.images(draw_images(train, rows, flip, settings.shift, draws))
        with runtime.autocast():
            scores = referee(x)
        loss = _loss(referee, scores.float(), train.labels(rows).to(runtime.device))
        descend(loss, referee, optimiser, runtime)
        average.update(referee, step)
        if watcher is not None:
            watcher(step * settings.batch_size, len(batches) * settings.batch_size)
    referee.load_state_dict(average.network.state_dict())
    referee.eval().requires_grad_(False)
    if architecture == "residual" and not dataset.attributes.one_hot:
        judged = (_parts(dataset, "validation") or {"train": train}).popitem()[1]
        scores = read_scores(referee, judged)
        referee.thresholds.copy_(matching_thresholds(scores, judged.all_labels()))
    save_referee(referee, folder, _record(referee, dataset, settings))
    return referee


def ensure_referee(
    dataset: PreparedDataset,
    folder: str | os.PathLike[str],
    architecture: Architecture,
    *,
    device: str = "auto",
    watcher: Progress | None = None,
) -> Referee:
    """Load a referee from its folder. Train it first if the folder has none of these data.

    Args:
        dataset: All partitions.
        folder: The folder of this one referee.
        architecture: Which referee.
        device: Where it trains and works.
        watcher: As for `train_referee`.

    Raises:
        ConfigError: If there is no such device, or the data don't fill a batch.
        DatasetError: If there is no partition `train`.
        ModelFormatError: If the folder's referee is damaged or of a newer format.
        SaveError: If the folder holds other files or can't be written.
    """
    try:
        if read_record(folder).get("data") == dataset.fingerprint():
            referee = load_referee(folder, device)
            if referee.architecture == architecture:
                return referee
    except ModelNotFoundError:
        pass
    settings = replace(default_settings(dataset, architecture), device=device)
    train_referee(dataset, folder, architecture, settings, watcher)
    # Loaded again, so that this evaluation and later ones use the same referee to the last bit.
    return load_referee(folder, device)


def ensure_referees(
    dataset: PreparedDataset, root: Path, device: str, watcher: Watcher
) -> dict[Architecture, Referee]:
    """Load all referees from folders of their names, or train those that are missing.

    Args:
        dataset: All partitions.
        root: Has a folder for each referee.
        device: Where they train and work.
        watcher: Told of the training.

    Raises:
        ConfigError, DatasetError, ModelFormatError, SaveError: As `ensure_referee`.
    """
    return {
        architecture: ensure_referee(
            dataset,
            root / architecture,
            architecture,
            device=device,
            watcher=partial(watcher, f"referee {architecture}"),
        )
        for architecture in ARCHITECTURES
    }


def _untrained(
    dataset: PreparedDataset,
    architecture: Architecture,
    settings: RefereeSettings,
    runtime: Runtime,
) -> Referee:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(_draws(settings, architecture, 0).initial_seed())
        referee = Referee(architecture, dataset.attributes, dataset.image_size, dataset.channels)
    return runtime.place(referee)


def _draws(settings: RefereeSettings, architecture: Architecture, *key: int) -> torch.Generator:
    """The CPU generator of one step (counted from 1), or of one epoch with the key (0, epoch)."""
    entropy = np.random.SeedSequence((settings.seed, ARCHITECTURES.index(architecture), *key))
    return torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> 1))


def _batches(rows: int, architecture: Architecture, settings: RefereeSettings) -> Iterator[Tensor]:
    """Row numbers [batch_size] of each step. Rows that don't fill a batch are left out."""
    whole = rows - rows % settings.batch_size
    if not whole:
        raise ConfigError(
            f"{rows} training images can't fill a batch of {settings.batch_size}: lower batch_size"
        )
    for epoch in range(1, settings.epochs + 1):
        order = torch.randperm(rows, generator=_draws(settings, architecture, 0, epoch))
        yield from order[:whole].view(-1, settings.batch_size).unbind()


def _loss(referee: Referee, scores: Tensor, y: Tensor) -> Tensor:
    if referee.architecture == "anet":
        return encoder_y_loss(scores, y)
    if referee.attributes.one_hot:
        return F.cross_entropy(scores, y.argmax(1))
    return F.binary_cross_entropy_with_logits(scores, (y + 1) / 2)


def _parts(dataset: PreparedDataset, *names: str) -> dict[str, PreparedDataset]:
    parts = {name: dataset.part(name) for name in names if name in dataset.partitions}
    return {name: part for name, part in parts.items() if len(part)}


def _record(
    referee: Referee, dataset: PreparedDataset, settings: RefereeSettings
) -> dict[str, Any]:
    figures = {}
    for name, part in _parts(dataset, "validation", "test").items():
        read = read_real(referee, part)
        figures[name] = {"accuracy": read.mean_accuracy, "f1": read.mean_f1}
        if dataset.attributes.one_hot:
            figures[name]["class_accuracy"] = read.class_accuracy
    return {
        "source": dataset.source,
        "data": dataset.fingerprint(),
        "settings": asdict(settings),
        "figures": figures,
    }
