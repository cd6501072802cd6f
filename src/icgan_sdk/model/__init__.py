"""The networks of IcGAN as plain modules: tensors in, tensors out, no files."""

from icgan_sdk.model.bundle import IcGANNetworks
from icgan_sdk.model.critic import Critic, map_distance
from icgan_sdk.model.discriminator import Discriminator
from icgan_sdk.model.encoders import Encoder, SharedEncoder
from icgan_sdk.model.generator import Generator, draw_noise
from icgan_sdk.model.painter import Painter

__all__ = [
    "Critic",
    "Discriminator",
    "Encoder",
    "Generator",
    "IcGANNetworks",
    "Painter",
    "SharedEncoder",
    "draw_noise",
    "map_distance",
]
