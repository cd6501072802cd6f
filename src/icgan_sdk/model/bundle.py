"""The networks an edit needs, together: generator and encoders of any design."""

from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.model.discriminator import Discriminator
from icgan_sdk.model.encoders import Encoder, SharedEncoder
from icgan_sdk.model.generator import Generator


class IcGANNetworks(nn.Module):
    """Generator and encoders; where a training shall go on, the discriminator too.

    Submodules, and so the first part of every parameter's name: ``generator``; ``encoder_z`` and
    ``encoder_y`` of the designs IND and IND-COND, or ``encoder`` of SNG; ``discriminator`` if it
    is there. A model without attributes has no ``encoder_y``.

    Args:
        config: Sizes and design.
        discriminator: Whether to keep a discriminator, which no edit needs.
    """

    def __init__(self, config: ModelConfig, *, discriminator: bool = False) -> None:
        super().__init__()
        self.config = config
        self.generator = Generator(config)
        self.discriminator = Discriminator(config) if discriminator else None
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
