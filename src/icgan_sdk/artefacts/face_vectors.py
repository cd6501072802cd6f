"""The face-recognition network that comes with the package, for models of aligned faces.

Its weights are dlib's, in the public domain (King 2017, "High Quality Face Recognition with Deep
Metric Learning"), in bytes: `tools/face_recognition_weights.py` makes the file.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.model.devices import plain_torch
from icgan_sdk.model.face_recognition import FaceRecognition, FaceVectors, shows_faces

FILE = Path(__file__).with_name("face_recognition") / "model.safetensors"

FACTOR = ".factor"
"""What the name of a weight's factors ends in: one for the bytes of each output."""


def face_vectors(config: ModelConfig) -> FaceVectors | None:
    """What tells the people of a model's pictures apart: frozen, in eval mode, on the CPU.

    Args:
        config: Of the model.

    Returns:
        None unless its pictures are colour faces that lie in a known place.
    """
    if not shows_faces(config):
        return None
    # Autograd refuses tensors that were made in inference mode.
    with torch.inference_mode(False), plain_torch():
        with torch.device("meta"):  # no memory, and no draws from the global generator
            network = FaceRecognition()
        network.load_state_dict(_weights(), assign=True)
    return FaceVectors(network, config).eval().requires_grad_(False)


def _weights() -> dict[str, Tensor]:
    stored = load_file(FILE)
    weights = {}
    for name in stored.keys() - {name for name in stored if name.endswith(FACTOR)}:
        numbers = stored[name].float()
        if (factors := stored.get(name + FACTOR)) is not None:
            numbers *= factors.view(-1, *[1] * (numbers.ndim - 1))
        weights[name] = numbers
    return weights
