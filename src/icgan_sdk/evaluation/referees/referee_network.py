"""Referees: attribute nets that judge images, real or generated, by reading their attributes."""

from typing import Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, raise_where_different
from icgan_sdk.evaluation.referees.referee_layers import build_anet, build_residual

Architecture = Literal["anet", "residual"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)


class Impression(NamedTuple):
    """All that a referee finds in images, from one pass.

    Attributes:
        present: As `Referee.present`, bool [B, n_y].
        features: As `Referee.features`, [B, F].
        maps: As `Referee.maps`.
    """

    present: Tensor
    features: Tensor
    maps: list[Tensor]


class Referee(nn.Module):
    """A network that reads attributes off images. It judges models and is not part of any.

    - ``anet``: the paper's attribute net (§5.2), with the architecture of E_y (Table 2).
    - ``residual``: a small residual network (He et al. 2016). It is stronger and of another
      family, so it doesn't share the blind spots of the encoders it judges.

    Args:
        architecture: Which of the two networks.
        attributes: What the scores mean, in order; at least one.
        image_size: Side of the images with padding, as `ModelConfig` allows.
        channels: 1 (grey) or 3 (RGB).

    Attributes:
        thresholds: [n_y], in units of the scores. `present` finds an attribute where its score is
            above its threshold.

    Raises:
        ConfigError: If the values don't fit together.
    """

    thresholds: Tensor

    def __init__(
        self,
        architecture: Architecture,
        attributes: AttributeSet,
        image_size: int,
        channels: int,
    ) -> None:
        super().__init__()
        if architecture not in ARCHITECTURES:
            raise ConfigError(
                f"architecture must be one of {', '.join(ARCHITECTURES)}, not {architecture!r}"
            )
        if not len(attributes):
            raise ConfigError("a referee needs attributes to read, but there are none")
        config = ModelConfig(image_size=image_size, channels=channels, attributes=attributes)
        self.architecture: Architecture = architecture
        self.attributes, self.image_size, self.channels = attributes, image_size, channels
        build = build_anet if architecture == "anet" else build_residual
        self.blocks, self.neck, self.output = build(config)
        self.register_buffer("thresholds", torch.zeros(len(attributes)))

    def forward(self, x: Tensor) -> Tensor:
        """Score every attribute of images.

        Args:
            x: Images [B, C, S, S] in [-1, 1].

        Returns:
            [B, n_y]. A larger score means a clearer attribute. "anet" estimates y in −1…1,
            "residual" gives logits.
        """
        scores: Tensor = self.output(self.features(x))
        return scores

    def maps(self, x: Tensor) -> list[Tensor]:
        """Outputs [B, C_k, S_k, S_k] of the convolutional blocks, shallow to deep; not negative."""
        maps = []
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        return maps

    def features(self, x: Tensor) -> Tensor:
        """Input of the last linear layer, [B, F]; not negative."""
        features: Tensor = self.neck(self.maps(x)[-1])
        return features

    def present(self, x: Tensor) -> Tensor:
        """Attributes that images [B, C, S, S] show: bool [B, n_y]. Of classes, the likeliest."""
        return self._present(self(x))

    def look(self, x: Tensor) -> Impression:
        """Attributes, features and maps of images [B, C, S, S], in one pass."""
        maps = self.maps(x)
        features: Tensor = self.neck(maps[-1])
        return Impression(self._present(self.output(features)), features, maps)

    def _present(self, scores: Tensor) -> Tensor:
        if self.attributes.one_hot:
            return F.one_hot(scores.argmax(1), len(self.attributes)).bool()
        found: Tensor = scores > self.thresholds
        return found

    @property
    def device(self) -> torch.device:
        """The device of the referee's weights."""
        return self.thresholds.device

    def check_fits(self, model: ModelConfig) -> None:
        """Raise ConfigError unless this referee can judge a model's images."""
        pairs = {
            "attributes": (list(self.attributes.names), list(model.attributes.names)),
            "one_hot": (self.attributes.one_hot, model.attributes.one_hot),
            "image_size": (self.image_size, model.image_size),
            "channels": (self.channels, model.channels),
        }
        subject = "the referee doesn't fit the model, train one on the model's data"
        raise_where_different(pairs, subject)
