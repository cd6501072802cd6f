"""Pictures and images: what users give as the networks' input, their output as pictures.

Torch is imported only where tensors are taken or given, so that exported models run without it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ShapeError
from icgan_sdk.pictures.opening import ImageLike, Picture, check_picture, open_picture
from icgan_sdk.pictures.squares import fit_picture

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float32]
Batch = TypeVar("Batch", Floats, "Tensor")

PIXEL_TOLERANCE = 1e-3
"""How far beyond [-1, 1] the values of a tensor may lie."""


def to_array(images: Picture | Sequence[Picture], config: ModelConfig) -> tuple[Floats, bool]:
    """Turn pictures into the networks' input, without torch.

    Args:
        images: One picture or a sequence of pictures.
        config: The model's.

    Returns:
        Array [B, C, image_size, image_size] in [-1, 1], and whether a single picture was given.

    Raises:
        ImageError: If a file can't be read.
        ShapeError: If an array doesn't fit.
    """
    if isinstance(images, (list, tuple)):
        _check_some(images)
        return np.concatenate([_prepare(image, config) for image in images]), False
    return _prepare(images, config), True


def to_batch(images: ImageLike | Sequence[ImageLike], config: ModelConfig) -> "tuple[Tensor, bool]":
    """Turn what the user gave into the networks' input.

    Args:
        images: One picture, a sequence of pictures, or a float tensor [B, C, H, W].
        config: The model's; float tensors must have its picture size (or image size, padded).

    Returns:
        Tensor [B, C, image_size, image_size] in [-1, 1] on the CPU, and whether a single picture
        was given.

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
    if not pixels.flags.writeable:  # as Pillow's arrays and memory maps are; torch warns of those
        pixels = pixels.copy()
    return scale_pixels(torch.from_numpy(np.require(pixels, requirements=["C", "W"])))


def scale_pixels(pixels: "Tensor") -> "Tensor":
    """uint8 [B, H, W, C] to float [B, C, H, W] in [-1, 1]."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1.0


def array_to_pixels(images: Floats) -> npt.NDArray[np.uint8]:
    """Float [B, C, H, W] in [-1, 1] to uint8 [B, H, W, C]."""
    with np.errstate(invalid="ignore"):  # NaN, from networks that diverged
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
