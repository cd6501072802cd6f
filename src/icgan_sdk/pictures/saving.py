"""Saving pictures and animations as a whole or not at all, with the metadata that edits keep."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from icgan_sdk.errors import ImageError, SaveError
from icgan_sdk.files import atomic_file
from icgan_sdk.pictures.metadata import for_writing, format_of, how_to_write
from icgan_sdk.pictures.opening import on_white

FRAME_MILLISECONDS = 80
"""How long an animation shows each frame."""

COMPARED = frozenset({"JPEG", "MPO", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP", "JPEG2000"})
"""Formats whose files are opened again and compared; others change the size, or can't be read."""

COMPARED_SIDE, MOST_DIFFERENT = 4, 32.0
"""Side at which they are compared, and the mean difference in levels that all formats keep: even of
noise, whose colours JPEG loses, the means of large parts stay."""

DRAFT = 64
"""Side down to which large pictures are brought first."""

MOST_COMPARED = 30_000_000
"""Pixels up to which formats are decoded for it that can't be decoded small, as JPEG can."""

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
        SaveError: If the file can't be written, or shows something else when it is read again; a
            file that was there before then stays.
    """
    check_suffix(path)
    suffix = Path(path).suffix.lower()
    profile, info = picture.info.get("icc_profile"), picture.info
    if "A" in picture.mode and suffix in OPAQUE_SUFFIXES:
        picture = on_white(picture).convert("L" if picture.mode == "LA" else "RGB")
        picture.info = info
    options = for_writing(picture, suffix) if metadata else {}
    if "qtables" not in options:  # which a quality would scale
        options |= how_to_write(suffix)
    picture = _plain(picture)
    with atomic_file(path) as temporary:
        try:
            # Not every format keeps the profile by itself, and Pillow's default JPEG is coarse.
            picture.save(temporary, icc_profile=profile, **options)
        except (ValueError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # of the disk; Pillow's own have no number
            raise ImageError(f"{path}: {error}; try .png or .jpg") from error
        _check_written(temporary, picture, format_of(suffix), os.fspath(path))


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


def _plain(picture: Image.Image) -> Image.Image:
    """A picture without what its file said: writers would take tags and compression over."""
    if type(picture) is Image.Image:
        return picture
    plain = picture.copy()
    plain.info = {}
    return plain


def _check_written(written: Path, picture: Image.Image, kind: str, name: str) -> None:
    """Open what was written, while the file of that name which it replaces is still there.

    Raises:
        SaveError: If it can't be read, or shows something else.
    """
    if kind not in COMPARED:
        return
    large = picture.width * picture.height > MOST_COMPARED and kind != "JPEG"
    try:
        with Image.open(written, formats=[kind]) as again:
            same = again.size == picture.size
            small = _small(again) if same and not large else None
    except Exception as error:  # whatever a decoder raises
        raise SaveError(f"{name} can't be read after writing it: {error}") from error
    if small is not None:
        same = float(np.abs(small - _small(picture)).mean()) <= MOST_DIFFERENT
    if not same:
        raise SaveError(f"{name} would show something else than the picture, and is not written")


def _small(picture: Image.Image) -> npt.NDArray[np.float32]:
    """The means of a picture's parts, decoded no further than that needs."""
    picture.draft("RGB", (DRAFT, DRAFT))  # JPEG decodes at an eighth
    factor = max(1, min(picture.size) // DRAFT)
    if factor > 1 and picture.mode in {"L", "LA", "RGB", "RGBA"}:
        picture = picture.reduce(factor)
    side = (COMPARED_SIDE, COMPARED_SIDE)
    small = on_white(picture).convert("RGB").resize(side, Image.Resampling.BOX)
    return np.asarray(small, np.float32)
