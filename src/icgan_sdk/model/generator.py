"""The conditional generator G(z, y) (paper, Table 1)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.model.convolutions import DoublingConv, UnfoldingConv
from icgan_sdk.model.layers import join_maps, mix_inputs


class Generator(nn.Module):
    """Full convolutions that double the side from 4×4 to the image size.

    Batch norm and ReLU follow each hidden layer, tanh the last. At 64×64 the widths are 512,
    256, 128, 64, 3 (Table 1). y joins z at the input or at the output of a hidden layer
    (``config.generator_y_layer``; Table 3 compares the positions).

    Args:
        config: Sizes.
        doubling: Makes the layer that doubles the side, from the channels of its input and its
            result.
    """

    def __init__(
        self, config: ModelConfig, doubling: Callable[[int, int], nn.Module] = DoublingConv
    ) -> None:
        super().__init__()
        self.y_layer = config.generator_y_layer
        n_y = config.n_attributes
        width = config.z_dim + (n_y if self.y_layer == 0 else 0)
        self.fc: nn.Sequential | None = None
        if config.generator_fc:
            self.fc = nn.Sequential(
                nn.Linear(width, config.generator_fc),
                nn.BatchNorm1d(config.generator_fc),
                nn.ReLU(),
            )
            width = config.generator_fc
        self.hidden = nn.ModuleList()
        for layer in range(1, config.hidden_layers + 1):
            out = config.generator_width * 2 ** (config.hidden_layers - layer)
            convolution = UnfoldingConv if layer == 1 else doubling
            self.hidden.append(
                nn.Sequential(convolution(width, out), nn.BatchNorm2d(out), nn.ReLU(inplace=True))
            )
            width = out + (n_y if layer == self.y_layer else 0)
        self.output = doubling(width, config.channels)

    def change_z(self, root: Tensor) -> None:
        """See `icgan_sdk.model.protocols.ChangesZ`."""
        mix_inputs(self.first, root)

    @property
    def first(self) -> nn.Linear | nn.ConvTranspose2d:
        """The layer that z enters."""
        block = self.hidden[0] if self.fc is None else self.fc
        assert isinstance(block, nn.Sequential)
        layer = block[0]
        assert isinstance(layer, (nn.Linear, nn.ConvTranspose2d))
        return layer

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Generate images.

        Args:
            z: [B, z_dim], as from `draw_noise`.
            y: [B, n_attributes] in [-1, 1] units; [B, 0] for a plain DCGAN.

        Returns:
            Images [B, C, S, S] in (-1, 1).
        """
        h = torch.cat([z, y.to(z.dtype)], dim=1) if self.y_layer == 0 else z
        if self.fc is not None:
            h = self.fc(h)
        h = h[:, :, None, None]
        for layer, block in enumerate(self.hidden, start=1):
            h = block(h)
            if layer == self.y_layer:
                h = join_maps(h, y)
        return torch.tanh(self.output(h))
