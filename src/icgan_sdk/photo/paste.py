"""Putting what edits change back into photos, at the photos' own size."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from icgan_sdk.errors import ShapeError
from icgan_sdk.photo.placement import Matrix, bounds
from icgan_sdk.pictures.arrays import Floats
from icgan_sdk.pictures.colour import from_srgb, profile_of, to_srgb
from icgan_sdk.pictures.metadata import metadata_of
from icgan_sdk.pictures.opening import (
    check_picture,
    decoded,
    in_mode,
    in_own_colours,
    is_tensor,
    upright,
)

MARGIN = 1 / 16
"""Width of the square's margin, as a part of its side, over which a change fades to nothing."""

FINE = 8
"""How many times a change is enlarged smoothly; beyond that, linearly."""

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey, as Pillow has them (ITU-R 601)."""

EIGHT_BIT_MODES = {"L", "LA", "P", "PA", "RGB", "RGBA", "RGBa"}


def open_photo(image: object, channels: int) -> tuple[Image.Image, Image.Image]:
    """Read a photo as the model sees it, and with all that an edit should leave as it is.

    Args:
        image: PIL image, path or uint8 array.
        channels: 1 (grey) or 3 (RGB).

    Returns:
        The photo upright, as the model wants it ("L" or "RGB"); the same as it was, grey or
        coloured, in 8 bits, with its alpha channel, if it has one ("LA", "RGBA"), and in ``info``
        its colour profile, as far as that still fits, and `metadata_of` it.

    Raises:
        ImageError: If the file is missing, not a picture, damaged or absurdly large.
        ShapeError: If it is a tensor or else no photo.
    """
    if is_tensor(image):
        raise ShapeError("a tensor is no photo to paste back into: give a path, image or array")
    source = check_picture(image)
    with decoded(source) as picture:
        own, profile = in_own_colours(picture), profile_of(picture)
        if own is source:  # the caller's stays as it is
            own = own.copy()
        flat = in_mode(to_srgb(own, profile), "L" if channels == 1 else "RGB")
        return flat, _complete(picture, own, profile, flat)


def _complete(
    source: Image.Image, own: Image.Image, profile: bytes | None, flat: Image.Image
) -> Image.Image:
    if source.mode == "La":  # the only mode that Pillow converts it to
        source = source.convert("LA")
    # Other colours than the model's come back as the model saw them.
    keeps_colours = own.mode in {"L", flat.mode}
    result = own if keeps_colours else flat
    if source.has_transparency_data and source.mode in EIGHT_BIT_MODES:
        rgba = upright(source).convert("RGBA")
        result = (rgba if keeps_colours else flat).convert(result.mode)
        result.putalpha(rgba.getchannel("A"))
    # A profile of 16-bit grey is not one of 8-bit grey.
    fits = profile is not None and keeps_colours and source.mode in EIGHT_BIT_MODES
    kept = metadata_of(source)  # before what may be the source's own
    result.info = {"icc_profile": profile} if fits else {}
    result.info.update(kept)
    return result


def paste_changes(photo: Image.Image, changes: Floats, matrices: Sequence[Matrix]) -> None:
    """Add changes to a photo where their squares lie; elsewhere its pixels keep their value.

    Args:
        photo: As `open_photo` gives it; changed in place, as large ones take much memory.
        changes: What to add to each square: [N, C, S, S] in units of [-1, 1] pictures. Grey
            photos take the luminance of coloured changes.
        matrices: Where the squares lie in the photo: N maps [2, 3] from the unit square.
    """
    profile = profile_of(photo)
    if photo.mode in {"L", "LA"} and changes.shape[1] == 3:
        weights = np.array(LUMINANCE, np.float32)
        changes = np.einsum("nchw,c->nhw", changes, weights)[:, None]
    for change, matrix in zip(changes, matrices, strict=True):
        _add(photo, _faded(change), matrix, profile)


def _faded(change: Floats) -> Floats:
    # Without this, a change that reaches the square's edge would show the edge in the photo.
    side = change.shape[-1]
    inwards = (np.arange(side, dtype=np.float32) + 0.5) / side
    ramp = (np.minimum(inwards, 1.0 - inwards) / MARGIN).clip(0.0, 1.0)
    ramp = ramp * ramp * (3.0 - 2.0 * ramp)
    faded: Floats = change * ramp[:, None] * ramp
    return faded


def _add(photo: Image.Image, change: Floats, matrix: Matrix, profile: bytes | None) -> None:
    # In place. Row bands bound the memory that a face in a large photo takes.
    left, top, right, bottom = bounds(matrix)
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, photo.width), min(bottom, photo.height)
    if left >= right:
        return
    layers = [Image.fromarray(np.ascontiguousarray(layer)) for layer in change * 127.5]
    side, sampling = change.shape[-1], Image.Resampling.BICUBIC
    if right - left > FINE * side:  # in two steps, of which the second is faster and as smooth
        side, sampling = FINE * side, Image.Resampling.BILINEAR
        layers = [layer.resize((side, side), Image.Resampling.BICUBIC) for layer in layers]
    # From the photo's pixels to those of the change.
    inverse = np.linalg.inv(np.vstack([matrix, [0.0, 0.0, 1.0]]))[:2] * side
    band = max(1, 2**20 // max(1, right - left))
    for start in range(top, bottom, band):
        stop = min(start + band, bottom)
        moved = inverse.copy()
        moved[:, 2] += inverse[:, :2] @ (left, start)
        added = [
            layer.transform(
                (right - left, stop - start),
                Image.Transform.AFFINE,
                tuple(moved.ravel()),
                sampling,
            )
            for layer in layers
        ]
        area = photo.crop((left, start, right, stop))
        own = _array(in_mode(area, "L" if photo.mode in {"L", "LA"} else "RGB"))
        piece = _picture(_changed(own, np.stack([np.asarray(a) for a in added], 2), profile))
        if "A" in photo.mode:
            piece.putalpha(area.getchannel("A"))
        photo.paste(piece, (left, start))


def _changed(
    own: npt.NDArray[np.uint8], change: npt.NDArray[np.floating], profile: bytes | None
) -> npt.NDArray[np.uint8]:
    """Pixels in their own colours [H, W, C] after a change in sRGB; the same where it is 0."""
    before = _array(to_srgb(_picture(own), profile))
    after = (before + change).round().clip(0, 255).astype(np.uint8)
    if profile is None:
        return after
    # Converting there and back would round pixels that don't change.
    moved, stayed = (
        _array(from_srgb(_picture(p), profile)).astype(np.int16) for p in (after, before)
    )
    return (own + (moved - stayed)).clip(0, 255).astype(np.uint8)


def _picture(pixels: npt.NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _array(picture: Image.Image) -> npt.NDArray[np.uint8]:
    return np.asarray(picture).reshape(picture.height, picture.width, -1)
