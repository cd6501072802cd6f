"""A critic of photos on a frozen ImageNet network's features (Projected GAN, Sauer et al. 2021).

It knows from the start what glasses, hats and hair look like, which a critic that learns from a few
ten thousand faces hardly finds out.
"""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError
from icgan_sdk.model.image_features import TAPS, ImageFeatures
from icgan_sdk.model.photo_critic import PhotoCritic, Sight
from icgan_sdk.model.spectral import spectral_norm

WIDTH = 96
"""Channels of the mixed features and of the heads on them."""

PIXEL_WIDTH = 40
"""Channels of the first layer that looks at the pixels themselves."""

PART_GAIN = 2.0
"""Scale of the parts' scores: with less, the hinge loss hardly leaves its start."""

HEAD_SIDE = 4
"""Side down to which the heads halve the features."""

SMALLEST = 16
"""The least side of photos for which all layers have something to see."""

READER_WIDTH = 96

GAIN = 2**0.5
"""Largest singular value of the hidden layers, which makes up for what leaky ReLUs take away."""


class ProjectedCritic(PhotoCritic):
    """Small heads on four scales of frozen features, and one on pixels.

    The features are mixed across channels (1×1) and, from the top down, across scales (3×3) by
    random weights that stay as they are: so the heads can't look at the few features that tell real
    from painted most easily. Each head has spectral normalisation and a projection of y (Miyato &
    Koyama 2018). What features of ImageNet overlook, tints and dots, the head on pixels sees.

    Args:
        config: Sizes; the pictures are photos of `image_size`.

    Raises:
        ConfigError: If the weights of the frozen network are not installed, or photos are too
            small.
    """

    relative_rate = 5.0
    scales: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        if config.image_size < SMALLEST:
            raise ConfigError(
                f"the critic 'projected' looks at photos of {SMALLEST} pixels and more, not of "
                f"{config.image_size}: train the painter against the critic 'own'"
            )
        self.backbone = ImageFeatures("lite0")
        channels, n_y = list(TAPS.values()), config.n_attributes
        self.mix = nn.ModuleList(nn.Conv2d(c, WIDTH, 1) for c in channels)
        self.smooth = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in channels)
        for layer in (*self.mix, *self.smooth):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
            nn.init.zeros_(layer.bias)
            layer.requires_grad_(False)
        self.register_buffer("scales", torch.ones(len(channels)))
        sides = [max(1, config.image_size // 2 ** (k + 2)) for k in range(len(channels))]
        self.heads = nn.ModuleList(_Head(side) for side in sides)
        self.outcomes = nn.ModuleList(_Outcome(WIDTH, n_y) for _ in sides)
        self.pixels = _PixelHead(config.channels, n_y)
        self.reader = _Reader(n_y)

    def features(self, x: Tensor) -> list[Tensor]:
        """The frozen network's taps of photos [B, C, P, P], and the photos."""
        return [*self.backbone(x), x]

    def look(self, features: list[Tensor]) -> Sight:
        """Judge photos by their features."""
        *taps, x = features
        mixed = self._mixed(taps)
        seen = [
            head(h * scale) for head, h, scale in zip(self.heads, mixed, self.scales, strict=True)
        ]
        return _ProjectedSight(self, seen, self.pixels(x), self.reader(taps))

    @torch.no_grad()
    def calibrate(self, x: Tensor) -> None:
        """Scale the mixed features so that those of real photos [B, C, P, P] have power 1."""
        mixed = self._mixed(self.backbone(x))
        self.scales.copy_(torch.stack([h.float().square().mean().rsqrt() for h in mixed]))

    def _mixed(self, taps: list[Tensor]) -> list[Tensor]:
        mixed: list[Tensor] = []
        for mix, smooth, tap in reversed(list(zip(self.mix, self.smooth, taps, strict=True))):
            h = mix(tap)
            if mixed:
                above = F.interpolate(mixed[0], h.shape[2:], mode="nearest")
                h = (h + above) * math.sqrt(0.5)
            mixed.insert(0, smooth(h))
        return mixed

    def requires_grad_(self, requires_grad: bool = True) -> "ProjectedCritic":
        """Let all weights learn, or none; the frozen ones never do."""
        super().requires_grad_(requires_grad)
        for layer in (*self.mix, *self.smooth):
            for weight in layer.parameters():
                weight.requires_grad = False
        return self


class _ProjectedSight(Sight):
    """What the heads see."""

    def __init__(
        self, critic: ProjectedCritic, seen: list[Tensor], pixels: list[Tensor], logits: Tensor
    ) -> None:
        self._critic, self._seen, self._pixels, self._logits = critic, seen, pixels, logits

    def scores(self, y: Tensor) -> list[Tensor]:
        pairs = zip(self._critic.outcomes, self._seen, strict=True)
        return [outcome(h, y) for outcome, h in pairs]

    def parts(self, y: Tensor) -> Tensor:
        return PART_GAIN * self._critic.pixels.outcome(self._pixels, y)

    def read(self) -> Tensor:
        return self._logits.float()


class _Outcome(nn.Module):
    """Scores w·h + yᵀV h of maps h, position by position."""

    def __init__(self, width: int, n_y: int) -> None:
        super().__init__()
        self.real = spectral_norm(nn.Conv2d(width, 1, 1))
        self.matching = spectral_norm(nn.Linear(n_y, width, bias=False))

    def forward(self, h: Tensor, y: Tensor) -> Tensor:
        """[B, positions] of maps [B, width, h, w] and attributes [B, n_y]."""
        matching = (h * self.matching(y)[:, :, None, None]).sum(1, keepdim=True)
        scores: Tensor = self.real(h) + matching
        return scores.float().flatten(1)


class _Head(nn.Module):
    """A critic of one scale: halvings down to `HEAD_SIDE`, and a 3×3."""

    def __init__(self, side: int) -> None:
        super().__init__()
        halvings = max(0, (side // HEAD_SIDE).bit_length() - 1)
        layers = [nn.Conv2d(WIDTH, WIDTH, 4, 2, 1) for _ in range(halvings)]
        layers.append(nn.Conv2d(WIDTH, WIDTH, 3, padding=1))
        self.layers = nn.ModuleList(spectral_norm(layer, GAIN) for layer in layers)

    def forward(self, h: Tensor) -> Tensor:
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.2)
        return h


class _PixelHead(nn.Module):
    """Looks at parts of 22 and 46 pixels."""

    def __init__(self, channels: int, n_y: int) -> None:
        super().__init__()
        widths = [channels, *(PIXEL_WIDTH * times for times in (1, 2, 4, 6))]
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, 2, 1), GAIN) for a, b in pairwise(widths)
        )
        self.outcomes = nn.ModuleList(_Outcome(width, n_y) for width in widths[-2:])

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            maps.append(x)
        return maps[-2:]

    def outcome(self, maps: list[Tensor], y: Tensor) -> Tensor:
        parts = [outcome(h, y) for outcome, h in zip(self.outcomes, maps, strict=True)]
        return torch.cat(parts, dim=1)


class _Reader(nn.Module):
    """Reads attributes off the coarser taps."""

    def __init__(self, n_y: int) -> None:
        super().__init__()
        _, fine, middle, coarse = TAPS.values()
        self.middle = nn.Conv2d(fine + middle, READER_WIDTH, 3, padding=1)
        self.coarse = nn.Conv2d(coarse, READER_WIDTH, 1)
        self.logits = nn.Linear(2 * READER_WIDTH * HEAD_SIDE**2, n_y)

    def forward(self, taps: list[Tensor]) -> Tensor:
        _, fine, middle, coarse = taps
        side = (middle.shape[2], middle.shape[3])
        both = torch.cat([F.adaptive_avg_pool2d(fine, side), middle], dim=1)
        maps = [self.middle(both), self.coarse(coarse)]
        pooled = [F.adaptive_avg_pool2d(F.leaky_relu(m, 0.2), HEAD_SIDE) for m in maps]
        logits: Tensor = self.logits(torch.cat(pooled, dim=1).flatten(1))
        return logits
