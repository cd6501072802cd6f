"""What a photo's file says beside its pixels, for the file of the edited photo."""

from typing import Any

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

ORIENTATION = 0x0112
"""EXIF tag: how the pixels lie, which an upright photo doesn't need."""

JPEG_SUFFIXES, LONGEST_IN_JPEG = frozenset({".jpg", ".jpeg"}), 65533
"""Suffixes of JPEG files, and how many bytes of EXIF data one holds; other formats hold more."""

PARTS = (0x8769, 0x8825)
"""EXIF tags of the directories within: the camera's settings, and the place.

Another one holds a small copy of the picture, which would still show the photo as it was.
"""


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
