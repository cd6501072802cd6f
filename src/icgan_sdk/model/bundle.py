"""The networks an edit needs, together: generator and encoders of any design."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.model.discriminator import Discriminator
from icgan_sdk.model.encoders import Encoder, SharedEncoder
from icgan_sdk.model.generator import Generator
from icgan_sdk.model.painter import Painter, request, whole_step


class IcGANNetworks(nn.Module):
    """Generator and encoders; where a training shall go on, the discriminator too.

    Submodules, and so the first part of every parameter's name: ``generator``; ``encoder_z`` and
    ``encoder_y`` of the designs IND and IND-COND, or ``encoder`` of SNG; ``discriminator`` if it
    is there; ``painter`` of a model that has one. A model without attributes has no
    ``encoder_y``.

    Args:
        config: Sizes and design.
        discriminator: Whether to keep a discriminator, which no edit needs.
    """

    def __init__(self, config: ModelConfig, *, discriminator: bool = False) -> None:
        super().__init__()
        self.config = config
        self.generator = Generator(config)
        self.discriminator = Discriminator(config) if discriminator else None
        self.painter = Painter(config) if config.painter_size else None
        self.encoder: SharedEncoder | None = None
        self.encoder_z: Encoder | None = None
        self.encoder_y: Encoder | None = None
        if config.encoder_design == "sng":
            self.encoder = SharedEncoder(config)
            return
        sees_y = config.encoder_design == "ind_cond"
        self.encoder_z = Encoder(config, config.z_dim, config.encoder_z_fc, sees_y)
        if config.n_attributes:
            self.encoder_y = Encoder(config, config.n_attributes, config.encoder_y_fc)

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
        """E_z alone, given known attributes, which only the IND-COND design sees.

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
        """Photos of the painter's side [B, C, P, P] as encoders take them, [B, C, S, S]."""
        scale = x.shape[-1] // self.config.image_size
        return x if scale == 1 else F.avg_pool2d(x, scale)

    def pictures(self, z: Tensor, y: Tensor, y_new: Tensor) -> Tensor:
        """G(z, y) and G(z, y_new) side by side in the channels, [B, 2C, S, S] in (-1, 1)."""
        before, after = self.decode(torch.cat([z, z]), torch.cat([y, y_new])).chunk(2)
        return torch.cat([before, after], dim=1)

    def paint(self, x: Tensor, z: Tensor, y: Tensor, y_new: Tensor) -> Tensor:
        """Paint an edit onto photos.

        Args:
            x: Photos [B, C, P, P] in [-1, 1].
            z: What `encode` finds in the shrunk photos, [B, z_dim].
            y: The same, [B, n_attributes].
            y_new: The attributes after the edit, [B, n_attributes].

        Returns:
            [B, C, P, P] in [-1, 1]; x itself, bit for bit, where y_new is y.
        """
        assert self.painter is not None  # callers ask the config
        direction, amount = request(y, y_new)
        pictures = None
        if self.painter.sees_pictures:
            pictures = self.pictures(z, y, whole_step(y, y_new, amount))
        painted: Tensor = self.painter(x, direction, amount, pictures)
        return painted
