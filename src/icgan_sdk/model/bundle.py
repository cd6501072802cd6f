"""The networks that an edit needs, together: generator and encoders of any design."""

import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.model.build import (
    build_encoder_y,
    build_encoder_z,
    build_generator,
    build_painter,
    build_shared_encoder,
)
from icgan_sdk.model.discriminator import Discriminator
from icgan_sdk.model.painter import request


class IcGANNetworks(nn.Module):
    """Generator and encoders; a painter in models that have one, a discriminator to train further.

    A parameter's name begins with the network it belongs to: ``generator``; ``encoder_z`` and
    ``encoder_y`` in the designs IND and IND-COND, ``encoder`` in SNG; ``painter``;
    ``discriminator``. A model without attributes has no ``encoder_y``.

    Args:
        config: Architectures, sizes and design.
        discriminator: Whether to include a discriminator, which no edit needs.

    Raises:
        ConfigError: If the config names an architecture that doesn't exist.
    """

    def __init__(self, config: ModelConfig, *, discriminator: bool = False) -> None:
        super().__init__()
        self.config = config
        self.generator = build_generator(config)
        self.discriminator = Discriminator(config) if discriminator else None
        self.encoder: nn.Module | None = None
        self.encoder_z: nn.Module | None = None
        self.encoder_y: nn.Module | None = None
        if config.encoder_design == "sng":
            self.encoder = build_shared_encoder(config)
        else:
            self.encoder_z = build_encoder_z(config)
            self.encoder_y = build_encoder_y(config) if config.n_attributes else None
        self.painter = build_painter(config) if config.painter_size else None

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Invert the generator: E_z and E_y.

        Args:
            x: Images [B, C, S, S] in [-1, 1].

        Returns:
            z [B, z_dim] and y [B, n_attributes].
        """
        if self.encoder is not None:
            z, read = self.encoder(x)
            return z, read
        read = self.read_y(x)
        return self.encode_z(x, read), read

    def encode_z(self, x: Tensor, y: Tensor) -> Tensor:
        """E_z alone. Only the IND-COND design looks at y.

        Args:
            x: Images [B, C, S, S] in [-1, 1].
            y: Their attributes [B, n_attributes].

        Returns:
            z [B, z_dim].
        """
        if self.encoder is not None:
            return self.encode(x)[0]
        assert self.encoder_z is not None  # by construction: all designs but "sng" have it
        z: Tensor = self.encoder_z(x, y)
        return z

    def read_y(self, x: Tensor) -> Tensor:
        """E_y alone: the attributes [B, n_attributes] of images [B, C, S, S] in [-1, 1]."""
        if self.encoder is not None:
            return self.encode(x)[1]
        if self.encoder_y is None:
            return x.new_zeros(x.shape[0], 0)  # len() would fix the batch when traced
        y: Tensor = self.encoder_y(x)
        return y

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """G(z, y): images [B, C, S, S] in (-1, 1)."""
        images: Tensor = self.generator(z, y)
        return images

    def shrink(self, x: Tensor) -> Tensor:
        """Photos of the painter's side [B, C, P, P] as the encoders take them, [B, C, S, S]."""
        scale = x.shape[-1] // self.config.image_size
        return x if scale == 1 else F.avg_pool2d(x, scale)

    def paint(self, x: Tensor, y: Tensor, y_new: Tensor) -> Tensor:
        """Paint an edit onto photos; for models with a painter only.

        Args:
            x: Photos [B, C, P, P] in [-1, 1].
            y: What `read_y` finds in the shrunk photos, [B, n_attributes].
            y_new: The attributes after the edit, [B, n_attributes].

        Returns:
            [B, C, P, P] in [-1, 1]; x itself, bit for bit, where y_new is y.
        """
        assert self.painter is not None  # callers ask the config
        painted: Tensor = self.painter(x, *request(y, y_new))
        return painted
