"""Pictures in and out: files, PIL, arrays and tensors to the networks' input and back.

Brings in torch only where it gives or takes tensors: exported models run without it.
"""

import os
import struct
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Union

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from icgan_sdk.config import Crop, ModelConfig
from icgan_sdk.errors import ImageError, ShapeError
from icgan_sdk.files import atomic_file

if TYPE_CHECKING:
    from torch import Tensor

Picture = Image.Image | str | os.PathLike[str] | npt.NDArray[np.uint8]
"""One picture, whatever its size: PIL, a file, uint8 [H, W] or [H, W, C]."""

ImageLike = Union[Picture, "Tensor"]
"""One picture: what `Picture` is, or a tensor, float [C, H, W] in [-1, 1]."""

Floats = npt.NDArray[np.float32]
Batch = TypeVar("Batch", Floats, "Tensor")

DECODE_ERRORS: tuple[type[Exception], ...] = (
    OSError, ValueError, SyntaxError, RuntimeError, EOFError, struct.error,
    Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow's decoders raise on damaged files; AVIF's a RuntimeError."""

QUALITY = 92
"""Of pictures written with loss, on Pillow's scale to 100."""

HEIF_SUFFIXES = (".heic", ".heif", ".hif")

PIXEL_TOLERANCE = 1e-3
FRAME_TOLERANCE = 0.01


def open_picture(source: Image.Image | str | os.PathLike[str], channels: int) -> Image.Image:
    """Read a picture upright (EXIF), as grey ("L") or colour ("RGB"), alpha laid on white.

    Raises:
        ImageError: If the file is missing, not a picture, damaged or absurdly large.
    """
    if isinstance(source, Image.Image):
        return _as_mode(source, channels)
    path, knows_heif = Path(source), add_heif()
    try:
        with Image.open(path) as picture:
            return _as_mode(picture, channels)
    except FileNotFoundError as error:
        raise ImageError(f"no such image file: {path}") from error
    except UnidentifiedImageError as error:
        heif = path.suffix.lower() in HEIF_SUFFIXES and not knows_heif
        hint = "; HEIF files need pip install 'icgan-sdk[photo]'" if heif else ""
        raise ImageError(f"{path} is not an image Pillow can read{hint}") from error
    except IsADirectoryError as error:
        raise ImageError(f"{path} is a folder, not an image file") from error
    except PermissionError as error:
        raise ImageError(f"{path} can't be read: permission denied") from error
    except DECODE_ERRORS as error:
        raise ImageError(f"{path} can't be read, it may be damaged: {error}") from error


@lru_cache(maxsize=1)
def add_heif() -> bool:
    """Let Pillow read HEIF, as phones save photos, where the extra ``photo`` is installed."""
    try:
        from pi_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def _as_mode(picture: Image.Image, channels: int) -> Image.Image:
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):
        picture = _from_deep(picture)
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return picture.convert("L" if channels == 1 else "RGB")


def _from_deep(picture: Image.Image) -> Image.Image:
    # Pillow's own conversion of 16-bit grey would clip at 255.
    values = np.asarray(picture).clip(0, 2**16 - 1)
    # Mode "I" holds 16-bit files, but also what was 8-bit before someone computed with it.
    if picture.mode != "I" or values.max(initial=0) > 255:
        values = values >> 8
    return Image.fromarray(values.astype(np.uint8))


def fit_picture(picture: Image.Image, size: int, crop: Crop | None = None) -> Image.Image:
    """Cut out the square a model sees and resample it once, with antialiasing.

    A picture with the proportions of `crop.frame` is cut by the crop's box, any other to its
    centre square. A picture of the right size passes unchanged.

    Args:
        picture: Any size.
        size: Side of the result, pixels.
        crop: The box of aligned pictures.
    """
    return resample(picture, (size, size), fitting_box(*picture.size, crop))


def fitting_box(
    width: int, height: int, crop: Crop | None = None
) -> tuple[float, float, float, float]:
    """What `fit_picture` cuts out of a picture of this size: left, top, right, bottom."""
    if crop is not None and shows_frame(width, height, crop):
        return crop.scaled_to(width, height)
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def resample(
    picture: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]
) -> Image.Image:
    """Scale the part of a picture inside `box` to `size`, with antialiasing."""
    width, height = map(float, size)
    if picture.size == size and box == (0.0, 0.0, width, height):
        return picture
    return picture.resize(size, Image.Resampling.BICUBIC, box=box)


