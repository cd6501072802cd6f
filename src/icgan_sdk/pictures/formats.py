"""The formats of pictures that are opened: one list for every path that reads pictures."""

import os
from functools import lru_cache
from io import BytesIO
from typing import IO

from PIL import Image, ImageFile, UnidentifiedImageError

from icgan_sdk.checks import require
from icgan_sdk.errors import ConfigError, ImageError

FORMATS = (
    "JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "DIB", "TIFF", "JPEG2000", "MPO",
    "ICO", "ICNS", "CUR", "PPM", "PSD", "QOI", "DDS", "PCX", "DCX", "SGI", "SUN", "FITS", "MSP",
    "XBM", "XPM", "IM", "TGA",
)  # fmt: skip
"""Pillow's names of formats that are decoded in this process alone.

Pillow chooses by content, not by suffix. For EPS it runs Ghostscript on the file's PostScript
program; for others it calls whatever handler is installed. Formats that are told from others only
by trying come last.
"""

COMMON = ("JPEG", "PNG")
"""Tried first: the modules of all others take a while to import."""

HEIF_SUFFIXES = (".heic", ".heif", ".hif")


def open_listed(source: str | os.PathLike[str] | IO[bytes]) -> ImageFile.ImageFile:
    """Open a picture's file, not yet decoded, if its format is in the list.

    Raises:
        PIL.UnidentifiedImageError: If it is not; files can fail in many other ways too.
    """
    source = _seekable(source)
    try:
        return Image.open(source, formats=COMMON)
    except UnidentifiedImageError:
        return Image.open(source, formats=_known_formats())


def _seekable(source: str | os.PathLike[str] | IO[bytes]) -> str | os.PathLike[str] | IO[bytes]:
    # It may be opened twice; what a pipe held would be gone after the first time.
    if isinstance(source, str | os.PathLike):
        return source
    try:
        source.seek(0)
    except (AttributeError, OSError):
        return BytesIO(source.read())
    return source


def refuse_programs(picture: Image.Image) -> None:
    """Raise ImageError for a picture that Pillow would decode by starting a program."""
    if picture.format == "EPS" and getattr(picture, "tile", None):
        raise ImageError("PostScript is a program and is not run: convert it to a picture first")


def picture_suffixes() -> frozenset[str]:
    """The suffixes, in small letters, by which files count as pictures.

    Some may turn out unreadable: those of HEIF without the extra ``photo``, and of PostScript.
    """
    names = {*_known_formats(), "MPO", "EPS"}
    known = (suffix for suffix, name in Image.registered_extensions().items() if name in names)
    return frozenset((*known, *HEIF_SUFFIXES))


@lru_cache(maxsize=1)
def add_heif() -> str:
    """Let Pillow read HEIF, a format of phones; gives why it can't, or nothing."""
    try:
        require("pi_heif", "HEIF files need pip install 'icgan-sdk[photo]'")
    except ConfigError as error:
        return str(error)
    from pi_heif import register_heif_opener

    register_heif_opener()
    return ""


@lru_cache(maxsize=1)
def _known_formats() -> tuple[str, ...]:
    # Pillow fails on names that it doesn't know, like AVIF in older releases.
    add_heif()
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)
