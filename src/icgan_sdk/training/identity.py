"""Whether pictures show the people of others, as the bundled face-recognition network sees them."""

import torch
from torch import Tensor

from icgan_sdk.artefacts.face_vectors import face_vectors
from icgan_sdk.errors import ConfigError
from icgan_sdk.model.face_recognition import FaceVectors
from icgan_sdk.training.context import Context

BLOCKS = (2, 6, 9)
"""Those whose feature maps are compared too: the last before the side is halved."""

MAPS_WEIGHT = 0.4

TURN, SCALE, SHIFT = 0.03, 0.03, 0.02
"""Standard deviations of how the cut moves: radians, and parts of half the picture's side. It moves
so that pictures can't be made for one cut alone."""


def load_faces(context: Context) -> FaceVectors:
    """What sees the people of a run's pictures, on its device.

    Raises:
        ConfigError: If the run's pictures are not colour faces that lie in a known place.
    """
    faces = face_vectors(context.model)
    if faces is None:
        raise ConfigError(
            "joint.identity_weight needs colour pictures of aligned faces, as CelebA's are"
        )
    return context.runtime.place(faces)


def identity_loss(
    faces: FaceVectors, images: Tensor, originals: Tensor, draws: torch.Generator
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

    Returns:
        The mean over the pictures.
    """
    cut = _moved(faces.cut, len(images), draws)
    with torch.no_grad():
        vectors, maps = faces.look(originals, cut)
    found, found_maps = faces.look(images, cut)
    distance = (found - vectors).float().square().sum(1).mean()
    parts = [
        (found_maps[i] - maps[i]).float().square().mean() / maps[i].float().square().mean()
        for i in BLOCKS
    ]
    return distance + MAPS_WEIGHT * sum(parts) / len(parts)


def _moved(cut: Tensor, count: int, draws: torch.Generator) -> Tensor:
    """A cut [2, 3], as `affine_grid` takes it, turned, scaled and shifted at random: [B, 2, 3]."""
    turn, scale, dx, dy = torch.randn(4, count, generator=draws).to(cut.device)
    scale = 1 + SCALE * scale
    cos, sin = scale * torch.cos(TURN * turn), scale * torch.sin(TURN * turn)
    move = torch.stack([cos, -sin, sin, cos], 1).view(-1, 2, 2)
    shift = cut[:, 2] + SHIFT * torch.stack([dx, dy], 1)
    return torch.cat([move @ cut[:, :2], shift[:, :, None]], 2)
