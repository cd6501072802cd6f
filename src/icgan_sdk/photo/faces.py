"""Finding faces in photos, and their five points."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from icgan_sdk.errors import ShapeError
from icgan_sdk.photo.mtcnn import Boxes, detect
from icgan_sdk.pictures.arrays import resample
from icgan_sdk.pictures.opening import Picture, check_picture, in_mode, is_tensor, open_picture

LONGEST_SIDE = 1024
"""Photos are searched at this size, pixels: time does not grow with the camera's resolution."""

SMALLEST_FACE = 32
"""Side of the smallest face looked for, in the pixels of the searched picture."""

QUARTER_TURNS = (
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
)

SURE = 0.99
"""Score of a face that leaves no doubt which way up the photo is."""

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FoundFace:
    """A face in a photo.

    Attributes:
        points: Left eye, right eye, nose, left and right corner of the mouth, as the viewer sees
            them: [5, 2], x and y in the photo's pixels, (0, 0) being its corner.
        width: Of the face's box, pixels.
    """

    points: Points
    width: float


def find_faces(photo: Picture) -> list[FoundFace]:
    """All faces of a photo, from left to right.

    Args:
        photo: A picture as `icgan_sdk.IcGAN` takes them, but no tensor.

    Returns:
        The faces, in the upright picture's pixels. `face=` takes one of them, so that it need not
        be found again.

    Raises:
        ImageError: If a file can't be read.
        ShapeError: If an array is no picture, or a tensor is given.
    """
    if is_tensor(photo):
        raise ShapeError("faces are looked for in pictures, not in tensors")
    return search_faces(open_picture(check_picture(photo), channels=3))


def search_faces(picture: Image.Image) -> list[FoundFace]:
    """All faces of an upright picture, from left to right.

    Where none is surely upright, the photo is also searched lying on its sides and upside down.

    Args:
        picture: RGB or grey; faces may be tilted by some 30°.
    """
    scale = min(1.0, LONGEST_SIDE / max(picture.size))
    size = (round(picture.width * scale), round(picture.height * scale))
    if min(size) < SMALLEST_FACE:
        return []
    searched = resample(in_mode(picture, "RGB"), size, (0.0, 0.0, *picture.size))
    boxes, points = detect(searched, SMALLEST_FACE)
    if _surest(boxes, points) < SURE:
        # A face that lies on its side may be taken for an upright one.
        turned, turned_points, sure = _detect_turned(searched)
        if sure > SURE:
            boxes, points = turned, turned_points
    stretch = np.divide(picture.size, size)
    widths = boxes.corners[:, 2] - boxes.corners[:, 0]
    faces = [
        FoundFace(p * stretch, float(w) * stretch[0]) for p, w in zip(points, widths, strict=True)
    ]
    return sorted(faces, key=lambda face: float(face.points[:, 0].mean()))


def _detect_turned(picture: Image.Image) -> tuple[Boxes, Points, float]:
    """Faces of the quarter turn that shows the surest one, points in the picture's pixels."""
    found = []
    for quarters, turn in enumerate(QUARTER_TURNS, start=1):
        boxes, points = detect(picture.transpose(turn), SMALLEST_FACE)
        back = _turned_back(points, quarters, picture.size)
        found.append((boxes, back, _surest(boxes, points)))
    return max(found, key=lambda one: one[2])


def _surest(boxes: Boxes, points: Points) -> float:
    """The best score among faces that stand upright by their points too."""
    return float(boxes.scores[_upright(points)].max(initial=0.0))


def _upright(points: Points) -> npt.NDArray[np.bool_]:
    """Whether faces [N, 5, 2] have level eyes, within 45°, and the mouth below them."""
    across = points[:, 1] - points[:, 0]
    down = points[:, 3:].mean(1) - points[:, :2].mean(1)
    level = np.abs(across[:, 1]) <= across[:, 0]
    upright: npt.NDArray[np.bool_] = level & (down[:, 1] >= np.abs(down[:, 0]))
    return upright


def _turned_back(points: Points, quarters: int, size: tuple[int, int]) -> Points:
    """Points [..., 2] of a picture that was turned to the left, in the one of `size` before."""
    for turn in reversed(range(quarters)):
        # This quarter turn to the left took (x, y) to (y, width − x).
        points = np.stack([size[turn % 2] - points[..., 1], points[..., 0]], -1)
    return points
