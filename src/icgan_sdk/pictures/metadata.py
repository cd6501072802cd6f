"""What an edited photo keeps of its original beside the pixels: a list of what may be kept.

Tags that tell how a file is laid out, or that hold another picture, belong to that file alone.
"""

from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

CAMERA, PLACE = 0x8769, 0x8825
"""EXIF tags of the directories within: the camera's settings, and the place."""

KEPT = frozenset(
    {
        0x010D, 0x010E, 0x010F, 0x0110,  # name, description, maker, model
        0x011A, 0x011B, 0x0128,  # resolution
        0x0131, 0x0132, 0x013B, 0x013C,  # software, time, artist, computer
        0x4746, 0x4749, 0x8298,  # ratings, copyright
        0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F,  # Windows' title to subject
    }
)  # fmt: skip
"""EXIF tags of the photo as a whole that tell of it."""

KEPT_OF_CAMERA = frozenset(
    {
        0x829A, 0x829D, 0x8822, 0x8824, 0x8827, *range(0x8830, 0x8836),  # exposure, sensitivity
        0x9000, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012,  # version, times
        *range(0x9201, 0x920B), 0x9286, 0x9290, 0x9291, 0x9292,  # lens, flash, comment, times
        *range(0x9400, 0x9406),  # surroundings
        0xA000, 0xA001, 0xA002, 0xA003, 0xA20B, 0xA217,  # colours, size, flash, sensor
        0xA300, 0xA301, *range(0xA401, 0xA40B), 0xA40C, 0xA420,  # scene, settings, number
        *range(0xA430, 0xA436),  # owner, lens
    }
)  # fmt: skip
"""EXIF tags of the camera's directory that tell of the photo. Maker notes are not among them:
nobody knows what they hold, often a small copy of the unedited photo."""

WIDTH, HEIGHT = 0xA002, 0xA003
"""EXIF tags in the camera's directory that repeat the picture's size."""

EXIF_FORMATS = frozenset({"JPEG", "MPO", "PNG", "TIFF", "WEBP", "AVIF"})
"""Formats in which Pillow writes EXIF data."""

JPEG_SUFFIXES, LONGEST_IN_JPEG = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"}), 65533
"""Suffixes of JPEG files, and how many bytes of EXIF data one holds; other formats hold more."""


QUALITY, TIFF = 92, "raw"
"""Quality of lossy formats, on Pillow's scale to 100, and the compression of TIFF: libtiff, which
Pillow needs for any other, refuses the directories within EXIF data."""


def metadata_of(picture: Image.Image) -> dict[str, Any]:
    """Keys for ``Image.info``, named as Pillow's writers take them.

    ``exif``: what is kept of the EXIF data; ``dpi``: the resolution; ``qtables`` and
    ``subsampling``: how a JPEG was compressed.
    """
    found: dict[str, Any] = {}
    try:  # Pillow's parser of damaged data raises whatever it meets
        if exif := _exif(picture):
            found["exif"] = exif
    except Exception:
        found = {}
    dpi = picture.info.get("dpi")
    if isinstance(dpi, tuple) and len(dpi) == 2 and all(_is_positive(x) for x in dpi):
        found["dpi"] = (float(dpi[0]), float(dpi[1]))
    if isinstance(picture, JpegImageFile) and getattr(picture, "quantization", None):
        found |= {"qtables": picture.quantization, "subsampling": get_sampling(picture)}
    return found


def how_to_write(suffix: str) -> dict[str, Any]:
    """Options for `Image.save` of a picture of which nothing is known.

    TIFF is told its compression, which Pillow would else take from the file that was read.
    """
    return {"compression": TIFF} if format_of(suffix) == "TIFF" else {"quality": QUALITY}


def for_writing(picture: Image.Image, suffix: str) -> dict[str, Any]:
    """Options for `Image.save` that keep what `metadata_of` found, as far as the format can."""
    options: dict[str, Any] = {}
    kind, is_jpeg = format_of(suffix), suffix in JPEG_SUFFIXES
    exif = _of_size(picture.info.get("exif"), picture.size)
    if exif and kind in EXIF_FORMATS and not (is_jpeg and len(exif) > LONGEST_IN_JPEG):
        options["exif"] = exif
    if "dpi" in picture.info:
        options["dpi"] = picture.info["dpi"]
    tables = picture.info.get("qtables")
    if tables and is_jpeg and picture.mode in {"L", "RGB"}:
        options |= {"qtables": tables, "subsampling": max(0, picture.info["subsampling"])}
    return options


def format_of(suffix: str) -> str:
    """Pillow's name of the format with a suffix; "" if it knows none."""
    Image.preinit()
    return Image.EXTENSION.get(suffix) or Image.registered_extensions().get(suffix, "")


def _exif(picture: Image.Image) -> bytes:
    old, new = picture.getexif(), Image.Exif()
    _copy(old, new, KEPT)
    for part, kept in ((CAMERA, KEPT_OF_CAMERA), (PLACE, frozenset(ExifTags.GPSTAGS))):
        within = {tag: value for tag, value in old.get_ifd(part).items() if tag in kept}
        if within:
            new.get_ifd(part).update(within)
            new[part] = 0  # where it lies, which is filled in when it is written
    return new.tobytes() if len(new) else b""


def _copy(old: Mapping[int, Any], new: Image.Exif, kept: frozenset[int]) -> None:
    for tag in kept & set(old):
        new[tag] = old[tag]


def _of_size(exif: object, size: tuple[int, int]) -> bytes:
    """EXIF data that tell the size of the picture as it is, if they tell any."""
    if not isinstance(exif, bytes):
        return b""
    data = Image.Exif()
    data.load(exif)
    camera = data.get_ifd(CAMERA) if CAMERA in data else {}
    for tag, pixels in ((WIDTH, size[0]), (HEIGHT, size[1])):
        if tag in camera:
            camera[tag] = pixels
    return data.tobytes()


def _is_positive(value: object) -> bool:
    try:
        return 0 < float(value) < 1e6  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return False
