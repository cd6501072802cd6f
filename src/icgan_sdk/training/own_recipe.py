"""The recipe `own`: settings that follow from the data, each choice with its reason."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import list_some

OWN = "own"

BATCH = 32
GAN_STEPS, ENCODER_Y_STEPS, ENCODER_Z_STEPS = 4200, 1000, 420
"""The fewest steps that give clear pictures: of 3,000 letters, see docs/guides/letters.md."""

GAN_EPOCHS, ENCODER_Y_EPOCHS, ENCODER_Z_EPOCHS = 24, 12, 2
"""The fewest passes over the data: those of the recipe `celeba`."""

BY_HEART = 1000
"""Below so many pictures the critic's are moved and partly covered (DiffAugment), or it would learn
them by heart. With more, covering hides too much: on 2,700 letters, the critic's error in reading
attributes is 1.8 without it and 2.5 with it, after 240 steps."""

MANY = 20_000
"""From so many pictures on, the moving average reaches farther back."""

FEW = 40
"""Pictures with an attribute, or without it, below which it can hardly be learned."""

PROBED, PROBE_SIDE, RIDGE = 2000, 16, 1.0
"""Pictures that are mirrored to see whether that shows, the side they are looked at, and how much
the reader is held back."""

HANDED = 0.65
"""Share of mirrored pictures that a linear reader picks out, above which mirroring does harm."""


@dataclass(frozen=True)
class Choice:
    """Something that was chosen for a data set.

    Attributes:
        chosen: What, in a few words.
        because: Why.
    """

    chosen: str
    because: str


@dataclass(frozen=True)
class OwnSettings:
    """Settings for a data set.

    Attributes:
        settings: As in a TOML file, by section.
        choices: The reasons, in the order in which people read them.
        warnings: What the data lack.
    """

    settings: dict[str, Any]
    choices: tuple[Choice, ...]
    warnings: tuple[str, ...]


def own_settings(dataset: PreparedDataset) -> OwnSettings:
    """Choose settings for a data set by its number of pictures, their size, colour and labels.

    Args:
        dataset: All partitions.

    Raises:
        DatasetError: If there is no partition `train`.
    """
    train = dataset.part("train")
    model, sizes = _sizes(dataset)
    flip, mirroring = _mirroring(train)
    stages, lengths = _stages(train)
    images = {"flip": flip, "shift": max(1, dataset.image_size // 16)}
    choices = (*sizes, mirroring, *lengths, _painter(dataset))
    settings = {"model": model, "images": images, **stages}
    return OwnSettings(settings, choices, _rare(train))


def _sizes(dataset: PreparedDataset) -> tuple[dict[str, Any], list[Choice]]:
    """The networks' sizes: by the side, as in the recipes; z by colour too."""
    side, grey = dataset.image_size, dataset.channels == 1
    width = 64 if side == 64 else 32
    z_dim = (32 if grey else 64) if side <= 32 else 256 if side > 64 else 100
    model = {
        "z_dim": z_dim,
        "generator_width": width,
        "discriminator_width": width,
        "encoder_z_fc": 256 if side <= 32 else 1024,
    }
    if side > 64:
        model |= {"encoder_width": 16, "encoder_z_width": 32, "encoder_z_layers": 5}
    colour = "grey" if grey else "colour"
    choice = Choice(f"networks of width {width}, z of {z_dim} numbers", f"{side}×{side}, {colour}")
    return model, [choice]


