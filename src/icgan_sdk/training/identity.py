"""Whether pictures show the people of others, as the bundled face-recognition network sees them."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError
from icgan_sdk.model.devices import send
from icgan_sdk.model.face_recognition import FaceVectors, shows_faces
from icgan_sdk.model.face_vectors import face_vectors
from icgan_sdk.training.context import Context

BLOCKS = (2, 6, 9)
"""Those whose feature maps are compared too: the last of 35, 17 and 8 pixels. The smaller ones say
what the vectors say."""

MAPS_WEIGHT = 0.4

SCALE, SHIFT = 0.03, 0.01
"""Standard deviations of how the cut moves, as shares of its own side and of the picture's. It
moves so that pictures can't be made for one cut alone."""


def check_faces(setting: str, value: float, model: ModelConfig) -> None:
    """Raise ConfigError if a setting needs faces to be seen where no aligned colour faces are."""
    if value and not shows_faces(model):
        raise ConfigError(
            f"{setting} needs colour pictures of aligned faces, as CelebA's are; set it to 0 for "
            "others"
        )


def load_faces(context: Context) -> FaceVectors:
    """What sees the people of a run's pictures, on its device; `check_faces` comes first."""
    faces = face_vectors(context.model)
    assert faces is not None
    return context.runtime.place(faces)


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
