"""Reading dlib's face-recognition network from the file of the package face-recognition-models."""

import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from icgan_sdk.errors import ConfigError, ModelFormatError
from icgan_sdk.model.face_recognition import VECTOR, FaceRecognition

EXTRA = "pip install 'icgan-sdk[identity]'"

PACKAGE, NETWORK = "face_recognition_models", "dlib_face_recognition_resnet_model_v1.dat"


def weights_of_faces(name: str) -> Path:
    """Where the package face-recognition-models has a file.

    Raises:
        ConfigError: If it is not installed.
    """
    # It is not imported, because that needs a module which setuptools has given up.
    found = find_spec(PACKAGE)
    if found is None:
        raise ConfigError(f"the face-recognition network is not installed: {EXTRA}")
    (folder, *_) = found.submodule_search_locations or [""]
    return Path(folder) / "models" / name


def load_face_recognition(path: str | os.PathLike[str] | None = None) -> FaceRecognition:
    """Read the network, frozen and in eval mode.

    Args:
        path: dlib's file; None: that of the package face-recognition-models.

    Raises:
        ConfigError: If the package is not installed.
        ModelFormatError: If the file is not that network.
    """
    path = weights_of_faces(NETWORK) if path is None else Path(path)
    network = FaceRecognition()
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    data = path.read_bytes()
    try:
        kernels = [_tensor(data, at) for at in _ends(b"\x05con_4", data)]
        scales = [_tensor(data, at) for at in _ends(b"\x07affine_", data)]
        (projection,) = _ends(b"\x04fc_2", data)
        for convolution, kernel, scale in zip(convolutions, kernels, scales, strict=True):
            _fill(convolution, kernel, scale)
        _, at = _number(data, projection)  # outputs and inputs come before the weights
        _, at = _number(data, at)
        projected = _tensor(data, at).view(network.projection.in_features, VECTOR)
        network.projection.weight.data = projected.T.contiguous()
    except (ValueError, RuntimeError, IndexError) as error:
        raise ModelFormatError(f"{path} is not dlib's face-recognition network") from error
    return network.eval().requires_grad_(False)


def _fill(convolution: nn.Conv2d, kernel: Tensor, scale: Tensor) -> None:
    """Give a convolution its kernels and biases, with the scale and shift that follow it."""
    weight, bias = torch.split(kernel, [convolution.weight.numel(), convolution.out_channels])
    factor, shift = torch.split(scale, convolution.out_channels)
    convolution.weight.data = weight.view_as(convolution.weight) * factor.view(-1, 1, 1, 1)
    assert convolution.bias is not None
    convolution.bias.data = bias * factor + shift


def _ends(name: bytes, data: bytes) -> Iterator[int]:
    return (found.end() for found in re.finditer(re.escape(name), data))


def _number(data: bytes, at: int) -> tuple[int, int]:
    """An integer as dlib writes it, a byte with its length first, and where it ends."""
    end = at + 1 + (data[at] & 0x0F)
    return int.from_bytes(data[at + 1 : end], "little"), end


def _tensor(data: bytes, at: int) -> Tensor:
    """The numbers of a tensor as dlib writes it: version, four sizes, floats."""
    version, at = _number(data, at)
    sizes = []
    for _ in range(4):
        size, at = _number(data, at)
        sizes.append(size)
    if version != 2:
        raise ValueError("an unknown version")
    count = int(np.prod(sizes))
    return torch.from_numpy(np.frombuffer(data, "<f4", count, at).astype(np.float32))
