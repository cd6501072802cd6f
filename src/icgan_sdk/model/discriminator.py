"""The conditional discriminator D(x, y) (paper, Table 1)."""

from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.model.layers import join_maps


class Discriminator(nn.Module):
    """4×4 convolutions that halve the side, then one to a single score.

    Leaky ReLU 0.2 follows each hidden layer, batch norm each but the first. At 64×64 the widths
    are 64, 128, 256, 512, 1 (Table 1). y joins x at the input, or the output of a hidden layer
    (``config.discriminator_y_layer``; the paper's best is layer 1).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.y_layer = config.discriminator_y_layer
        n_y = config.n_attributes
        width = config.channels + (n_y if self.y_layer == 0 else 0)
        self.hidden = nn.ModuleList()
        for layer in range(1, config.hidden_layers + 1):
            out = config.discriminator_width * 2 ** (layer - 1)
            norm = [nn.BatchNorm2d(out)] if layer > 1 else []
            self.hidden.append(
                nn.Sequential(nn.Conv2d(width, out, 4, 2, 1), *norm, nn.LeakyReLU(0.2))
            )
            width = out + (n_y if layer == self.y_layer else 0)
        self.output = nn.Conv2d(width, 1, 4)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score pairs of images and attributes.

        Args:
            x: Images [B, C, S, S] in [-1, 1].
            y: [B, n_attributes] in [-1, 1] units.

        Returns:
            Logits [B]; the paper's output is their sigmoid.
        """
        h = join_maps(x, y) if self.y_layer == 0 else x
        for layer, block in enumerate(self.hidden, start=1):
            h = block(h)
            if layer == self.y_layer:
                h = join_maps(h, y)
        logits: Tensor = self.output(h)
        return logits.flatten()
