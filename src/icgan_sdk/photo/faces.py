"""Finding faces and their five points: MTCNN (Zhang et al. 2016), as facenet-pytorch ships it."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from icgan_sdk.errors import ConfigError
from icgan_sdk.pictures.squares import resample

INSTALL = "pip install 'icgan-sdk[photo]'"

LONGEST_SIDE = 1024
"""Photos are searched at this size, pixels: time does not grow with the camera's resolution."""

SMALLEST_FACE = 32
"""Side of the smallest face looked for, in the pixels of the searched picture."""

THRESHOLDS = (0.6, 0.7, 0.9)
"""Least scores for a face, of MTCNN's three networks in turn.

The last is above the library's 0.7, which takes more other things for faces. Editing such a thing
spoils a photo; a blurred face that is missed leaves it as it is.
"""

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


class _Detector(Protocol):
    def detect(self, img: Image.Image, landmarks: bool) -> tuple[Points | None, object, Points]: ...


def can_find_faces() -> bool:
    """Whether the detector is installed."""
    return find_spec("facenet_pytorch") is not None


def find_faces(photo: Image.Image) -> list[FoundFace]:
    """All faces of a photo, from left to right.

    Args:
        photo: RGB or grey, upright; faces may be tilted by some 30°.

    Raises:
        ConfigError: If the detector is not installed.
    """
    if not can_find_faces():
        raise ConfigError(f"finding faces needs facenet-pytorch: {INSTALL}")
    scale = min(1.0, LONGEST_SIDE / max(photo.size))
    size = (round(photo.width * scale), round(photo.height * scale))
    if min(size) < SMALLEST_FACE:
        return []
    searched = resample(photo.convert("RGB"), size, (0.0, 0.0, *photo.size))
    from icgan_sdk.model.devices import plain_torch

    with plain_torch():
        boxes, _, landmarks = _detector().detect(searched, landmarks=True)
    if boxes is None:
        return []
    stretch = np.divide(photo.size, size)
    faces = [
        FoundFace(np.asarray(points, np.float64) * stretch, float(box[2] - box[0]) * stretch[0])
        for box, points in zip(boxes, landmarks, strict=True)
    ]
    return sorted(faces, key=lambda face: float(face.points[:, 0].mean()))


@lru_cache(maxsize=1)
def _detector() -> _Detector:
    import torch
    from facenet_pytorch import MTCNN

    # The weights lie in the library's package; the CPU, because small networks on many crops gain
    # little elsewhere, and a photo is then aligned alike on every machine.
    detector: _Detector = MTCNN(
        keep_all=True,
        min_face_size=SMALLEST_FACE,
        thresholds=list(THRESHOLDS),
        device=torch.device("cpu"),
    ).eval()
    return detector
