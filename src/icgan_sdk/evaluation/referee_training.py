"""Training referees on a prepared data set, and keeping them for the next judgement."""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from icgan_sdk.data import PreparedDataset, Progress
from icgan_sdk.errors import ConfigError, ModelNotFoundError, raise_all
from icgan_sdk.evaluation.confusion import read_real
from icgan_sdk.evaluation.referee import (
    ARCHITECTURES,
    Architecture,
    Referee,
    check_replaceable,
    load_referee,
    read_record,
    save_referee,
)
from icgan_sdk.ranges import Range, list_problems
from icgan_sdk.training.losses import encoder_y_loss
from icgan_sdk.training.optimisers import MovingAverage, descend, make_adam, set_learning_rate
from icgan_sdk.training.rows import chunks, draw_images
from icgan_sdk.training.runtime import Runtime
from icgan_sdk.training.settings import OptimiserConfig, Precision, RunConfig


@dataclass(frozen=True)
class RefereeSettings(OptimiserConfig):
    """How a referee is trained; the defaults are those of the original's attribute net.

    (Its script also takes 66 % of all images for training, where here the data set has partitions.)

    Attributes:
        flip: Mirror half of the images; never done to classes such as digits.
        shift: Move images by up to this many pixels.
        ema_decay: Decay of the moving average of the weights, which then is the referee; 0: none.
        seed: Everything random follows from it.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        precision: "bfloat16" mixed precision, "float32", or "auto": bfloat16 where the hardware
            computes in it.

    Raises:
        ConfigError: If values are out of range; the message lists all problems.
    """

    epochs: Annotated[int, Range(1)] = 15
    batch_size: Annotated[int, Range(1)] = 128
    learning_rate: Annotated[float, Range(0)] = 1e-4
    beta1: Annotated[float, Range(0, below=1)] = 0.1
    flip: bool = False
    shift: Annotated[int, Range(0)] = 0
    ema_decay: Annotated[float, Range(0, below=1)] = 0.0
    seed: Annotated[int, Range(0)] = 0
    device: str = "auto"
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        raise_all(list_problems(self), "referee settings")


def default_settings(dataset: PreparedDataset, architecture: Architecture) -> RefereeSettings:
    """Settings that suit a data set: faces want more epochs than digits, few images small batches.

    On 32,611 training faces of CelebA the original's own settings give an Anet of 89.4 % mean
    accuracy and 0.59 mean F1 on test faces, these 92.5 % and 0.68 (the paper, on 162,770:
    92.8 % and 0.71).

    Raises:
        DatasetError: If there is no partition `train`.
    """
    return RefereeSettings(
        batch_size=min(RefereeSettings.batch_size, len(dataset.part("train"))),
        epochs=3 if dataset.attributes.one_hot else 10,
        learning_rate=1e-3 if architecture == "anet" else 2e-3,
        beta1=0.9,
        schedule="cosine",
        flip=True,
        shift=dataset.image_size // 16,
        ema_decay=0.99,
    )


def train_referee(
    dataset: PreparedDataset,
    folder: str | os.PathLike[str],
    architecture: Architecture,
    settings: RefereeSettings | None = None,
    watcher: Progress | None = None,
) -> Referee:
    """Train a referee on the partition `train` and save it.

    "anet" learns ‖y − scores‖² (equation 4) as the original, and its thresholds stay 0.
    "residual" learns the cross-entropy of each attribute, of classes that of their softmax; then
    `matching_thresholds` sets its thresholds on the partition `validation`, or else `train`.

    Args:
        dataset: All partitions.
        folder: Where the referee is saved; one that is there already is replaced.
        architecture: Which referee.
        settings: By default `default_settings`.
        watcher: Told after each step how many pictures were seen, of how many in all epochs.

    Returns:
        The referee on the device it was trained on, in eval mode, without gradients. On a CPU the
        same settings and data give the same weights.

    Raises:
        ConfigError: If the settings don't fit the data, or there is no such device.
        DatasetError: If there is no partition `train`.
        SaveError: If the folder holds other files or can't be written.
    """
    settings = settings or default_settings(dataset, architecture)
    check_replaceable(folder)
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
    """Load the referee a folder holds, or train it there if there is none made from these data.

    Args:
        dataset: All partitions.
        folder: Of this one referee.
        architecture: Which referee.
        device: Where it is to work.
        watcher: Told of the training, as by `train_referee`.

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
    # As every later judgement will find it, to the last bit.
    return load_referee(folder, device)


def matching_thresholds(scores: Tensor, y: Tensor) -> Tensor:
    """Thresholds that find each attribute as often as the labels have it.

    A threshold lies midway between the lowest score that counts as present and the highest that
    doesn't; equal scores are not told apart, and rather count as absent.

    Args:
        scores: [N, n_y] of images.
        y: Their labels [N, n_y], −1 or 1.

    Returns:
        [n_y].
    """
    ranked = scores.sort(dim=0, descending=True).values
    # Beyond the others, for attributes that all images have, or none.
    ranked = torch.cat([ranked[:1] + 1, ranked, ranked[-1:] - 1])
    positives = (y > 0).sum(0, keepdim=True)
    lowest_present, highest_absent = ranked.gather(0, positives), ranked.gather(0, positives + 1)
    midway = (lowest_present + highest_absent) / 2
    # Between neighbouring numbers there is no middle.
    return torch.where(midway < lowest_present, midway, highest_absent)[0]


@torch.no_grad()
def read_scores(referee: Referee, dataset: PreparedDataset) -> Tensor:
    """A referee's scores of all images of a partition: [N, n_y], CPU."""
    parts = chunks(len(dataset), dataset.image_size)
    return torch.cat([referee(dataset.images(at).to(referee.device)).cpu() for at in parts])


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
    """The CPU generator of one step (from 1) or, with a second number, one epoch."""
    entropy = np.random.SeedSequence((settings.seed, ARCHITECTURES.index(architecture), *key))
    return torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> 1))


def _batches(rows: int, architecture: Architecture, settings: RefereeSettings) -> Iterator[Tensor]:
    """Row numbers [batch_size] of each step; rows that don't fill a batch are left out."""
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
