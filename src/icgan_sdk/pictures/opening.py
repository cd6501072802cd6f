"""Opening pictures: files, PIL images and arrays become upright PIL images, grey or RGB."""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO, TextIOBase
from typing import IO, TYPE_CHECKING, Any, TypeGuard, Union

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from icgan_sdk.errors import IcGANError, ImageError, ShapeError
from icgan_sdk.pictures.colour import SPACES, from_deep, profile_of, to_srgb
from icgan_sdk.pictures.formats import HEIF_SUFFIXES, add_heif, open_listed, refuse_programs

if TYPE_CHECKING:
    from torch import Tensor

Source = Image.Image | str | os.PathLike[str] | IO[bytes]
"""What Pillow reads: a picture, or a file by its path or opened."""

Picture = Source | bytes | npt.NDArray[np.uint8]
"""One picture, whatever its size: PIL, a file or its bytes, uint8 [H, W] or [H, W, C]."""

ImageLike = Union[Picture, "Tensor"]
"""One picture: a `Picture`, or a float tensor [C, H, W] in [-1, 1]."""


GREY_MODES = {"1", "L", "LA"}

MOST_PIXELS = 110_000_000
"""Of a picture: as many as phones' largest photos have. An edit of it stays below 1 GiB."""

ADDRESS = re.compile(r"(https?|ftp|file|data):", re.IGNORECASE)


def open_picture(source: Source, channels: int, name: str = "") -> Image.Image:
    """Read a picture as `as_mode` gives it.

    Args:
        source: A picture, or a file by its path or opened.
        channels: 1 (grey) or 3 (RGB).
        name: What messages call it; default: the file's name.

    Raises:
        ImageError: If the file is missing, not a picture in one of the formats that are opened,
            damaged or absurdly large, or the picture has no grey levels (mode "F").
    """
    with decoded(source, name) as picture:
        opened = as_mode(picture, channels)
        return opened.copy() if opened is source else opened


@contextmanager
def decoded(source: Source, name: str = "") -> Iterator[Image.Image]:
    """A picture as it is in its file, but upright; the file is closed in the end.

    Args:
        source: A picture, or a file by its path or opened.
        name: What messages call it; default: the file's name.

    Raises:
        ImageError: If the file is missing, not a picture, damaged or absurdly large; also where
            only the block's use of the picture finds that out.
    """
    with _naming(name or name_of(source)):
        if isinstance(source, Image.Image):
            refuse_programs(source)
            yield source
        else:
            with open_listed(source) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise Image.DecompressionBombError
                turn_upright(picture)  # so that a large one is not kept twice
                yield picture


@contextmanager
def _naming(file: str) -> Iterator[None]:
    """Turn whatever a decoder raises into an ImageError that names the picture."""
    name = file or "the picture"
    try:
        yield
    except ImageError as error:
        raise ImageError(f"{file}: {error}" if file else str(error)) from error
    except IcGANError:
        raise
    except FileNotFoundError as error:
        if ADDRESS.match(name):
            raise ImageError(f"{name} is an address, not a file: download it first") from error
        raise ImageError(f"no such image file: {name}") from error
    except UnidentifiedImageError as error:
        missing = add_heif() if name.lower().endswith(HEIF_SUFFIXES) else ""
        hint = f"; {missing}" if missing else ""
        raise ImageError(f"{name} is not an image in a format that is read{hint}") from error
    except IsADirectoryError as error:
        raise ImageError(
            f"{name} is a folder, not an image file: '{name}/*.jpg' names its pictures"
        ) from error
    except PermissionError as error:
        raise ImageError(f"{name} can't be read: permission denied") from error
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"{name} has more than {MOST_PIXELS // 10**6} million pixels: scale it down first"
        ) from error
    # Decoders of damaged files were seen to raise errors of a dozen kinds, MemoryError among them.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ImageError(f"{name} can't be read, it may be damaged: {reason}") from error


def name_of(source: object) -> str:
    """The name of a picture's file, for messages; empty if there is none."""
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else ""


def as_mode(picture: Image.Image, channels: int) -> Image.Image:
    """A picture upright (EXIF), as grey ("L") or colour ("RGB") in sRGB, alpha laid on white.

    Colours are converted from the profile that the picture embeds. Where nothing is to be done,
    the picture itself comes back.

    Raises:
        ImageError: If the picture has no pixels or no grey levels (mode "F").
    """
    flat = to_srgb(in_own_colours(picture), profile_of(picture))
    return in_mode(flat, "L" if channels == 1 else "RGB")


