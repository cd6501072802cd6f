"""What an edit makes of y, and of photos that a painter paints on."""

from collections.abc import Mapping

import numpy as np

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.engines.engine import Engine
from icgan_sdk.pictures.arrays import Floats

GREY = 4 / 127.5
"""Largest difference between the channels of a photo that counts as grey: four grey levels, which
JPEG leaves."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)[:, None, None]
"""How bright red, green and blue are (ITU-R BT.601)."""


def present(attributes: AttributeSet, y: Floats, presences: Mapping[str, float]) -> Floats:
    """Every row of y [B, n_attributes] after an edit, see `AttributeSet.apply`."""
    rows = [attributes.apply(row, presences) for row in y.tolist()]
    return np.array(rows, np.float32).reshape(y.shape)


def painted(
    engine: Engine, images: Floats, y: Floats, presences: Mapping[str, float], amount: float = 1.0
) -> Floats:
    """An edit painted onto photos.

    Several attributes are painted one after another, in `painting_order`: together they would come
    out worse than apart, since hardly any training picture shows just such a combination.

    Args:
        engine: Of a model with a painter.
        images: [B, C, P, P] in [-1, 1].
        y: The attributes read in them, [B, n_attributes].
        presences: The edit, as `AttributeSet.resolve` gives it.
        amount: Part of the way to go, 0 to 1.

    Returns:
        [B, C, P, P] in [-1, 1]; an image itself, bit for bit, whose attributes stay.
    """
    result = images
    for name in painting_order(engine.config, presences):
        y_new = present(engine.config.attributes, y, {name: presences[name]})
        if amount != 1.0:
            y_new = y + np.float32(amount) * (y_new - y)
        result = engine.paint(result, y, y_new)
        y = y_new
    return _with_colours_of(images, result)


def painting_order(config: ModelConfig, presences: Mapping[str, float]) -> list[str]:
    """The attributes of an edit in the order of painting, however they were named.

    What makes another person of somebody comes first, since it changes the whole head; the rest
    follow in the model's order.
    """
    persons = config.faces.other_person if config.faces else frozenset()
    names = [name for name in config.attributes.names if name in presences]
    return sorted(names, key=lambda name: name not in persons)


def _with_colours_of(images: Floats, edited: Floats) -> Floats:
    """Edited photos, without colours where the original has none."""
    if images.shape[1] != len(LUMA):
        return edited
    grey = (images.max(axis=1) - images.min(axis=1)).max(axis=(1, 2)) <= GREY
    if not grey.any():
        return edited
    change = edited - images
    brightness = (change * LUMA).sum(axis=1, keepdims=True)
    result: Floats = np.where(grey[:, None, None, None], images + brightness, edited)
    return result.clip(-1, 1)
