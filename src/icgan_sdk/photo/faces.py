"""Finding faces in photos, and their five points."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from icgan_sdk.photo.mtcnn import detect
from icgan_sdk.pictures.opening import in_mode
from icgan_sdk.pictures.squares import resample

LONGEST_SIDE = 1024
"""Photos are searched at this size, pixels: time does not grow with the camera's resolution."""

SMALLEST_FACE = 32
"""Side of the smallest face looked for, in the pixels of the searched picture."""

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


def find_faces(photo: Image.Image) -> list[FoundFace]:
    """All faces of a photo, from left to right.

    Args:
        photo: RGB or grey, upright; faces may be tilted by some 30°.
    """
    scale = min(1.0, LONGEST_SIDE / max(photo.size))
    size = (round(photo.width * scale), round(photo.height * scale))
    if min(size) < SMALLEST_FACE:
        return []
    searched = resample(in_mode(photo, "RGB"), size, (0.0, 0.0, *photo.size))
    stretch = np.divide(photo.size, size)
    faces = [
        FoundFace(points * stretch, float(box[2] - box[0]) * stretch[0])
        for box, points in zip(*detect(searched, SMALLEST_FACE), strict=True)
    ]
    return sorted(faces, key=lambda face: float(face.points[:, 0].mean()))
