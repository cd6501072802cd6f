"""The critic that learns from the training images alone: of joint training and of painters."""

from typing import TypeVar

import torch
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.model.convolutions import HalvingConv
from icgan_sdk.model.photo_critic import PhotoCritic, Sight
from icgan_sdk.model.spectral import spectral_norm

_Layer = TypeVar("_Layer")


class Critic(PhotoCritic):
    """A projection discriminator with a second head that reads the attributes.

    Convolutions of 4×4 halve the side down to 4×4, as in the paper's discriminator; a fully
    connected layer follows. All layers have spectral normalisation (Miyato et al. 2018) and no
    batch normalisation, so images in a batch don't influence one another. An image with the
    features h has the score w·h + yᵀV h with y (projection discriminator, Miyato & Koyama 2018).
    A linear layer reads the attributes off h (auxiliary classifier, Odena et al. 2017).

    Args:
        config: Sizes; the widths are the discriminator's.
        gain: Largest singular value of the hidden layers. With 1, leaky ReLUs weaken the signal
            layer by layer, and attributes are learned at half the speed.
        parts: Also score the parts of an image one by one (PatchGAN, Isola et al. 2017), so that
            a wrong texture counts wherever it is.
    """

    def __init__(self, config: ModelConfig, gain: float = 1.0, parts: bool = False) -> None:
        super().__init__()
        width = config.channels
        self.blocks = nn.ModuleList()
        for layer in range(config.hidden_layers):
            out = config.discriminator_width * 2**layer
            convolution = spectral_norm(HalvingConv(width, out), gain)
            self.blocks.append(nn.Sequential(convolution, nn.LeakyReLU(0.2)))
            width = out
        self.hidden = nn.Sequential(
            nn.Flatten(), spectral_norm(nn.Linear(16 * width, width), gain), nn.LeakyReLU(0.2)
        )
        self.real = spectral_norm(nn.Linear(width, 1))
        self.matching = spectral_norm(nn.Linear(config.n_attributes, width, bias=False))
        self.attributes = nn.Linear(width, config.n_attributes)
        widths = [config.discriminator_width * 2**layer for layer in range(config.hidden_layers)]
        self.parts = nn.ModuleList(
            spectral_norm(nn.Conv2d(out, 1, 1)) for out in _finer(widths) if parts
        )

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

    def look(self, features: list[Tensor]) -> Sight:
        """Judge images [B, C, S, S], the one entry of `features`; only for critics with `parts`."""
        maps = self.maps(features[0])
        parts = [head(m).flatten(1) for head, m in zip(self.parts, _finer(maps), strict=True)]
        return _CriticSight(self, self.hidden(maps[-1]), torch.cat(parts, dim=1).float())

    def score(self, h: Tensor, y: Tensor) -> Tensor:
        """Scores [B] of images with the features h [B, width] and attributes y [B, n_y]."""
        scores: Tensor = self.real(h)[:, 0] + (h * self.matching(y)).sum(1)
        return scores.float()

    def read(self, h: Tensor) -> Tensor:
        """Logits [B, n_y] for the presence of each attribute, from features h [B, width]."""
        logits: Tensor = self.attributes(h)
        return logits.float()


class _CriticSight(Sight):
    """The features h of pictures, and their parts' scores, in which y has no say."""

    def __init__(self, critic: Critic, h: Tensor, parts: Tensor) -> None:
        self._critic, self._h, self._parts = critic, h, parts

    def scores(self, y: Tensor) -> list[Tensor]:
        return [self._critic.score(self._h, y)[:, None]]

    def parts(self, y: Tensor) -> Tensor:
        return self._parts

    def read(self) -> Tensor:
        return self._critic.read(self._h)


def _finer(layers: list[_Layer]) -> list[_Layer]:
    """The two layers before the last, of sides 16 and 8: they see parts of 22 and 46 pixels."""
    return layers[-3:-1] or layers


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