def shows_frame(width: int, height: int, crop: Crop) -> bool:
    """Whether a picture's proportions are those of the crop's frame."""
    frame_width, frame_height = crop.frame
    if frame_width == frame_height:
        return False  # a square picture is far more often a finished crop than a whole frame
    return abs(width * frame_height / (height * frame_width) - 1) < FRAME_TOLERANCE


def needs_alignment(picture: Image.Image, config: ModelConfig) -> bool:
    """Whether the model knows aligned faces, and this is neither an aligned frame nor its crop."""
    return not (
        config.alignment is None
        or config.crop is None
        or picture.size == (config.picture_size, config.picture_size)
        or shows_frame(*picture.size, config.crop)
    )


def to_array(images: Picture | Sequence[Picture], config: ModelConfig) -> tuple[Floats, bool]:
    """Turn pictures into the networks' input, without torch.

    Args:
        images: One picture or a sequence of pictures.
        config: The model's.

    Returns:
        Array [B, C, image_size, image_size] in [-1, 1], and whether one single picture was given.

    Raises:
        ImageError: If a file can't be read.
        ShapeError: If an array doesn't fit.
    """
    if isinstance(images, (list, tuple)):
        _check_some(images)
        return np.concatenate([_prepare(image, config) for image in images]), False
    return _prepare(images, config), True


def to_batch(images: ImageLike | Sequence[ImageLike], config: ModelConfig) -> "tuple[Tensor, bool]":
    """Turn whatever the user gave into the networks' input.

    Args:
        images: One picture, a sequence of pictures, or a float tensor [B, C, H, W].
        config: The model's; float tensors must have its picture size (or image size, padded).

    Returns:
        Tensor [B, C, image_size, image_size] in [-1, 1] on the CPU, and whether one single
        picture was given.

    Raises:
        ImageError: If a file can't be read.
        ShapeError: If an array or tensor doesn't fit.
    """
    import torch

    if isinstance(images, torch.Tensor) and images.ndim == 4:
        return torch.from_numpy(_pad(_check_tensor(images, config), config)), False
    if isinstance(images, (list, tuple)):
        _check_some(images)
        return torch.cat([_one(image, config) for image in images]), False
    return _one(images, config), True


def _check_some(images: Sequence[object]) -> None:
    if not images:
        raise ShapeError("no images given: the sequence is empty")


def _one(image: Any, config: ModelConfig) -> "Tensor":
    import torch

    if isinstance(image, torch.Tensor):
        if image.ndim != 3:
            raise ShapeError(f"a tensor must be [C, H, W] or [B, C, H, W], not {list(image.shape)}")
        return torch.from_numpy(_pad(_check_tensor(image[None], config), config))
    return torch.from_numpy(_prepare(image, config))


def _prepare(image: Any, config: ModelConfig) -> Floats:
    picture = open_picture(check_picture(image), config.channels)
    picture = fit_picture(picture, config.picture_size, config.crop)
    pixels = np.asarray(picture)[None]
    return _pad(pixels_to_array(pixels if config.channels > 1 else pixels[..., None]), config)


def check_picture(image: object) -> Image.Image | str | os.PathLike[str]:
    """A PIL image or path as it is, a uint8 array as a PIL image.

    Raises:
        ShapeError: If it is none of these, or the array doesn't fit.
    """
    if isinstance(image, np.ndarray):
        return _from_array(image)
    if not isinstance(image, (Image.Image, str, os.PathLike)):
        raise ShapeError(
            "an image must be a PIL image, a path, an array or a tensor, "
            f"not {type(image).__name__}"
        )
    return image


def _check_tensor(images: "Tensor", config: ModelConfig) -> Floats:
    sizes = {config.picture_size, config.image_size}
    batch, channels, height, width = images.shape
    if batch < 1 or channels != config.channels or height != width or height not in sizes:
        raise ShapeError(
            f"expected a tensor [B, {config.channels}, {config.picture_size}, "
            f"{config.picture_size}], not {list(images.shape)}; give other sizes as PIL images, "
            "they are cropped and scaled"
        )
    if not images.is_floating_point():
        raise ShapeError(f"expected a float tensor in [-1, 1], not {images.dtype}")
    values: Floats = images.detach().cpu().float().numpy()
    if not np.isfinite(values).all() or np.abs(values).max() > 1 + PIXEL_TOLERANCE:
        raise ShapeError("expected tensor values in [-1, 1]; scale uint8 pixels by x / 127.5 - 1")
    return values


