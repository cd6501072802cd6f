"""The square, the part of a picture that a model sees: where it lies, and cutting it out."""

from PIL import Image

from icgan_sdk.config import Crop, ModelConfig

FRAME_TOLERANCE = 0.01
"""By how much proportions may differ from the frame's."""


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
