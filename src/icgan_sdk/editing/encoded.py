"""Pictures with what the encoders read in them, and every operation on that."""

from collections.abc import Mapping
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from PIL.Image import Image

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.engines.engine import Engine
from icgan_sdk.errors import ConfigError
from icgan_sdk.pictures import arrays
from icgan_sdk.pictures.arrays import Floats

Detail = Literal["auto", "generated", "photo"]
"""What an edit shows: G's picture; the original pixels with only the change put onto them; or what
suits the model (`find_detail`)."""


class Encoded:
    """A batch of pictures, encoded on first use.

    Args:
        engine: Runs the networks.
        images: [B, C, P, P] in [-1, 1], P being the side of `ModelConfig.photo`.
    """

    def __init__(self, engine: Engine, images: Floats) -> None:
        self.engine, self.images = engine, images

    @cached_property
    def _latent(self) -> tuple[Floats, Floats]:
        return self.engine.encode(self.images)

    def refined(self, steps: int) -> "Encoded":
        """The same pictures with z whose pictures come nearer to them, see `refine_z`.

        Args:
            steps: Optimisation steps; 0: nothing changes.

        Raises:
            ConfigError: If the engine knows no gradients.
        """
        if not steps:
            return self
        refined = Encoded(self.engine, self.images)
        refined._latent = self.engine.refine(self.images, self.z, self.y, steps), self.y
        return refined

    @property
    def z(self) -> Floats:
        """What the attributes don't say, [B, z_dim]."""
        return self._latent[0]

    @cached_property
    def y(self) -> Floats:
        """The attributes as E_y reads them, [B, n_attributes], −1 absent, 1 present."""
        # A painter needs no z, and so E_z need not run.
        return self.engine.read(self.images) if self._is_painted else self._latent[1]

    @cached_property
    def rebuilt(self) -> Floats:
        """G(z, y): the pictures without a change, [B, C, S, S]."""
        return self.engine.decode(self.z, self.y)

    def scores(self) -> list[dict[str, float]]:
        """What E_y reads in each picture, from 0 (absent) to 1 (present): (y + 1) / 2, cut."""
        names = self.engine.config.attributes.names
        rows = ((self.y + np.float32(1)) / np.float32(2)).clip(0, 1).tolist()
        return [dict(zip(names, row, strict=True)) for row in rows]

    def with_presences(self, presences: Mapping[str, float], amount: float = 1.0) -> Floats:
        """Every picture's y after an edit, see `AttributeSet.apply`, or a part of the way there."""
        edited = present(self.engine.config.attributes, self.y, presences)
        return edited if amount == 1.0 else self.y + np.float32(amount) * (edited - self.y)

    def edit(self, presences: Mapping[str, float], detail: Detail, amount: float = 1.0) -> Floats:
        """The pictures after an edit: photos [B, C, P, P] or generated ones [B, C, S, S].

        Args:
            presences: The edit, as `AttributeSet.resolve` gives it.
            detail: What is shown.
            amount: Which part of the edit, 0 to 1.
        """
        if find_detail(detail, self.engine.config) == "generated":
            return self._generate(presences, amount)
        if self._is_painted:
            return self._paint(presences, amount)
        return (self.images + self.change(presences, amount)).clip(-1, 1)

    def change(self, presences: Mapping[str, float], amount: float = 1.0) -> Floats:
        """What an edit, or a part of it, adds to the original pixels, [B, C, P, P] in [-2, 2]."""
        if self._is_painted:
            return self._paint(presences, amount) - self.images
        return self.engine.change(self.images, self.rebuilt, self._generate(presences, amount))

    @property
    def _is_painted(self) -> bool:
        return self.engine.config.painter_size > 0

    def _paint(self, presences: Mapping[str, float], amount: float) -> Floats:
        return self.engine.paint(self.images, self.y, self.with_presences(presences, amount))

    def _generate(self, presences: Mapping[str, float], amount: float) -> Floats:
        return self.engine.decode(self.z, self.with_presences(presences, amount))

    def variations(self) -> list[Floats]:
        """Each picture as a row of the paper's Figure 5: [2 + n_attributes, C, S, S].

        The original, its reconstruction, and one picture for each attribute, see
        `AttributeSet.variations`.
        """
        rows = []
        for image, z, y in zip(self.images, self.z, self.y, strict=True):
            edits = self.engine.config.attributes.variations(y.tolist())
            ys = np.array([y.tolist(), *edits], np.float32)
            drawn = self.engine.decode(np.repeat(z[None], len(ys), axis=0), ys)
            rows.append(np.concatenate([shrink(image[None], drawn.shape[-1]), drawn]))
        return rows


def present(attributes: AttributeSet, y: Floats, presences: Mapping[str, float]) -> Floats:
    """Every row of y [B, n_attributes] after an edit, see `AttributeSet.apply`."""
    rows = [attributes.apply(row, presences) for row in y.tolist()]
    return np.array(rows, np.float32).reshape(y.shape)


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


def to_pictures(images: Floats, config: ModelConfig) -> list[Image]:
    """What `Encoded` gives, as pictures without padding: photos [B, C, P, P] or generated ones."""
    generated = images.shape[-1] == config.image_size
    return arrays.to_pictures(images, config if generated else config.photo)
