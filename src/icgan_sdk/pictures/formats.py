"""The formats of pictures that are opened: one list for every path that reads pictures."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO

from PIL import Image, ImageFile, UnidentifiedImageError

from icgan_sdk.checks import require
from icgan_sdk.errors import ConfigError, ImageError, warn_of_photo
from icgan_sdk.pictures.png import ColourSignal, colour_signal, is_png, without_large_texts
from icgan_sdk.pictures.profiles import PRIMARIES, profile_for

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

RAW_SUFFIXES = frozenset(
    {
        ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".iiq", ".mef", ".mrw", ".nef",
        ".nrw", ".orf", ".pef", ".raf", ".rw2", ".sr2", ".srf", ".srw", ".x3f",
    }
)  # fmt: skip
"""Suffixes, in small letters, of what cameras' sensors saw, which must be developed."""

CURVES: Mapping[int, float | None] = {4: 2.2, 5: 2.8, 8: 1.0, 13: None}
"""Exponents of the transfer functions that PNGs name (ITU-T H.273); None: sRGB's."""

HDR: Mapping[int, str] = {16: "PQ", 18: "HLG"}

USUAL_GAMMA, NEAR_ENOUGH = 2.2, 0.1
"""The exponent of a PNG whose gamma says nothing, and how far others may be from it."""

KIND_OF_PICTURE, RAW_VERSION = 254, 50706
"""TIFF tags: bit 0 says that a picture is a smaller copy of another; DNG's version."""

HEIF_SUFFIXES = (".heic", ".heif", ".hif")


def open_listed(source: str | os.PathLike[str] | IO[bytes]) -> ImageFile.ImageFile:
    """Open a picture's file, not yet decoded, if its format is in the list.

    Of a PNG, texts that are too large to unpack are left aside, and colours that it names by
    numbers become a profile.

    Raises:
        PIL.UnidentifiedImageError: If it is not; files can fail in many other ways too.
        ImageError: If all that can be read of it is a preview.
    """
    source = _seekable(source)
    signal = None
    with _bytes_of(source) as file:
        if is_png(file):
            signal = colour_signal(file)
            slim = without_large_texts(file)
            source = source if slim is file else slim
    try:
        picture = Image.open(source, formats=COMMON)
    except UnidentifiedImageError:
        picture = Image.open(source, formats=_known_formats())
    if picture.format == "PNG":
        _explain_colours(picture, signal)
    elif picture.format in {"TIFF", "MPO"}:
        _seek_whole_picture(picture)
    return picture


def _bytes_of(source: str | os.PathLike[str] | IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    """A file opened for reading; what was opened already stays open."""
    return Path(source).open("rb") if isinstance(source, str | os.PathLike) else nullcontext(source)


def _explain_colours(picture: Image.Image, signal: ColourSignal | None) -> None:
    """Give a PNG the profile of the colours that its chunks cICP or gAMA name."""
    if signal is not None:
        if signal.transfer in HDR:
            name = HDR[signal.transfer]
            warn_of_photo(f"an HDR picture ({name}): its colours are taken as they are, too pale")
        elif signal.transfer in CURVES and signal.primaries in PRIMARIES:
            curve = CURVES[signal.transfer]
            picture.info["icc_profile"] = profile_for(signal.primaries, curve)
        return
    gamma = picture.info.get("gamma")
    if not gamma or {"icc_profile", "srgb"} & picture.info.keys():
        return
    exponent = 1.0 / float(gamma)
    if abs(exponent - USUAL_GAMMA) > NEAR_ENOUGH and 0.4 < exponent < 4.0:
        picture.info["icc_profile"] = profile_for(1, exponent)


def _seek_whole_picture(picture: ImageFile.ImageFile) -> None:
    """Take a TIFF's picture instead of the preview that comes first, as in cameras' raw files.

    Raises:
        ImageError: If there is none that can be read.
    """
    tags = getattr(picture, "tag_v2", None)
    if tags is None or not (tags.get(KIND_OF_PICTURE, 0) & 1 or RAW_VERSION in tags):
        return
    sizes = []
    for frame in range(getattr(picture, "n_frames", 1)):
        picture.seek(frame)
        reduced = picture.tag_v2.get(KIND_OF_PICTURE, 0) & 1  # type: ignore[attr-defined]
        sizes.append((not reduced, picture.width * picture.height, frame))
    whole, _, frame = max(sizes)
    picture.seek(frame)
    if not whole:
        size = f"{picture.width}×{picture.height}"
        picture.close()
        raise ImageError(
            f"a raw photo: only its preview of {size} can be read; develop it first, and edit the "
            "JPEG or TIFF"
        )


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
