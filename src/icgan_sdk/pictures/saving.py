"""Saving pictures and animations as a whole or not at all, with the metadata that edits keep."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from icgan_sdk.errors import ImageError
from icgan_sdk.files import atomic_file
from icgan_sdk.pictures.opening import on_white

ORIENTATION = 0x0112
"""EXIF tag: how the pixels lie, which an upright photo doesn't need."""

JPEG_SUFFIXES, LONGEST_IN_JPEG = frozenset({".jpg", ".jpeg"}), 65533
"""Suffixes of JPEG files, and how many bytes of EXIF data one holds; other formats hold more."""

PARTS = (0x8769, 0x8825)
"""EXIF tags of the directories within: the camera's settings, and the place.

Another one holds a small copy of the picture, which would still show the photo as it was.
"""

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


def metadata_of(picture: Image.Image) -> dict[str, Any]:
    """Keys for ``Image.info``, named as Pillow's writers take them.

    ``exif``: EXIF data without orientation and thumbnail; ``qtables`` and ``subsampling``: how a
    JPEG was compressed.
    """
    found: dict[str, Any] = {}
    try:  # Pillow's parser of damaged data raises whatever it meets
        if exif := _exif(picture):
            found["exif"] = exif
    except Exception:
        found = {}
    if isinstance(picture, JpegImageFile) and getattr(picture, "quantization", None):
        found |= {"qtables": picture.quantization, "subsampling": get_sampling(picture)}
    return found


def _exif(picture: Image.Image) -> bytes:
    old, new = picture.getexif(), Image.Exif()
    for tag, value in old.items():
        if tag != ORIENTATION and tag not in PARTS:
            new[tag] = value
    for part in PARTS:
        if within := old.get_ifd(part):
            new.get_ifd(part).update(within)
            new[part] = 0  # where it lies, which is filled in when it is written
    return new.tobytes() if len(new) else b""


def for_writing(picture: Image.Image, suffix: str, quality: int) -> dict[str, Any]:
    """Options for `Image.save` that keep what `metadata_of` found, as far as the format can."""
    options: dict[str, Any] = {"quality": quality}
    exif, is_jpeg = picture.info.get("exif"), suffix in JPEG_SUFFIXES
    fits = exif is not None and not (is_jpeg and len(exif) > LONGEST_IN_JPEG)
    if fits and (is_jpeg or suffix in {".png", ".webp", ".tif", ".tiff"}):
        options["exif"] = exif
    tables = picture.info.get("qtables")
    if tables and is_jpeg and picture.mode in {"L", "RGB"}:
        del options["quality"]
        options |= {"qtables": tables, "subsampling": max(0, picture.info["subsampling"])}
    return options
