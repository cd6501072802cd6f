"""Where an attribute shows in an aligned CelebA face; an edit should leave the rest alone."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from icgan_sdk.config import CELEBA_CROP, ModelConfig

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in the pixels of CelebA's aligned frame, 178 wide and 218 high."""

# In CelebA's aligned pictures the eyes are at about (69, 111) and (108, 111) and the mouth at
# y = 152. Brows are at y = 100, the hairline at 75, the chin at 185, the ears at x = 45 and 133.
_HAIR: tuple[Box, ...] = ((0, 0, 178, 100), (0, 100, 48, 218), (130, 100, 178, 218))
_EYES: tuple[Box, ...] = ((26, 88, 152, 134),)
_NOSE: tuple[Box, ...] = ((58, 96, 120, 150),)
_MOUTH: tuple[Box, ...] = ((44, 120, 134, 192),)
_EARS: tuple[Box, ...] = ((12, 100, 52, 192), (126, 100, 166, 192))
_NECK: tuple[Box, ...] = ((0, 172, 178, 218),)
_HEAD: tuple[Box, ...] = ((20, 36, 158, 218),)

_NAMES = {
    # Hair may reach the edges of the frame. The face itself must stay.
    _HAIR: """Bald Bangs Black_Hair Blond_Hair Brown_Hair Gray_Hair Receding_Hairline Straight_Hair
        Wavy_Hair Wearing_Hat""",
    # The band includes the brows and the temples of glasses.
    _EYES: "Arched_Eyebrows Bags_Under_Eyes Bushy_Eyebrows Eyeglasses Narrow_Eyes",
    _NOSE: "Big_Nose Pointy_Nose",
    # From the cheeks that a smile lifts down to the chin.
    _MOUTH: """5_o_Clock_Shadow Big_Lips Double_Chin Goatee Mouth_Slightly_Open Mustache No_Beard
        Smiling Wearing_Lipstick""",
    _EARS: "Sideburns Wearing_Earrings",
    _NECK: "Wearing_Necklace Wearing_Necktie",
    # Skin, sex and age change the whole head. Only the background must stay.
    _HEAD: """Attractive Chubby Heavy_Makeup High_Cheekbones Male Oval_Face Pale_Skin Rosy_Cheeks
        Young""",
}

REGIONS: Mapping[str, tuple[Box, ...]] = MappingProxyType(
    {name: boxes for boxes, names in _NAMES.items() for name in names.split()}
)
"""The boxes an attribute may change: all of CelebA's attributes but Blurry, which changes every
pixel."""


def outside(name: str, config: ModelConfig) -> Tensor:
    """Which pixels an edit of an attribute should leave alone.

    Args:
        name: The attribute.
        config: Of the model. Its crop says which part of the frame the pictures show.

    Returns:
        [image_size, image_size]: 0 in the attribute's boxes, 1 elsewhere. All 1 for attributes
        that CelebA doesn't have, for classes, and where pictures aren't cut from CelebA's frame.
    """
    mask = torch.ones(config.image_size, config.image_size)
    if config.crop is None or config.crop.frame != CELEBA_CROP.frame:
        return mask
    left, top, right, bottom = config.crop.box
    centres = (torch.arange(config.image_size) - config.padding + 0.5) / config.picture_size
    x, y = left + centres * (right - left), top + centres * (bottom - top)
    for x_from, y_from, x_to, y_to in REGIONS.get(name, ()):
        mask[((y >= y_from) & (y < y_to))[:, None] & ((x >= x_from) & (x < x_to))] = 0.0
    return mask
