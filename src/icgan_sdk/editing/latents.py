"""Latents: what the encoders read in a batch of squares, and z and y drawn at random."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.checks import check_whole
from icgan_sdk.config import ModelConfig
from icgan_sdk.editing.painting import painted, present
from icgan_sdk.engines.engine import Engine
from icgan_sdk.errors import ConfigError, ShapeError
from icgan_sdk.pictures.arrays import Floats

if TYPE_CHECKING:
    from torch import Tensor


Detail = Literal["auto", "generated", "photo"]
"""What an edit shows: G's picture; the original pixels with only the change put onto them; or what
suits the model: the photo if it has a painter, else G's picture."""


@dataclass(frozen=True, eq=False)
class Latent:
    """What the encoders read from pictures, and what the generator draws them from.

    Attributes:
        z: What the attributes don't say (pose, light, background): [B, z_dim], about N(0, 1).
        y: The attributes: [B, n_attributes], −1 absent, 1 present.
    """

    z: "Tensor"
    y: "Tensor"


class Batch:
    """Squares that go through the networks together, encoded on first use.

    Args:
        engine: Runs the networks.
        images: [N, C, P, P] in [-1, 1], P being the side of `ModelConfig.photo`.
    """

    def __init__(self, engine: Engine, images: Floats) -> None:
        self.engine, self.images = engine, images
        self._last: tuple[object, Floats] = (None, images)

    @cached_property
    def latent(self) -> tuple[Floats, Floats]:
        """Z [N, z_dim] and y [N, n_attributes]."""
        return self.engine.encode(self.images)

    @cached_property
    def y(self) -> Floats:
        """The attributes as E_y reads them, [N, n_attributes]; a painter needs no more."""
        painted = self.engine.config.painter_size
        return self.engine.read(self.images) if painted else self.latent[1]

    @cached_property
    def rebuilt(self) -> Floats:
        """G(z, y): the pictures without a change, [N, C, S, S]."""
        return self.engine.decode(self.latent[0], self.y)

    def refined(self, steps: int) -> "Batch":
        """The same squares with z whose pictures come nearer to them, see `refine_z`.

        Raises:
            ConfigError: If the engine knows no gradients.
        """
        if not steps:
            return self
        refined = Batch(self.engine, self.images)
        z = self.engine.refine(self.images, self.latent[0], self.y, steps)
        refined.latent = z, self.y
        return refined

    def edited(self, presences: Mapping[str, float], detail: Detail, amount: float) -> Floats:
        """The squares after a part of an edit: photos [N, C, P, P] or generated ones [N, C, S, S].

        The last answer is kept, as the pictures of a batch ask for it one after another.
        """
        shown = find_detail(detail, self.engine.config)
        key = (tuple(presences.items()), shown, amount)
        last, edited = self._last
        if key != last:
            edited = self._edit(presences, shown, amount)
            self._last = key, edited
        return edited

    def change(self, presences: Mapping[str, float], amount: float) -> Floats:
        """What a part of an edit adds to the original pixels, [N, C, P, P] in [-2, 2]."""
        if self.engine.config.painter_size:
            return self._edit(presences, "photo", amount) - self.images
        generated = self._edit(presences, "generated", amount)
        return self.engine.change(self.images, self.rebuilt, generated)

    def _edit(self, presences: Mapping[str, float], shown: str, amount: float) -> Floats:
        if shown == "photo" and self.engine.config.painter_size:
            return painted(self.engine, self.images, self.y, presences, amount)
        if shown == "photo":
            return (self.images + self.change(presences, amount)).clip(-1, 1)
        y_new = present(self.engine.config.attributes, self.y, presences)
        if amount != 1.0:
            y_new = self.y + np.float32(amount) * (y_new - self.y)
        return self.engine.decode(self.latent[0], y_new)


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


def source_of(seed: int | None, generator: np.random.Generator | None) -> np.random.Generator:
    """The given generator, or a new one; NumPy's global state stays untouched.

    NumPy draws, so that a seed means the same whatever runs the model.

    Raises:
        ConfigError: If both are given, the seed is no whole number from 0, or the generator is not
            NumPy's.
    """
    if generator is None:
        return np.random.default_rng(None if seed is None else check_whole("seed", seed, 0))
    if not isinstance(generator, np.random.Generator):
        raise ConfigError(f"generator must be a numpy.random.Generator, not {generator!r}")
    if seed is not None:
        raise ConfigError("give a seed or a generator, not both")
    return generator


def draw_z(n: int, config: ModelConfig, source: np.random.Generator) -> Floats:
    """Z [n, z_dim] from the model's distribution."""
    shape = (n, config.z_dim)
    if config.noise == "uniform":
        return source.random(shape, np.float32) * np.float32(2) - np.float32(1)
    return source.standard_normal(shape, np.float32)


def draw_y(n: int, config: ModelConfig, source: np.random.Generator, *, classes: bool) -> Floats:
    """Y [n, n_attributes] in which everything is absent.

    Args:
        n: Rows.
        config: Of the model.
        source: Of randomness.
        classes: Of one-hot labels, let one of each row be present, drawn at random.
    """
    y = np.full((n, config.n_attributes), -1, np.float32)
    if classes and config.attributes.one_hot:
        y[np.arange(n), source.integers(config.n_attributes, size=n)] = 1
    return y


def find_detail(detail: Detail, config: ModelConfig) -> Literal["generated", "photo"]:
    """What "auto" stands for: the photo if the model has a painter, else G's picture.

    Raises:
        ConfigError: If there is no such detail.
    """
    if detail not in get_args(Detail):
        raise ConfigError(f"detail must be 'auto', 'generated' or 'photo', not {detail!r}")
    if detail == "auto":
        return "photo" if config.painter_size else "generated"
    return detail


def shrink(images: Floats, side: int) -> Floats:
    """Images [B, C, P, P] as [B, C, side, side], each pixel the mean of a square."""
    scale = images.shape[-1] // side
    if scale == 1:
        return images
    squares = images.reshape(*images.shape[:2], side, scale, side, scale)
    means: Floats = squares.mean(axis=(3, 5), dtype=np.float32)
    return means
