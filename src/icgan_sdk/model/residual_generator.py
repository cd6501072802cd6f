"""A generator of residual blocks, as an alternative to the paper's."""

import torch
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError
from icgan_sdk.model.convolutions import DoublingConv, UnfoldingConv
from icgan_sdk.model.layers import mix_inputs, repeat_pixels


class ResidualGenerator(nn.Module):
    """Residual blocks that double the side from 4×4 to the image size (Miyato et al. 2018, SNGAN).

    Sides and widths are those of `Generator`; each hidden layer but the first is a residual block
    of two convolutions. y joins z at the input.

    Args:
        config: Sizes.

    Raises:
        ConfigError: If y should join elsewhere, or a fully connected layer come first.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        if config.generator_y_layer or config.generator_fc:
            raise ConfigError(
                "the generator 'residual' takes y at its input and has no fully connected layer: "
                "generator_y_layer and generator_fc must be 0"
            )
        layers = range(config.hidden_layers)
        first, *widths = [config.generator_width * 2**layer for layer in reversed(layers)]
        self.first = UnfoldingConv(config.z_dim + config.n_attributes, first)
        self.blocks = nn.ModuleList()
        width = first
        for out in widths:
            self.blocks.append(_DoublingBlock(width, out))
            width = out
        self.activate = _activation(width)
        self.output = DoublingConv(width, config.channels)

    def change_z(self, root: Tensor) -> None:
        """See `icgan_sdk.model.protocols.ChangesZ`."""
        mix_inputs(self.first, root)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Images [B, C, S, S] of z [B, z_dim] and y [B, n_attributes], see `Generator.forward`."""
        h = self.first(torch.cat([z, y.to(z.dtype)], dim=1)[:, :, None, None])
        for block in self.blocks:
            h = block(h)
        return torch.tanh(self.output(self.activate(h)))


class _DoublingBlock(nn.Module):
    """[B, in, S, S] to [B, out, 2S, 2S], plus what passes by."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            _activation(width),
            DoublingConv(width, out),
            _activation(out),
            nn.Conv2d(out, out, 3, padding=1),
        )
        self.narrow = nn.Conv2d(width, out, 1)  # before the pixels repeat, it costs a quarter

    def forward(self, h: Tensor) -> Tensor:
        changed: Tensor = self.change(h)
        return changed + repeat_pixels(self.narrow(h))


def _activation(width: int) -> nn.Sequential:
    # Not in place: what passes by takes the same maps.
    return nn.Sequential(nn.BatchNorm2d(width), nn.ReLU())
