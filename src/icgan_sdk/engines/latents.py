"""What the encoders read from pictures, as tensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ShapeError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Latent:
    """What the encoders read from pictures, and what the generator draws them from.

    Attributes:
        z: What the attributes don't say (pose, light, background): [B, z_dim], about N(0, 1).
        y: The attributes: [B, n_attributes], −1 absent, 1 present.
    """

    z: "Tensor"
    y: "Tensor"


def with_presences(
    latent: Latent, attributes: AttributeSet, presences: Mapping[str, float]
) -> Latent:
    """An edit of every picture's y, as `AttributeSet.apply` does it; z stays."""
    y = [attributes.apply(row, presences) for row in latent.y.tolist()]
    return Latent(latent.z, latent.y.new_tensor(y).reshape(latent.y.shape))


def check_latent(latent: Latent, config: ModelConfig) -> None:
    """Raise ShapeError unless z and y are tensors that fit the model and each other."""
    from torch import Tensor

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
