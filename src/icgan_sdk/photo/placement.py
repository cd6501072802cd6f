"""The square a model sees in a photo: where it lies, cutting it out, putting changes back."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from icgan_sdk.config import Crop
from icgan_sdk.pictures.arrays import Floats
from icgan_sdk.pictures.colour import from_srgb, profile_of, to_srgb
from icgan_sdk.pictures.opening import in_mode
from icgan_sdk.profiles import FaceProfile

Matrix = npt.NDArray[np.float64]
"""Affine map [2, 3] from the unit square (0, 0)–(1, 1) to a photo's pixels."""

SAMPLES = 4
"""Samples per side of a result's pixel, each of them the mean of so many pixels that none is left
out."""

MARGIN = 1 / 16
"""Width of the square's margin, as a part of its side, over which a change fades to nothing."""

FINE = 8
"""How many times a change is enlarged smoothly; beyond that, linearly."""

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey, as Pillow has them (ITU-R 601)."""


def box_matrix(box: tuple[float, float, float, float]) -> Matrix:
    """The map onto an upright box: left, top, right, bottom."""
    left, top, right, bottom = box
    return np.array([[right - left, 0.0, left], [0.0, bottom - top, top]])


def face_matrix(points: npt.NDArray[np.float64], faces: FaceProfile, crop: Crop) -> Matrix | None:
    """The map onto a face, so that it lies in the square as in aligned training pictures.

    Args:
        points: The face's five points in the photo, as in `FaceProfile.landmarks`.
        faces: How the training pictures were aligned.
        crop: The part of the aligned frame that the square shows.

    Returns:
        The map; None if the points coincide.
    """
    found = similarity(np.array(faces.landmarks), points)
    return None if found is None else _chain(found, box_matrix(crop.box))


def similarity(
    source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64] | None:
    """The turn, scale and shift [2, 3] that brings points nearest to others, by least squares.

    Without mirroring. As complex numbers the answer is w·z + shift, with w by linear regression.

    Args:
        source: [N, 2].
        target: [N, 2].
    """
    from_centre, to_centre = source.mean(axis=0), target.mean(axis=0)
    z = (source - from_centre) @ np.array([1, 1j])
    w = np.vdot(z, (target - to_centre) @ np.array([1, 1j])) / np.vdot(z, z)
    if abs(w) < np.finfo(np.float64).eps:
        return None
    turn = np.array([[w.real, -w.imag], [w.imag, w.real]])
    return np.column_stack([turn, to_centre - turn @ from_centre])


def cut(photo: Image.Image, matrix: Matrix, size: int) -> Image.Image:
    """The square that a map names, with antialiasing; beyond its edges the photo goes on as there.

    Args:
        photo: Upright, "L" or "RGB".
        matrix: Unit square to photo.
        size: Side of the result, pixels.
    """
    # Pillow's affine transformation takes single samples: enough of them, then averaged down.
    density = _scale(matrix) / size
    samples, pixels = min(SAMPLES, max(1, math.ceil(density))), max(1, int(density / SAMPLES))
    side = samples * size
    area, corner = _area(photo, bounds(matrix), pixels)
    inner = matrix / np.array([side, side, 1.0]) - np.pad(corner, ((0, 0), (2, 0)))
    inner /= pixels
    turned = area.transform(
        (side, side), Image.Transform.AFFINE, tuple(inner.ravel()), Image.Resampling.BICUBIC
    )
    return turned.resize((size, size), Image.Resampling.BICUBIC)


def bounds(matrix: Matrix) -> tuple[int, int, int, int]:
    """The whole pixels around the square in the photo, and some more for interpolation."""
    corners = np.array([(0, 0, 1), (1, 0, 1), (0, 1, 1), (1, 1, 1)]) @ matrix.T
    left, top = np.floor(corners.min(axis=0)).astype(int) - 2
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 2
    return int(left), int(top), int(right), int(bottom)


def _scale(matrix: Matrix) -> float:
    # Photo pixels along a side of the square.
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def _chain(outer: Matrix, inner: Matrix) -> Matrix:
    return np.asarray(outer @ np.vstack([inner, [0.0, 0.0, 1.0]]))


def _area(
    photo: Image.Image, box: tuple[int, int, int, int], pixels: int
) -> tuple[Image.Image, npt.NDArray[np.int64]]:
    """A part of the photo, so many of its pixels averaged along a side, and its corner [2, 1].

    Where the box leaves the photo, the photo's edge is repeated.
    """
    last = np.array([photo.width, photo.height]) - 1
    start, end = np.reshape(box, (2, 2))
    inner_start = start.clip(0, last)
    inner_end = end.clip(inner_start + 1, last + 1)
    inner = photo.reduce(pixels, (*inner_start, *inner_end))
    before, after = (
        (np.abs(d) + pixels - 1) // pixels for d in (inner_start - start, end - inner_end)
    )
    if before.any() or after.any():
        edges = [*zip(before, after, strict=True)][::-1]
        array = np.asarray(inner)
        edges += [(0, 0)] * (array.ndim - 2)
        inner = Image.fromarray(np.pad(array, edges, mode="edge"))
    return inner, (inner_start - before * pixels)[:, None]


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
