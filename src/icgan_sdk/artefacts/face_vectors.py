"""The face-recognition network that comes with the package, for models of aligned faces.

Its weights are dlib's, in the public domain (King 2017, "High Quality Face Recognition with Deep
Metric Learning"), in bytes: `tools/face_recognition_weights.py` makes the file.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file

from icgan_sdk.config import ModelConfig
from icgan_sdk.model.face_recognition import FaceRecognition, FaceVectors

FILE = Path(__file__).with_name("face_recognition") / "model.safetensors"

LEVELS = 127
"""Largest byte of a weight."""


def face_vectors(config: ModelConfig) -> FaceVectors | None:
    """What tells the people of a model's pictures apart, frozen, in eval mode, on the CPU.

    Args:
        config: Of the model.

    Returns:
        None if its pictures are not colour faces that lie in a known place.
    """
    if config.alignment is None or config.crop is None or config.channels != 3:
        return None
    # Autograd refuses tensors that were made in inference mode.
    with torch.inference_mode(False):
        return FaceVectors(_network(), config).eval().requires_grad_(False)


def _network() -> FaceRecognition:
    stored = load_file(FILE)
    network = FaceRecognition()
    for name, weights in network.state_dict().items():  # tensors without gradients
        numbers = stored[name].float()
        if (factor := stored.get(f"{name}.factor")) is not None:
            numbers *= factor.view(-1, *[1] * (numbers.ndim - 1))
        weights.copy_(numbers)
    return network
