"""The face-recognition network that comes with the package, for models of aligned faces.

Its weights are dlib's, in the public domain (King 2017, "High Quality Face Recognition with Deep
Metric Learning"), in bytes: `tools/face_recognition_weights.py` makes the file.
"""

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from icgan_sdk.bundled import FACES_FILE, FACTOR
from icgan_sdk.config import ModelConfig
from icgan_sdk.model.devices import plain_torch
from icgan_sdk.model.face_recognition import FaceRecognition, FaceVectors, shows_faces


def face_vectors(config: ModelConfig) -> FaceVectors | None:
    """What tells the people of a model's pictures apart, in eval mode, on the CPU.

    It never learns and no file of a model holds it: its weights are buffers that are not saved.

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
    _turn_to_buffers(network)
    return FaceVectors(network, config).eval()


def _turn_to_buffers(network: nn.Module) -> None:
    for module in network.modules():
        for name, weights in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, weights.detach(), persistent=False)


def _weights() -> dict[str, Tensor]:
    stored = load_file(FACES_FILE)
    weights = {}
    for name in stored.keys() - {name for name in stored if name.endswith(FACTOR)}:
        numbers = stored[name].float()
        if (factors := stored.get(name + FACTOR)) is not None:
            numbers *= factors.view(-1, *[1] * (numbers.ndim - 1))
        weights[name] = numbers
    return weights
