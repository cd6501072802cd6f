"""The critic of joint training: scores images with their attributes, and reads attributes."""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from icgan_sdk.config import ModelConfig
from icgan_sdk.model.convolutions import HalvingConv


class Critic(nn.Module):
    """A projection discriminator with a second head that reads the attributes.

    Convolutions of 4×4 halve the side down to 4×4, as in the paper's discriminator; a fully
    connected layer follows. All layers have spectral normalisation (Miyato et al. 2018) and no
    batch normalisation, so images in a batch don't influence one another. An image with the
    features h has the score w·h + yᵀV h with y (projection discriminator, Miyato & Koyama 2018).
    A linear layer reads the attributes off h (auxiliary classifier, Odena et al. 2017).

    Args:
        config: Sizes; the widths are the discriminator's.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.channels
        self.blocks = nn.ModuleList()
        for layer in range(config.hidden_layers):
            out = config.discriminator_width * 2**layer
            convolution = spectral_norm(HalvingConv(width, out))
            self.blocks.append(nn.Sequential(convolution, nn.LeakyReLU(0.2)))
            width = out
        self.hidden = nn.Sequential(
            nn.Flatten(), spectral_norm(nn.Linear(16 * width, width)), nn.LeakyReLU(0.2)
        )
        self.real = spectral_norm(nn.Linear(width, 1))
        self.matching = spectral_norm(nn.Linear(config.n_attributes, width, bias=False))
        self.attributes = nn.Linear(width, config.n_attributes)

    def maps(self, x: Tensor) -> list[Tensor]:
        """The feature maps of images [B, C, S, S] in [-1, 1]: one [B, C', S', S'] per layer."""
        found = []
        for block in self.blocks:
            x = block(x)
            found.append(x)
        return found

    def embed(self, x: Tensor) -> Tensor:
        """The features h [B, width] of images [B, C, S, S]."""
        h: Tensor = self.hidden(self.maps(x)[-1])
        return h

    def score(self, h: Tensor, y: Tensor) -> Tensor:
        """Scores [B] of images with the features h [B, width] and attributes y [B, n_y]."""
        scores: Tensor = self.real(h)[:, 0] + (h * self.matching(y)).sum(1)
        return scores.float()

    def read(self, h: Tensor) -> Tensor:
        """Logits [B, n_y] for the presence of each attribute, from features h [B, width]."""
        logits: Tensor = self.attributes(h)
        return logits.float()


def map_distance(maps: list[Tensor], targets: list[Tensor]) -> Tensor:
    """Mean absolute difference of feature maps.

    Each layer's difference is relative to the mean magnitude of its target. No gradient flows
    into the targets.

    Returns:
        A scalar.
    """
    distances = [
        (a.float() - b.detach().float()).abs().mean() / b.detach().float().abs().mean()
        for a, b in zip(maps, targets, strict=True)
    ]
    return torch.stack(distances).mean()
