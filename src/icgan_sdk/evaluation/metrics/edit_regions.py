"""Where an attribute shows in an aligned face; an edit should leave the rest alone."""

import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig


def outside(name: str, config: ModelConfig) -> Tensor:
    """Which pixels an edit of an attribute should leave alone.

    Args:
        name: The attribute.
        config: Of the model. Its crop says which part of the frame the pictures show.

    Returns:
        [image_size, image_size]: 0 in the attribute's boxes, 1 elsewhere. All 1 for attributes
        that the face profile doesn't have, for classes, and of models without a profile.
    """
    mask = torch.ones(config.image_size, config.image_size)
    if config.crop is None or config.faces is None:
        return mask
    left, top, right, bottom = config.crop.box
    centres = (torch.arange(config.image_size) - config.padding + 0.5) / config.picture_size
    x, y = left + centres * (right - left), top + centres * (bottom - top)
    for x_from, y_from, x_to, y_to in config.faces.regions.get(name, ()):
        mask[((y >= y_from) & (y < y_to))[:, None] & ((x >= x_from) & (x < x_to))] = 0.0
    return mask
