"""Pictures and images: what users give as the networks' input, their output as pictures.

A model sees a square of a picture; `fit_picture` cuts it out.

Torch is imported only where tensors are taken or given, so that exported models run without it.
"""

from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from icgan_sdk.config import Crop, ModelConfig
from icgan_sdk.errors import ShapeError

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float32]
Batch = TypeVar("Batch", Floats, "Tensor")

PIXEL_TOLERANCE = 1e-3
"""How far beyond [-1, 1] the values of a tensor may lie."""

FRAME_TOLERANCE = 0.01
"""By how much proportions may differ from the frame's."""


def from_floats(
    array: npt.NDArray[np.floating], *, low: float = 0.0, high: float = 1.0
) -> npt.NDArray[np.uint8]:
    """A picture, or several, of floating-point numbers as the bytes that the models' methods take.

    Args:
        array: [H, W], [H, W, C] or [B, H, W, C].
        low: What black is.
        high: What white is. Which of the usual ranges an array has is never guessed.

    Returns:
        uint8 of the same shape, rounded.

    Raises:
        ShapeError: If the numbers are no floats, or not finite, or lie outside the range.
    """
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        found = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise ShapeError(f"expected an array of floats, not {found}")
    if not np.isfinite(array).all():
        raise ShapeError("some numbers are not finite (NaN or infinity)")
    if not high > low:
        raise ShapeError(f"white ({high}) must be more than black ({low})")
    share = (array.astype(np.float64) - low) / (high - low)
    if array.size and not -PIXEL_TOLERANCE <= share.min() <= share.max() <= 1 + PIXEL_TOLERANCE:
        raise ShapeError(
            f"numbers from {array.min():g} to {array.max():g} are outside {low:g} to {high:g}: say "
            "with low and high what black and white are"
        )
    bytes_: npt.NDArray[np.uint8] = (share.clip(0, 1) * 255).round().astype(np.uint8)
    return bytes_


def picture_to_array(picture: Image.Image, config: ModelConfig) -> Floats:
    """A model's square as its networks' input.

    Args:
        picture: "L" or "RGB", of the model's picture size.
        config: The model's.

    Returns:
        [C, image_size, image_size] in [-1, 1], padded.
    """
    pixels = np.asarray(picture)[None]
    images = pixels_to_array(pixels if config.channels > 1 else pixels[..., None])
    return _pad(images[0], config)


def tensor_to_array(image: "Tensor", config: ModelConfig) -> Floats:
    """A user's float tensor [C, H, W] as the networks' input.

    Args:
        image: In [-1, 1], of the size of the model's pictures or photos (padded or not).
        config: The model's.

    Returns:
        [C, P, P] in [-1, 1] on the CPU, padded, P being the side of `ModelConfig.photo`; smaller
        pictures are scaled up.

    Raises:
        ShapeError: If it doesn't fit.
    """
    if image.ndim != 3:
        raise ShapeError(f"a tensor must be [C, H, W] or [B, C, H, W], not {list(image.shape)}")
    values = _check_tensor(image, config)
    photo = config.photo
    if len(values[0]) in {photo.picture_size, photo.image_size}:
        return _pad(values, photo)
    return _enlarge(_pad(values, config), photo.image_size)


def _check_tensor(image: "Tensor", config: ModelConfig) -> Floats:
    photo = config.photo
    sizes = {c_size for c in (photo, config) for c_size in (c.picture_size, c.image_size)}
    channels, height, width = image.shape
    if channels != config.channels or height != width or height not in sizes:
        raise ShapeError(
            f"expected a tensor [{config.channels}, {photo.picture_size}, {photo.picture_size}] "
            f"for each picture, not {list(image.shape)}; give other sizes as PIL images, they are "
            "cropped and scaled"
        )
    if not image.is_floating_point():
        raise ShapeError(f"expected a float tensor in [-1, 1], not {image.dtype}")
    values: Floats = image.detach().cpu().float().numpy()
    if not np.isfinite(values).all() or np.abs(values).max() > 1 + PIXEL_TOLERANCE:
        raise ShapeError("expected tensor values in [-1, 1]; scale uint8 pixels by x / 127.5 - 1")
    return values


def _enlarge(image: Floats, side: int) -> Floats:
    from torch import from_numpy
    from torch.nn.functional import interpolate

    large: Floats = interpolate(from_numpy(image[None]), (side, side), mode="bilinear")[0].numpy()
    return large


def _pad(image: Floats, config: ModelConfig) -> Floats:
    if image.shape[-1] == config.image_size:
        return image
    around = (config.padding, config.padding)
    return np.pad(image, [(0, 0), around, around], constant_values=-1.0)


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


def fit_picture(picture: Image.Image, size: int, crop: Crop | None = None) -> Image.Image:
    """Cut out the square that a model sees and resample it once, with antialiasing.

    A picture with the proportions of `crop.frame` is cut to the crop's box, any other to its centre
    square. A picture of the right size stays unchanged.

    Args:
        picture: Any size.
        size: Side of the result, pixels.
        crop: The box of aligned pictures.
    """
    return resample(picture, (size, size), fitting_box(*picture.size, crop))


def fitting_box(width: int, height: int, crop: Crop | None) -> tuple[float, float, float, float]:
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
        return False  # most square pictures are finished crops, not whole frames
    return abs(width * frame_height / (height * frame_width) - 1) < FRAME_TOLERANCE


def needs_alignment(picture: Image.Image, config: ModelConfig) -> bool:
    """Whether the model needs aligned faces, and this is neither an aligned frame nor its crop."""
    if config.faces is None or config.crop is None:
        return False
    sides = {config.picture_size, config.photo.picture_size}
    finished = picture.width == picture.height and picture.width in sides
    return not (finished or shows_frame(*picture.size, config.crop))
