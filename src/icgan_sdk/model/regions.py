"""Where an attribute shows in an aligned face; an edit should leave the rest alone."""

from collections.abc import Sequence

import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.profiles import Box


def outside(name: str, config: ModelConfig) -> Tensor:
    """Which pixels an edit of an attribute should leave alone.

    Args:
        name: The attribute.
        config: Of the model. Its crop says which part of the frame the pictures show.

    Returns:
        [image_size, image_size]: 0 in the attribute's boxes, 1 elsewhere. All 1 for attributes
        that the face profile doesn't have, for classes, and of models without a profile.
    """
    boxes = config.faces.regions.get(name, ()) if config.faces else ()
    return 1.0 - within(boxes, config)


def within(boxes: Sequence[Box], config: ModelConfig) -> Tensor:
    """Which pixels lie in boxes of the aligned frame.

    Args:
        boxes: In pixels of the frame.
        config: As for `outside`.

    Returns:
        [image_size, image_size]: 1 inside, 0 elsewhere; all 0 for models without a crop.
    """
    mask = torch.zeros(config.image_size, config.image_size)
    if config.crop is None:
        return mask
    left, top, right, bottom = config.crop.box
    centres = (torch.arange(config.image_size) - config.padding + 0.5) / config.picture_size
    x, y = left + centres * (right - left), top + centres * (bottom - top)
    for x_from, y_from, x_to, y_to in boxes:
        mask[((y >= y_from) & (y < y_to))[:, None] & ((x >= x_from) & (x < x_to))] = 1.0
    return mask
