"""The networks of IcGAN as plain modules: they take and give tensors, and know no files."""

from icgan_sdk.model.build import (
    build_critic,
    build_encoder_y,
    build_encoder_z,
    build_generator,
    build_painter,
    init_generator,
)
from icgan_sdk.model.bundle import IcGANNetworks
from icgan_sdk.model.critic import Critic, map_distance
from icgan_sdk.model.discriminator import Discriminator
from icgan_sdk.model.encoders import Encoder, FaceEncoder, SharedEncoder
from icgan_sdk.model.generator import Generator
from icgan_sdk.model.noise import draw_noise
from icgan_sdk.model.painter import Painter

__all__ = [
    "Critic",
    "Discriminator",
    "Encoder",
    "FaceEncoder",
    "Generator",
    "IcGANNetworks",
    "Painter",
    "SharedEncoder",
    "build_critic",
    "build_encoder_y",
    "build_encoder_z",
    "build_generator",
    "build_painter",
    "draw_noise",
    "init_generator",
    "map_distance",
]