def _stages(train: PreparedDataset) -> tuple[dict[str, Any], list[Choice]]:
    """Batches, passes and augmentation: by the number of pictures."""
    count = len(train)
    batch = min(BATCH, count)
    joint = len(train.attributes) > 0 and not train.attributes.one_hot

    def epochs(steps: int, fewest: int) -> int:
        return max(fewest, math.ceil(steps / (count // batch)))

    gan: dict[str, Any] = {
        "method": "joint" if joint else "matching",
        "epochs": epochs(GAN_STEPS, GAN_EPOCHS),
        "batch_size": batch,
        "learning_rate": 3e-4 if joint else 2e-4,
        "schedule": "cosine",
        "ema_decay": 0.995 if count < MANY else 0.999,
    }
    encoder = {"batch_size": batch, "beta1": 0.9, "schedule": "cosine"}
    encoder_z = {**encoder, "epochs": epochs(ENCODER_Z_STEPS, ENCODER_Z_EPOCHS)}
    encoder_z |= {"learning_rate": 2e-4, "pixel_weight": 10.0}
    stages = {
        "encoder_y": {
            **encoder,
            "epochs": epochs(ENCODER_Y_STEPS, ENCODER_Y_EPOCHS),
            "learning_rate": 5e-4,
        },
        "gan": gan,
        "generated": {"images": min(10_000, max(500, count // 4))},
        "encoder_z": encoder_z,
    }
    if joint:
        gan["beta2"] = 0.99
        encoder_z |= {"feature_weight": 1.0, "edit_weight": 1.0, "prior_weight": 1.0}
        stages["joint"] = {"augment": count < BY_HEART}
    steps = gan["epochs"] * (count // batch)
    choices = [
        Choice(
            f"{gan['epochs']} epochs of the GAN in batches of {batch}: {steps:,} steps",
            f"{count:,} training pictures; clear pictures take {GAN_STEPS:,} steps or more",
        ),
        Choice(
            f"training method {gan['method']}",
            "generator and encoder learn edits of your pictures together"
            if joint
            else "classes, or no attributes: as the paper trains",
        ),
    ]
    if joint and count < BY_HEART:
        why = f"fewer than {BY_HEART:,} pictures, which the critic would otherwise learn by heart"
        choices.append(Choice("pictures moved and partly covered for the critic", why))
    return stages, choices


def _mirroring(train: PreparedDataset) -> tuple[bool, Choice]:
    share = handedness(train)
    seen = f"a linear reader picks out {share:.0%} of mirrored pictures (50%: chance)"
    flip = share < HANDED
    return flip, Choice("mirrored pictures too" if flip else "no mirrored pictures", seen)


def handedness(train: PreparedDataset) -> float:
    """How well mirrored pictures can be told from others: the share of right answers, from 0.5.

    A linear reader sees a picture, its mirror image and the labels, and says which of the two is
    the picture. So it finds out if letters lean, and also if labels say left and right. It learns
    from one half of the pictures (kernel ridge regression) and answers for the other.

    Args:
        train: One partition; evenly taken pictures of it are looked at.
    """
    rows = torch.arange(0, len(train), math.ceil(len(train) / PROBED))
    images = F.adaptive_avg_pool2d(train.images(rows).cpu(), min(PROBE_SIDE, train.image_size))
    differences = (images - images.flip(-1)).flatten(1).double()
    labels = train.labels(rows).double()
    kernel = differences @ differences.T * (1 + labels @ labels.T / max(1, labels.shape[1]))
    learned, asked = slice(0, None, 2), slice(1, None, 2)
    known = kernel[learned, learned]
    held = RIDGE * known.diagonal().mean() * torch.eye(len(known), dtype=known.dtype)
    if len(rows) < 2 or not bool(known.any()):
        return 0.5
    scores = kernel[asked, learned] @ torch.linalg.solve(known + held, torch.ones_like(known[0]))
    right = float(((scores > 0).double() + (scores == 0).double() / 2).mean())
    return max(0.5, right)


def _painter(dataset: PreparedDataset) -> Choice:
    if dataset.image_size < 128 or dataset.channels == 1:
        return Choice("no painter", "it changes colour photos of 128×128 and more")
    why = "it takes hours without a GPU; add one later: icgan train celeba_painter --start …"
    return Choice("no painter", why)


def _rare(train: PreparedDataset) -> tuple[str, ...]:
    counts = np.array(list(train.positives().values()))
    fewest = np.minimum(counts, len(train) - counts)
    names = [
        f"{name} ({int(count)} with it)"
        for name, count, least in zip(train.attributes.names, counts, fewest, strict=True)
        if least < FEW
    ]
    if not names:
        return ()
    told = list_some(names)
    return (f"hardly to be learned, as fewer than {FEW} pictures have it or lack it: {told}",)
