"""Saving pictures and animations, as a whole or not at all."""

import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from icgan_sdk.errors import ImageError
from icgan_sdk.files import atomic_file
from icgan_sdk.pictures.metadata import for_writing
from icgan_sdk.pictures.opening import on_white

QUALITY = 92
"""Quality of lossy formats, on Pillow's scale to 100."""

FRAME_MILLISECONDS = 80
"""How long an animation shows each frame."""

OPAQUE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo",
    ".bmp", ".dib", ".eps", ".pcx", ".pbm", ".pgm", ".pnm", ".ppm",
)  # fmt: skip
"""Suffixes of formats without transparency."""


def save_picture(
    picture: Image.Image, path: str | os.PathLike[str], *, metadata: bool = False
) -> None:
    """Write a picture atomically, in the format its suffix names, with its colour profile.

    If the format has no transparency, white shows through.

    Args:
        picture: The picture.
        path: The file.
        metadata: Whether an edited photo keeps the EXIF data and the JPEG quality of its original.

    Raises:
        ImageError: If Pillow can't write the format, or the format can't hold the picture.
        SaveError: If the file can't be written.
    """
    check_suffix(path)
    profile, info = picture.info.get("icc_profile"), picture.info
    if "A" in picture.mode and Path(path).suffix.lower() in OPAQUE_SUFFIXES:
        picture = on_white(picture).convert("L" if picture.mode == "LA" else "RGB")
        picture.info = info
    suffix = Path(path).suffix.lower()
    options = for_writing(picture, suffix, QUALITY) if metadata else {"quality": QUALITY}
    with atomic_file(path) as temporary:
        try:
            # Not every format keeps the profile by itself, and Pillow's default JPEG is coarse.
            picture.save(temporary, icc_profile=profile, **options)
        except ValueError as error:
            raise ImageError(f"{path}: {error}; try .png or .jpg") from error


def save_animation(frames: Sequence[Image.Image], path: str | os.PathLike[str]) -> None:
    """Write frames as an endless GIF (or another animated format), atomically.

    Raises:
        ImageError: If Pillow can't write the format.
        SaveError: If the file can't be written.
    """
    check_suffix(path)
    with atomic_file(path) as temporary:
        frames[0].save(
            temporary, save_all=True, append_images=frames[1:], duration=FRAME_MILLISECONDS, loop=0
        )


def check_suffix(path: str | os.PathLike[str]) -> None:
    """Raise ImageError unless Pillow writes the format that a file's suffix names."""
    suffix = Path(path).suffix.lower()
    Image.preinit()
    if (
        Image.EXTENSION.get(suffix) in Image.SAVE
    ):  # one of the common formats; to know all others takes a while
        return
    writable = {s for s, name in Image.registered_extensions().items() if name in Image.SAVE}
    if suffix not in writable:
        raise ImageError(f"{path}: no image format has the suffix {suffix!r}; try .png or .jpg")
