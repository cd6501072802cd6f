"""Networks that know how the test data was made, so that what they should score is known."""

import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.model import IcGANNetworks

HAIR = torch.tensor([[120, 120, 120], [10, 10, 10], [230, 220, 60]]) / 127.5 - 1


class Painter(IcGANNetworks):
    """Reads and paints `faces` without error; z is only the ground's brightness.

    Args:
        config: Attributes and size of `faces`.
        obeys: Whether it paints what y says, or what z remembers.
        mouth: How much brighter a smile is, of 255; 90 in the data.
    """

    def __init__(self, config: ModelConfig, obeys: bool = True, mouth: int = 90) -> None:
        super().__init__(config)
        self.obeys, self.mouth = obeys, mouth
        self.eval()

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        ground = x[:, :, 5:10].mean((2, 3))
        male = ground[:, 2] > ground[:, 0]
        smiling = x[:, 1, 11:14, 4:12].mean((1, 2)) > ground[:, 1] + 0.3
        hair = (x[:, :, 0].mean(2)[:, None] - HAIR.to(x)).square().sum(2).argmin(1)
        y = torch.stack([male, smiling, hair == 1, hair == 2], dim=1).float() * 2 - 1
        z = torch.cat([ground[:, 1:2], y, torch.zeros_like(y[:, :1])], dim=1)
        return z, y

    def encode_z(self, x: Tensor, y: Tensor) -> Tensor:
        return self.encode(x)[0]

    def read_y(self, x: Tensor) -> Tensor:
        return self.encode(x)[1]

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        male, smiling, black, blond = ((y if self.obeys else z[:, 1:5]) > 0).T
        brightness = z[:, 0].clamp(-1, -0.7) if not self.obeys else z[:, 0] * 0 - 0.85
        images = brightness[:, None, None, None].expand(-1, 3, 16, 16).clone()
        images[male, 2] += 120 / 127.5
        images[~male, 0] += 120 / 127.5
        images[smiling, :, 11:14, 4:12] += self.mouth / 127.5
        images[:, :, :4] = HAIR.to(z)[black.long() + 2 * (blond & ~black).long()][..., None, None]
        return images.clamp(-1, 1)


class Copier(IcGANNetworks):
    """Gives an image it was shown for every z."""

    def __init__(self, config: ModelConfig, images: Tensor) -> None:
        super().__init__(config)
        self.images = images
        self.eval()

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        return self.images[(z[:, 0] * 1000).long() % len(self.images)]


class Invertible(IcGANNetworks):
    """Writes z into pixels, from where it reads it again; finds y as it is told."""

    def __init__(self, config: ModelConfig, z_offset: float = 0.0) -> None:
        super().__init__(config)
        self.z_offset = z_offset
        self.eval()

    def encode_z(self, x: Tensor, y: Tensor) -> Tensor:
        return x.flatten(1)[:, : self.config.z_dim] * 8 + self.z_offset

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        side, channels = self.config.image_size, self.config.channels
        images = z.new_zeros(len(z), channels * side * side)
        images[:, : z.shape[1]] = z / 8
        return images.view(-1, channels, side, side)
