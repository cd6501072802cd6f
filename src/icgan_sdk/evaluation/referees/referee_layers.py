"""The layers of the referees, from images to scores."""

import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.model import Encoder

STAGE_WIDTHS = (32, 64, 128, 256)
STEM_SIDE = 32
"""The residual referee's stem halves larger images down to this side."""

Parts = tuple[nn.ModuleList, nn.Sequential, nn.Module]
"""Blocks, neck (from the last map to the features), and the last linear layer."""


def build_anet(config: ModelConfig) -> Parts:
    """The architecture of E_y (Table 2)."""
    encoder = Encoder(config, config.n_attributes, config.encoder_y_fc)
    layers = list(encoder.convolutions)
    blocks = [nn.Sequential(*layers[i : i + 3]) for i in range(0, len(layers), 3)]
    *neck, output = encoder.head
    return nn.ModuleList(blocks), nn.Sequential(*neck), output


def build_residual(config: ModelConfig) -> Parts:
    """A stem that brings images to 32×32, and four residual blocks, 32 to 256 channels wide.

    Smaller images stay as they are until the second block; each from there on halves the side.
    """
    first, side, channels = STAGE_WIDTHS[0], config.image_size, config.channels
    stem: list[nn.Module] = []
    while side > STEM_SIDE or not stem:
        stride = 2 if side > STEM_SIDE else 1
        stem += [_convolution(channels, first, stride), nn.BatchNorm2d(first), nn.ReLU()]
        side, channels = side // stride, first
    blocks: list[nn.Module] = [nn.Sequential(*stem, ResidualBlock(first, first, 1))]
    for width in STAGE_WIDTHS[1:]:
        blocks.append(ResidualBlock(channels, width, 2))
        channels = width
    neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.ModuleList(blocks), neck, nn.Linear(channels, config.n_attributes)


def _convolution(channels: int, width: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(channels, width, 3, stride, 1, bias=False)


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with batch norm around a shortcut (He et al. 2016, Figure 5 left)."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            _convolution(channels, width, stride),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            _convolution(width, width, 1),
            nn.BatchNorm2d(width),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels != width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Maps [B, channels, S, S] to [B, width, ⌈S/stride⌉, ⌈S/stride⌉], not negative."""
        return F.relu(self.residual(x) + self.shortcut(x))