def in_mode(picture: Image.Image, mode: str) -> Image.Image:
    """A picture in a mode; itself if it is in that mode, where Pillow's `convert` copies it."""
    return picture if picture.mode == mode else picture.convert(mode)


def in_own_colours(picture: Image.Image) -> Image.Image:
    """A picture upright (EXIF), alpha laid on white, in the colours that its profile speaks of.

    Returns:
        Mode "L", "RGB", "CMYK" or "LAB", in 8 bits; the picture itself if it is all that.

    Raises:
        ImageError: If the picture has no pixels or no grey levels (mode "F").
    """
    if picture.mode == "F":
        raise ImageError("floating-point pictures (mode F) have no grey levels: convert them first")
    if 0 in picture.size:
        raise ImageError("the picture has no pixels")
    if picture.mode == "La":  # the only mode that Pillow converts it to
        picture = picture.convert("LA")
    picture.load()  # a file's, before it is closed
    picture = upright(picture)
    if picture.mode.startswith("I"):
        picture = from_deep(picture)
    mode = "L" if picture.mode in GREY_MODES else picture.mode
    if picture.has_transparency_data:
        picture = on_white(picture)
    return in_mode(picture, mode if mode in SPACES or mode == "LAB" else "RGB")


def upright(picture: Image.Image) -> Image.Image:
    """A picture turned as its EXIF data says; itself where they say nothing or are damaged."""
    if not _is_turned(picture):
        return picture
    turned = picture.copy()
    turn_upright(turned)
    return turned


def turn_upright(picture: Image.Image) -> None:
    """Turn a picture in place as its EXIF data says, unless they are damaged."""
    if _is_turned(picture):
        with suppress(Exception):
            ImageOps.exif_transpose(picture, in_place=True)


def _is_turned(picture: Image.Image) -> bool:
    # Pillow parses the data only here, and its parser raises whatever it meets.
    try:
        return bool(picture.getexif().get(ExifTags.Base.Orientation, 1) != 1)
    except Exception:
        return False


def on_white(picture: Image.Image) -> Image.Image:
    """A transparent picture on white, in mode "RGBA"."""
    rgba = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)


def check_picture(image: object) -> Source:
    """A PIL image, path or file as it is, a uint8 array as a PIL image, bytes as a file.

    Raises:
        ShapeError: If it is none of these, or the array doesn't fit.
    """
    if isinstance(image, np.ndarray):
        return _from_array(image)
    if isinstance(image, bytes):
        return BytesIO(image)
    if isinstance(image, TextIOBase):
        raise ShapeError("the picture's file is opened as text: open it with mode 'rb'")
    if not _is_source(image):
        raise ShapeError(
            "an image must be a PIL image, a path, bytes, a file, an array or a tensor, "
            f"not {type(image).__name__}"
        )
    return image


def _is_source(image: object) -> "TypeGuard[Source]":
    return isinstance(image, (Image.Image, str, os.PathLike)) or hasattr(image, "read")


def is_tensor(image: object) -> "TypeGuard[Tensor]":
    """Whether something is a tensor; does not import torch, without which there are none."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(image, torch.Tensor)


def listed(images: object) -> tuple[list[Any], bool]:
    """Pictures one by one, whether one or several are given.

    Args:
        images: One picture; or a tensor [B, C, H, W], a uint8 array [B, H, W, C] or any iterable
            of pictures.

    Returns:
        The pictures, not yet looked at, and whether one single was given.

    Raises:
        ShapeError: If it is nothing of that, or empty.
    """
    if is_tensor(images) or isinstance(images, np.ndarray):
        several = images.ndim == 4
    else:
        several = isinstance(images, Iterable) and not isinstance(images, bytes | str)
        several = several and not _is_source(images)
    if not several:
        return [images], True
    pictures = list(images)  # type: ignore[call-overload]  # an iterable, as was just seen
    if not pictures:
        raise ShapeError("no images given: the sequence is empty")
    return pictures, False


def _from_array(array: npt.NDArray[Any]) -> Image.Image:
    if array.dtype != np.uint8:
        hint = ": icgan_sdk.from_floats makes one of it" if array.dtype.kind == "f" else ""
        raise ShapeError(f"expected a uint8 array, not {array.dtype}{hint}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if (
        array.ndim not in {2, 3}
        or array.size == 0
        or (array.ndim == 3 and array.shape[2] not in {3, 4})
    ):
        raise ShapeError(f"expected an array [H, W] or [H, W, 1, 3 or 4], not {list(array.shape)}")
    return Image.fromarray(np.ascontiguousarray(array))
