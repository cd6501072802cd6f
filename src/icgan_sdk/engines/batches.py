"""Running the networks on batches of any size, tensors in and tensors out."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ShapeError
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.refinement import refine_z

CHUNK = 64
"""Pictures that go through the networks at once; bounds memory on large batches."""


@dataclass(frozen=True, eq=False)
class Latent:
    """What the encoders read from pictures, and what the generator draws them from.

    Attributes:
        z: What the attributes don't say (pose, light, background): [B, z_dim], about N(0, 1).
        y: The attributes: [B, n_attributes], −1 absent, 1 present.
    """

    z: Tensor
    y: Tensor


@torch.inference_mode()
def encode(networks: IcGANNetworks, images: Tensor, device: torch.device, refine: int) -> Latent:
    """E_z and E_y, and `refine` steps of `refine_z`.

    Args:
        networks: In eval mode, on the device.
        images: [B, C, S, S] in [-1, 1].
        device: Where the networks are.
        refine: Optimisation steps; 0: E_z's answer as it is.

    Returns:
        z [B, z_dim] and y [B, n_attributes] on the device.
    """
    parts = []
    for chunk in torch.split(images, CHUNK):
        x = chunk.to(device)
        z, y = networks.encode(x)
        if refine:
            z = refine_z(networks.generator, x, z, y, refine)
        parts.append((z, y))
    z, y = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
    return Latent(z, y)


@torch.inference_mode()
def decode(networks: IcGANNetworks, latent: Latent, device: torch.device) -> Tensor:
    """G(z, y): images [B, C, S, S] in (-1, 1), on the CPU."""
    chunks = zip(torch.split(latent.z, CHUNK), torch.split(latent.y, CHUNK), strict=True)
    images = [
        networks.decode(z.to(device, torch.float32), y.to(device, torch.float32)) for z, y in chunks
    ]
    return torch.cat([chunk.cpu() for chunk in images])


def with_presences(
    latent: Latent, attributes: AttributeSet, presences: Mapping[str, float]
) -> Latent:
    """An edit of every picture's y, as `AttributeSet.apply` does it; z stays."""
    y = [attributes.apply(row, presences) for row in latent.y.tolist()]
    return Latent(latent.z, latent.y.new_tensor(y).reshape(latent.y.shape))


def check_latent(latent: Latent, config: ModelConfig) -> None:
    """Raise ShapeError unless z and y are tensors that fit the model and each other."""
    tensors = isinstance(latent, Latent) and isinstance(latent.z, Tensor)
    if not tensors or not isinstance(latent.y, Tensor):
        raise ShapeError("expected a Latent of two tensors, as encode gives it")
    for name, tensor, size in (
        ("z", latent.z, config.z_dim),
        ("y", latent.y, config.n_attributes),
    ):
        if tensor.ndim != 2 or tensor.shape[1] != size or len(tensor) < 1:
            raise ShapeError(f"expected {name} [B, {size}], not {list(tensor.shape)}")
        if not tensor.is_floating_point():
            raise ShapeError(f"expected {name} in floats, not {tensor.dtype}")
        if not bool(tensor.isfinite().all()):
            raise ShapeError(f"{name} has values that are not finite")
    if len(latent.z) != len(latent.y):
        raise ShapeError(f"z has {len(latent.z)} rows but y has {len(latent.y)}")
