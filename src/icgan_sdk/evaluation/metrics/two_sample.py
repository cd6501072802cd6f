"""A classifier that learns to tell a model's pictures from real ones, and how well it does."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.pictures.arrays import pixels_to_tensor

Pixels = npt.NDArray[np.uint8]
"""Pictures [N, H, W, C], as files hold them."""

LEARNING = 1024
"""The most pictures of each kind that the classifier learns from. More of them would let it find
more, so figures compare best where this many were to be had."""

LEARNING_SHARE = 0.7
"""Of fewer pictures, the share that it learns from; the others are held out."""

PIXELS = 2**26
"""Pixels of all real pictures of a test: 4096 pictures of 128×128. It bounds time and memory."""

MOST = 4096
"""The most pictures of a partition that a test uses, whatever their size."""

EPOCHS, BATCH, LEARNING_RATE = 8, 64, 1e-3

FEWEST_STEPS = 60
"""Of few pictures, each is shown more often, until the classifier has learnt for so many steps."""

FEWEST = 8
"""An AUC from fewer pictures of a kind says nothing, and is left out."""


@dataclass(frozen=True)
class Apart:
    """How well pictures of a model are told from real ones that the classifier has not seen.

    Attributes:
        auc: Probability that the classifier finds a picture of the model less real than a real
            one: the area under its ROC curve. 0.5: it can't tell; 1: it always can.
        error: Standard error of `auc` from the number of held-out pictures (Hanley and McNeil
            1982, "The meaning and use of the area under a receiver operating characteristic (ROC)
            curve"). It leaves out that another classifier would have learnt something else.
        pictures: Held-out pictures of the model.
        real: Held-out real pictures.
    """

    auc: float
    error: float
    pictures: int
    real: int


class Roles(NamedTuple):
    """Rows of a partition by what they are used for, each row in one role.

    Attributes:
        model: The model makes something of these pictures, and the classifier learns from it.
        real: The classifier learns from these as they are.
        model_held: As `model`, held out.
        real_held: As `real`, held out.
    """

    model: Tensor
    real: Tensor
    model_held: Tensor
    real_held: Tensor


def draw_roles(rows: int, side: int, generator: torch.Generator) -> Roles:
    """Divide the first rows of a partition, as many as the bounds allow, among the roles.

    Args:
        rows: Pictures there are.
        side: Theirs.
        generator: On the CPU.
    """
    half = min(rows, MOST, max(PIXELS // side**2, 4)) // 2
    order = torch.randperm(2 * half, generator=generator)
    learning = min(LEARNING, round(LEARNING_SHARE * half))
    sizes = [learning, learning, half - learning, half - learning]
    return Roles(*torch.split(order, sizes))


class Classifier(nn.Module):
    """A small convolutional network: the likelihood that pictures are the model's.

    Args:
        channels: Of the pictures.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in (32, 64, 96, 128):
            layers += [
                nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.LeakyReLU(0.2),
            ]
            channels = width
        self.layers = nn.Sequential(
            *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits [B] of pictures [B, C, H, W] in [-1, 1]."""
        logits: Tensor = self.layers(x)[:, 0]
        return logits


def train_classifier(
    made: Pixels,
    real: Pixels,
    generator: torch.Generator,
    device: torch.device,
    *,
    flip: bool = True,
) -> Classifier:
    """Train a fresh classifier to tell pictures of a model from real ones.

    This is the first half of a classifier two-sample test (Lopez-Paz and Oquab 2017, "Revisiting
    Classifier Two-Sample Tests", arXiv 1610.06545).

    Args:
        made: Of the model.
        real: As many real ones.
        generator: For weights, order and flips; on the CPU.
        device: Where to train.
        flip: Whether to show mirrored pictures too.

    Returns:
        The classifier in eval mode.
    """
    with torch.inference_mode(False), torch.enable_grad():
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(_seed(generator))
            classifier = Classifier(made.shape[-1]).to(device).train()
        classifier = classifier.to(memory_format=torch.channels_last)  # twice as fast on a CPU
        optimiser = torch.optim.Adam(classifier.parameters(), LEARNING_RATE)
        batches = math.ceil(2 * len(made) / BATCH)
        epochs = max(EPOCHS, math.ceil(FEWEST_STEPS / batches))
        schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, epochs * batches)
        for _ in range(epochs):
            orders = [torch.randperm(len(made), generator=generator) for _ in range(2)]
            for rows in zip(*(torch.tensor_split(order, batches) for order in orders), strict=True):
                parts = [pixels[at.numpy()] for pixels, at in zip((made, real), rows, strict=True)]
                x = pixels_to_tensor(np.concatenate(parts))
                if flip:
                    mirrored = torch.rand(len(x), generator=generator) < 0.5
                    x = torch.where(mirrored[:, None, None, None], x.flip(-1), x)
                target = torch.cat([torch.ones(len(rows[0])), torch.zeros(len(rows[1]))])
                scores = classifier(x.to(device))
                loss = F.binary_cross_entropy_with_logits(scores, target.to(device))
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
    return classifier.eval()


@torch.inference_mode()
def score(classifier: Classifier, pixels: Pixels, *, flip: bool = True) -> Tensor:
    """How unreal pictures look to a classifier, [N] on the CPU; the mean of both mirrorings."""
    device = next(classifier.parameters()).device
    found = [torch.empty(0)]
    for start in range(0, len(pixels), BATCH):
        x = pixels_to_tensor(pixels[start : start + BATCH]).to(device)
        scores = classifier(x)
        found.append(((scores + classifier(x.flip(-1))) / 2 if flip else scores).cpu())
    return torch.cat(found)


def apart(made: Tensor, real: Tensor, originals: int | None = None) -> Apart | None:
    """The AUC of scores [N] of the model's pictures against scores [M] of real ones.

    Args:
        made: Scores of the model's pictures.
        real: Scores of real ones.
        originals: Of how many pictures the model's were made; by default each of another. The
            standard error counts these, since edits of one picture are judged alike.

    Returns:
        None where there are fewer than `FEWEST` of either kind.
    """
    originals = len(made) if originals is None else originals
    if min(originals, len(real)) < FEWEST:
        return None
    ordered = real.double().sort().values
    below, upto = (
        torch.searchsorted(ordered, made.double(), right=right) for right in (False, True)
    )
    auc = float((below + upto).double().mean() / (2 * len(real)))
    return Apart(auc, standard_error(auc, originals, len(real)), originals, len(real))


def standard_error(auc: float, positives: int, negatives: int) -> float:
    """Of an AUC, as Hanley and McNeil 1982 estimate it from the numbers of both kinds."""
    both_positive, both_negative = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = (positives - 1) * (both_positive - auc**2) + (negatives - 1) * (both_negative - auc**2)
    return math.sqrt(max(0.0, auc * (1 - auc) + spread) / (positives * negatives))


def _seed(generator: torch.Generator) -> int:
    return int(torch.randint(2**62, (), generator=generator))
