"""Colours that aren't sRGB: by a picture's embedded profile, and grey of more than 8 bits."""

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
"""What a profile calls the colours of a mode."""

NEGLIGIBLE = 2
"""Levels by which a profile may differ from sRGB and still count as sRGB."""

LEVELS = 9
"""Levels of each channel at which profiles are compared."""


def profile_of(picture: Image.Image) -> bytes | None:
    """The embedded ICC profile, if there is one."""
    profile = picture.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile else None


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture's colours as sRGB; itself where its profile is sRGB's, unreadable or none.

    Args:
        picture: "L", "RGB", "CMYK" or "LAB", without an alpha channel.
        profile: What its numbers mean, whatever its ``info`` says.

    Returns:
        "L" of "L", else "RGB"; where nothing is converted the picture in its own mode.
    """
    transform = _transform(profile, picture.mode, True) if profile else None
    if picture.mode == "LAB" and transform is None:
        transform = _transform(None, "LAB", True)
    return picture if transform is None else _apply(transform, picture)


def from_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The inverse of `to_srgb`, for "L" and "RGB"; colours beyond the profile's are clipped."""
    transform = _transform(profile, picture.mode, False) if profile else None
    return picture if transform is None else _apply(transform, picture.convert("RGB"))


def _apply(transform: "ImageCmsTransform", picture: Image.Image) -> Image.Image:
    converted = transform.apply(picture)
    return converted.convert("L") if picture.mode == "L" else converted


@lru_cache(maxsize=16)  # pictures of one camera share theirs
def _transform(profile: bytes | None, mode: str, to: bool) -> "ImageCmsTransform | None":
    """From the profile to sRGB, or back; None where that would change nothing, or can't be made."""
    from PIL import ImageCms

    try:
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        if profile is None:
            lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
            return ImageCms.ImageCmsTransform(lab, srgb, mode, "RGB")
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        if own.profile.xcolor_space.strip() != SPACES.get(mode):
            return None
        forth = ImageCms.ImageCmsTransform(own, srgb, mode, "RGB")
        if mode != "CMYK" and _changes_nothing(forth, mode):
            return None
        return forth if to else ImageCms.ImageCmsTransform(srgb, own, "RGB", mode)
    # Little CMS refuses damaged profiles in several ways, and Pillow may be built without it.
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, ImportError, AttributeError):
        return None


def _changes_nothing(transform: "ImageCmsTransform", mode: str) -> bool:
    # Profiles have no certain names, and converting sRGB to sRGB would round each pixel anew.
    levels = np.linspace(0, 255, LEVELS).round().astype(np.uint8)
    channels = len(Image.new(mode, (1, 1)).getbands())
    cube = np.stack(np.meshgrid(*[levels] * channels, indexing="ij"), axis=-1)
    samples = Image.fromarray(cube.reshape(LEVELS, -1) if mode == "L" else cube.reshape(1, -1, 3))
    change = np.asarray(_apply(transform, samples), np.int16) - np.asarray(samples, np.int16)
    return int(np.abs(change).max()) <= NEGLIGIBLE


def from_deep(picture: Image.Image) -> Image.Image:
    """Grey of up to 16 bits ("I", "I;16" …) as "L"; values of 12 bits and below are 12 bits'.

    Scanners and cameras put 12 bits into files of 16, where they would be nearly black.
    """
    # Pillow's own conversion would clip at 255.
    values = np.asarray(picture).clip(0, 2**16 - 1)
    largest = values.max(initial=0)
    # Mode "I" holds 16-bit files, but also results of computing with 8-bit pictures.
    if picture.mode != "I" or largest > 255:
        values = values >> (4 if largest < 2**12 else 8)
    return Image.fromarray(values.astype(np.uint8))
