"""Losses that several stages share."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError
from icgan_sdk.model.devices import send
from icgan_sdk.model.face_recognition import FaceVectors, shows_faces
from icgan_sdk.model.face_vectors import face_vectors
from icgan_sdk.training.runtime import Runtime

EDITED_WEIGHT = 5.0
"""Weight, within the attribute loss, of the attributes that an edit changes; the others weigh 1. It
lets an edit prevail where it is unlikely given the rest of the face, such as make-up on a man."""

DIRECTIONS = 256
"""Onto which `distance_from_prior` projects."""

BLOCKS = (2, 6, 9)
"""Blocks of the face network whose feature maps are compared too: the last of 35, 17 and 8 pixels.
The smaller maps say what the vectors say."""

MAPS_WEIGHT = 0.4

SCALE, SHIFT = 0.03, 0.01
"""Standard deviations of how the cut moves, as shares of its own side and of the picture's. It
moves so that pictures can't be made for one cut alone."""


def encoder_y_loss(read: Tensor, y: Tensor) -> Tensor:
    """L_ey = ‖y − E_y(x)‖² per attribute (equation 4), from E_y's output and y [B, n_y]."""
    return F.mse_loss(read.float(), y)


def attribute_loss(logits: Tensor, y: Tensor, counts: Tensor | None = None) -> Tensor:
    """Binary cross-entropy, summed over the attributes and averaged over the images.

    Args:
        logits: What a network predicts for the images, [B, n_y].
        y: What they should show, [B, n_y], −1 or 1.
        counts: Weights of the attributes, [B, n_y]; None: all 1.

    Returns:
        A scalar.
    """
    target = (y + 1) / 2
    return F.binary_cross_entropy_with_logits(logits, target, counts, reduction="sum") / len(y)


def distance_from_prior(z: Tensor, draws: torch.Generator) -> Tensor:
    """Sliced Wasserstein distance of codes from N(0, 1) (Kolouri et al. 2018, SWAE).

    The codes are projected onto random directions. The distance is the mean squared difference
    between the sorted projections and the quantiles of the normal distribution.

    Args:
        z: [B, z_dim].
        draws: Draws the directions; on the CPU.

    Returns:
        A scalar.
    """
    directions = torch.randn(z.shape[1], DIRECTIONS, generator=draws)
    directions = send(directions, z.device).to(z.dtype)
    directions = directions / directions.norm(dim=0)
    places = (torch.arange(len(z), device=z.device) + 0.5) / len(z)
    quantiles = torch.special.ndtri(places.to(z.dtype))
    with torch.autocast(z.device.type, enabled=False):
        projections = (z @ directions).sort(dim=0).values
    distance: Tensor = (projections - quantiles[:, None]).square().mean()
    return distance


def check_faces(setting: str, value: float, model: ModelConfig) -> None:
    """Raise ConfigError if a setting needs faces to be seen where no aligned colour faces are."""
    if value and not shows_faces(model):
        raise ConfigError(
            f"{setting} needs colour pictures of aligned faces, as CelebA's are; set it to 0 for "
            "others"
        )


def load_faces(model: ModelConfig, runtime: Runtime) -> FaceVectors:
    """What tells the people in a model's pictures apart, on the run's device.

    `check_faces` comes first.
    """
    faces = face_vectors(model)
    assert faces is not None
    return runtime.place(faces)


def identity_loss(
    faces: FaceVectors,
    images: Tensor,
    originals: Tensor,
    draws: torch.Generator,
    counts: Tensor | None = None,
) -> Tensor:
    """How far pictures are from showing the people of others.

    The squared distance of the faces' vectors, which is 0.36 where the network begins to take two
    faces for one person's, and `MAPS_WEIGHT` times the difference of feature maps, as a share of
    the originals' power.

    Args:
        faces: As `load_faces` gives it.
        images: [B, 3, S, S] in [-1, 1].
        originals: The same.
        draws: For the movements of the cut, which is the same in both.
        counts: Weights of the pictures, [B]; None: all alike.

    Returns:
        The mean over the pictures.
    """
    boxes = send(_moved(faces.box, len(images), draws), images.device)
    with torch.no_grad():
        vectors, maps = faces.look(originals, boxes)
    found, found_maps = faces.look(images, boxes)
    loss = _square(found - vectors, torch.sum)
    for block in BLOCKS:
        power = _square(maps[block], torch.mean).mean()
        difference = _square(found_maps[block] - maps[block], torch.mean)
        loss = loss + MAPS_WEIGHT / len(BLOCKS) * difference / power
    if counts is None:
        return loss.mean()
    return (loss * counts).sum() / counts.sum().clamp_min(1)


def _square(numbers: Tensor, reduce: Callable[..., Tensor]) -> Tensor:
    """The sum or mean of each picture's squares, [B]."""
    return reduce(numbers.float().square().flatten(1), dim=1)


def _moved(box: Sequence[float], count: int, draws: torch.Generator) -> Tensor:
    """A box, scaled and shifted at random: [B, 4]."""
    left, top, right, bottom = box
    scale, dx, dy = torch.randn(3, count, generator=draws)
    grow = (1 + SCALE * scale) / 2
    x, y = (left + right) / 2 + SHIFT * dx, (top + bottom) / 2 + SHIFT * dy
    width, height = (right - left) * grow, (bottom - top) * grow
    return torch.stack([x - width, y - height, x + width, y + height], 1)
