"""The face detector MTCNN (Zhang et al. 2016): three small networks, run by onnxruntime.

The first looks at the picture in many sizes and proposes squares; the second rejects most of them,
the third decides and finds five points. After each, boxes are shifted by what the network says and
those that overlap a better one are dropped. The weights are those of facenet-pytorch (MIT).
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from icgan_sdk.engines.onnxruntime import open_session, run_session
from icgan_sdk.pictures.arrays import Floats

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

FOLDER = Path(__file__).with_name("mtcnn_weights")

CELL, STRIDE = 12, 2
"""The first network sees squares of 12 pixels, every 2 pixels."""

SHRINK = 0.709
"""Ratio of successive sizes in which the picture is searched."""

SIDES = {"refine": 24, "decide": 48}
"""Sides of the squares that the second and third network see."""

THRESHOLDS = {"propose": 0.6, "refine": 0.7, "decide": 0.9}
"""Least scores for a face.

The last is above the original's 0.7, which takes more other things for faces. Editing such a thing
spoils a photo; a blurred face that is missed leaves it as it is.
"""

Numbers = npt.NDArray[np.float64]


class Boxes(NamedTuple):
    """Boxes in a picture's pixels, with what a network said of them.

    Attributes:
        corners: Left, top, right, bottom, [N, 4].
        scores: How sure the network is, [N].
        shifts: By what part of their size the sides are off, [N, 4].
    """

    corners: Numbers
    scores: Numbers
    shifts: Numbers

    def at(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Boxes":
        """Some of the boxes."""
        return Boxes(self.corners[index], self.scores[index], self.shifts[index])

    def shifted(self) -> "Boxes":
        """The boxes after the shift."""
        sizes = np.tile(_sizes(self.corners), 2)
        return self._replace(corners=self.corners + self.shifts * sizes)


def detect(picture: Image.Image, smallest: int) -> tuple[Boxes, Numbers]:
    """Find faces and their points.

    Args:
        picture: RGB.
        smallest: Side of the smallest face looked for, pixels.

    Returns:
        Boxes, and points [N, 5, 2]: eyes, nose and corners of the mouth, x and y.
    """
    squares = _square(_propose(picture, smallest).corners)
    crops, squares = _cut(picture, squares, SIDES["refine"])
    if not len(crops):
        return _nothing()
    shifts, scores = _run("refine", crops)
    boxes = _passing("refine", squares, scores, shifts)
    boxes = boxes.at(_best(boxes, 0.7)).shifted()
    crops, squares = _cut(picture, _square(boxes.corners), SIDES["decide"])
    if not len(crops):
        return _nothing()
    shifts, points, scores = _run("decide", crops)
    sure = scores[:, 1] > THRESHOLDS["decide"]
    boxes = _passing("decide", squares, scores, shifts)
    within = points[sure].astype(np.float64).reshape(-1, 2, 5).transpose(0, 2, 1)
    found = boxes.corners[:, None, :2] - 1.0 + within * (_sizes(boxes.corners)[:, None] + 1.0)
    boxes = boxes.shifted()
    kept = _best(boxes, 0.7, within=True)
    return boxes.at(kept), found[kept]


def _propose(picture: Image.Image, smallest: int) -> Boxes:
    proposals, scale = [], CELL / smallest
    while min(picture.size) * scale >= CELL:
        size = (int(picture.width * scale + 1), int(picture.height * scale + 1))
        small = picture.resize(size, Image.Resampling.BOX)
        shifts, scores = _run("propose", _numbers([small]))
        row, column = np.nonzero(scores[0, 1] >= THRESHOLDS["propose"])
        corner = np.stack([column, row], 1) * STRIDE
        corners = np.floor(np.concatenate([corner + 1, corner + CELL], 1) / scale)
        boxes = Boxes(corners, scores[0, 1, row, column], shifts[0][:, row, column].T)
        proposals.append(boxes.at(_best(boxes, 0.5)))
        scale *= SHRINK
    if not proposals:
        return _no_boxes()
    every = Boxes(*(np.concatenate(parts) for parts in zip(*proposals, strict=True)))
    return every.at(_best(every, 0.7)).shifted()


def _passing(name: str, squares: Numbers, scores: Floats, shifts: Floats) -> Boxes:
    sure = scores[:, 1] > THRESHOLDS[name]
    return Boxes(squares[sure], scores[sure, 1].astype(np.float64), shifts[sure].astype(np.float64))


def _best(boxes: Boxes, most: float, *, within: bool = False) -> npt.NDArray[np.intp]:
    """The boxes that overlap no better one (non-maximum suppression).

    Args:
        boxes: Boxes.
        most: How large the intersection may be, as a part of the union.
        within: As a part of the smaller of the two instead.
    """
    areas, kept = _sizes(boxes.corners).prod(1), []
    order = np.argsort(-boxes.scores, kind="stable")
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        first = np.maximum(boxes.corners[best, :2], boxes.corners[order, :2])
        last = np.minimum(boxes.corners[best, 2:], boxes.corners[order, 2:])
        shared = (last - first).clip(0).prod(1)
        smaller = np.minimum(areas[best], areas[order])
        whole = smaller if within else areas[best] + areas[order] - shared
        order = order[shared <= most * whole]
    return np.array(kept, np.intp)


def _sizes(corners: Numbers) -> Numbers:
    sizes: Numbers = corners[:, 2:] - corners[:, :2]
    return sizes


def _square(corners: Numbers) -> Numbers:
    """The squares around the centres of boxes, of their longer side."""
    centre = (corners[:, :2] + corners[:, 2:]) / 2
    half = _sizes(corners).max(1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], 1)


def _cut(picture: Image.Image, squares: Numbers, side: int) -> tuple[Floats, Numbers]:
    """What lies in squares, [N, 3, side, side]; those that lie outside are left out."""
    edge = np.tile(picture.size, 2)
    # The weights were made for pixels counted from 1, their last one included.
    inside = (np.trunc(squares) - (1, 1, 0, 0)).clip(0, edge)
    kept = (inside[:, 2:] - inside[:, :2] >= 1).all(1)
    crops = [
        picture.resize((side, side), Image.Resampling.BOX, box=tuple(box)) for box in inside[kept]
    ]
    return _numbers(crops, side), squares[kept]


def _numbers(pictures: list[Image.Image], side: int = 0) -> Floats:
    if not pictures:
        return np.zeros((0, 3, side, side), np.float32)
    pixels = np.stack([np.asarray(picture) for picture in pictures]).astype(np.float32)
    return np.ascontiguousarray(((pixels - 127.5) / 128).transpose(0, 3, 1, 2))


def _nothing() -> tuple[Boxes, Numbers]:
    return _no_boxes(), np.zeros((0, 5, 2))


def _no_boxes() -> Boxes:
    return Boxes(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 4)))


def _run(name: str, pixels: Floats) -> list[Floats]:
    return run_session(_session(name), {"images": pixels})


@lru_cache(maxsize=len(THRESHOLDS))
def _session(name: str) -> "InferenceSession":
    return open_session(FOLDER / f"{name}.onnx", weights=[FOLDER / "model.safetensors"])
