"""The conditional discriminator D(x, y) (paper, Table 1)."""

import torch
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.model.convolutions import ConditionalConv, HalvingConv, ScoringConv


class Discriminator(nn.Module):
    """Convolutions of 4×4 that halve the side, and a last one to a single score.

    Leaky ReLU 0.2 follows each hidden layer, batch norm each but the first. At 64×64 the widths
    are 64, 128, 256, 512, 1 (Table 1). y joins x at the input or at the output of a hidden layer
    (``config.discriminator_y_layer``; layer 1 is the paper's best).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.y_layer = config.discriminator_y_layer
        width = config.channels
        self.hidden = nn.ModuleList()
        for layer in range(1, config.hidden_layers + 1):
            out = config.discriminator_width * 2 ** (layer - 1)
            convolution = (
                ConditionalConv(width, config.n_attributes, out, scoring=False)
                if layer == self.y_layer + 1
                else HalvingConv(width, out)
            )
            norm = [nn.BatchNorm2d(out)] if layer > 1 else []
            activation = nn.LeakyReLU(0.2, inplace=bool(norm))
            self.hidden.append(nn.Sequential(convolution, *norm, activation))
            width = out
        self.output = (
            ConditionalConv(width, config.n_attributes, 1, scoring=True)
            if self.y_layer == config.hidden_layers
            else ScoringConv(width)
        )

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score pairs of images and attributes.

        Args:
            x: Images [B, C, S, S] in [-1, 1].
            y: [B, n_attributes] in [-1, 1] units; or [K, B, n_attributes] to score the same
                images with K label vectors each. The layers before y then run once (with
                ``discriminator_y_layer`` ≥ 2 their batch norm is updated once).

        Returns:
            Logits [B], or [K, B]; the paper's output is their sigmoid.
        """
        for block in self.hidden[: self.y_layer]:
            x = block(x)
        blocks = [*self.hidden, nn.Sequential(self.output)]
        (joining, *rest), *later = blocks[self.y_layer :]
        maps = joining.of_maps(x)
        scores = []
        for labels in y if y.ndim == 3 else [y]:
            h = maps + joining.of_labels(labels, x.shape[-1]).to(maps.dtype)
            for module in (*rest, *later):
                h = module(h)
            scores.append(h.flatten())
        return torch.stack(scores) if y.ndim == 3 else scores[0]