def _from_array(array: npt.NDArray[Any]) -> Image.Image:
    if array.dtype != np.uint8:
        raise ShapeError(f"expected a uint8 array, not {array.dtype}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if (
        array.ndim not in {2, 3}
        or array.size == 0
        or (array.ndim == 3 and array.shape[2] not in {3, 4})
    ):
        raise ShapeError(f"expected an array [H, W] or [H, W, 1, 3 or 4], not {list(array.shape)}")
    return Image.fromarray(np.ascontiguousarray(array))


def _pad(images: Floats, config: ModelConfig) -> Floats:
    if images.shape[-1] == config.image_size:
        return images
    around = (config.padding, config.padding)
    return np.pad(images, [(0, 0), (0, 0), around, around], constant_values=-1.0)


def pixels_to_array(pixels: npt.NDArray[np.uint8]) -> Floats:
    """uint8 [B, H, W, C] to float [B, C, H, W] in [-1, 1]; the same bits as `scale_pixels`."""
    return pixels.transpose(0, 3, 1, 2).astype(np.float32, order="C") / 127.5 - 1.0


def pixels_to_tensor(pixels: npt.NDArray[np.uint8]) -> "Tensor":
    """uint8 [B, H, W] or [B, H, W, C] to float [B, C, H, W] in [-1, 1]."""
    import torch

    if pixels.ndim == 3:
        pixels = pixels[..., None]
    if not pixels.flags.writeable:  # as Pillow's are: torch wants to own its memory
        pixels = pixels.copy()
    # PIL's arrays and memory maps are read-only, which torch warns about: those are copied.
    return scale_pixels(torch.from_numpy(np.require(pixels, requirements=["C", "W"])))


def scale_pixels(pixels: "Tensor") -> "Tensor":
    """uint8 [B, H, W, C] to float [B, C, H, W] in [-1, 1]."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1.0


def array_to_pixels(images: Floats) -> npt.NDArray[np.uint8]:
    """Float [B, C, H, W] in [-1, 1] to uint8 [B, H, W, C]."""
    with np.errstate(invalid="ignore"):  # pictures of a training that diverged
        pixels = ((images + 1.0) * 127.5).round().clip(0, 255).astype(np.uint8)
    return pixels.transpose(0, 2, 3, 1)


def tensor_to_pixels(images: "Tensor") -> npt.NDArray[np.uint8]:
    """Float [B, C, H, W] in [-1, 1] to uint8 [B, H, W, C]."""
    return array_to_pixels(images.detach().cpu().float().numpy())


def to_pictures(images: "Floats | Tensor", config: ModelConfig) -> list[Image.Image]:
    """The networks' output [B, C, image_size, image_size] as pictures, without padding."""
    if isinstance(images, np.ndarray):
        pixels = array_to_pixels(strip_padding(images, config))
    else:
        pixels = tensor_to_pixels(strip_padding(images, config))
    return [Image.fromarray(p[:, :, 0] if p.shape[2] == 1 else p) for p in pixels]


def strip_padding(images: Batch, config: ModelConfig) -> Batch:
    """[B, C, image_size, image_size] without the padding around the picture."""
    start, end = config.padding, config.image_size - config.padding
    return images[..., start:end, start:end]


def save_picture(picture: Image.Image, path: str | os.PathLike[str]) -> None:
    """Write a picture atomically, in the format its suffix names, with its colour profile.

    Raises:
        ImageError: If Pillow knows no such format.
        SaveError: If the file can't be written.
    """
    _check_suffix(path)
    with atomic_file(path) as temporary:
        # Not every format takes the profile by itself, and Pillow's JPEG is coarse by default.
        picture.save(temporary, quality=QUALITY, icc_profile=picture.info.get("icc_profile"))


def save_animation(
    frames: Sequence[Image.Image], path: str | os.PathLike[str], milliseconds: int = 80
) -> None:
    """Write frames as an endless GIF (or another animated format), atomically.

    Raises:
        ImageError: If Pillow knows no such format.
        SaveError: If the file can't be written.
    """
    _check_suffix(path)
    with atomic_file(path) as temporary:
        frames[0].save(
            temporary, save_all=True, append_images=frames[1:], duration=milliseconds, loop=0
        )


def _check_suffix(path: str | os.PathLike[str]) -> None:
    suffix = Path(path).suffix.lower()
    writable = {s for s, name in Image.registered_extensions().items() if name in Image.SAVE}
    if suffix not in writable:
        raise ImageError(f"{path}: no image format has the suffix {suffix!r}; try .png or .jpg")
