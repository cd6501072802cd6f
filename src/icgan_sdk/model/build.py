"""Building the networks of a config: its names of architectures choose the classes.

A new architecture of the package is a file with its modules, and a line in one of the tables here;
those of other packages are registered, see `icgan_sdk.plugins`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from torch import nn

from icgan_sdk.config import OWN_CRITIC, PAPER_ARCHITECTURE, PROJECTED_CRITIC, UNET, ModelConfig
from icgan_sdk.errors import ConfigError, did_you_mean
from icgan_sdk.extensions import load_plugins
from icgan_sdk.model.convolutions import RepeatingConv
from icgan_sdk.model.critic import Critic
from icgan_sdk.model.encoders import Encoder, FaceEncoder, SharedEncoder
from icgan_sdk.model.generator import Generator
from icgan_sdk.model.layers import init_dcgan
from icgan_sdk.model.painter import Painter
from icgan_sdk.model.photo_critic import PhotoCritic
from icgan_sdk.model.projected_critic import ProjectedCritic
from icgan_sdk.model.residual_generator import ResidualGenerator

_Architecture = TypeVar("_Architecture")


@dataclass(frozen=True)
class GeneratorArchitecture:
    """How a kind of generator is built.

    Attributes:
        make: Makes G(z, y): [B, z_dim] and [B, n_attributes] to images [B, C, S, S] in (-1, 1).
        init: Gives a new one its initial weights for training, from the global generator.
    """

    make: Callable[[ModelConfig], nn.Module]
    init: Callable[[nn.Module], None] = init_dcgan


@dataclass(frozen=True)
class EncoderArchitecture:
    """How a kind of encoder is built.

    Attributes:
        make: Takes the config, the size of the output, units of the hidden fully connected layer
            (0: the architecture's choice) and whether y joins the image; makes a network from
            images [B, C, S, S] and y [B, n_attributes] to [B, out].
        make_shared: Makes the one network of the design "sng", from images to z and y; None: the
            architecture has no such design.
    """

    make: Callable[[ModelConfig, int, int, bool], nn.Module]
    make_shared: Callable[[ModelConfig], nn.Module] | None = None


CriticArchitecture = Callable[[ModelConfig], PhotoCritic]
"""Makes a critic of photos with random weights; the widths are the discriminator's."""

PainterArchitecture = Callable[[ModelConfig], Painter]
"""Makes a painter with random weights."""


GENERATORS: dict[str, GeneratorArchitecture] = {
    PAPER_ARCHITECTURE: GeneratorArchitecture(Generator),
    "resize": GeneratorArchitecture(partial(Generator, doubling=RepeatingConv)),
    "residual": GeneratorArchitecture(ResidualGenerator),
}
"""The architectures that `ModelConfig.generator` may name."""

ENCODERS: dict[str, EncoderArchitecture] = {
    PAPER_ARCHITECTURE: EncoderArchitecture(Encoder, SharedEncoder),
}
"""The architectures that `ModelConfig.encoder` may name."""

CRITICS: dict[str, CriticArchitecture] = {
    # With a gain of 1 it learns attributes at half the speed.
    OWN_CRITIC: partial(Critic, gain=2**0.5, parts=True),
    PROJECTED_CRITIC: ProjectedCritic,
}
"""The critics of painters, by the names that `painter.critic` gives them."""

PAINTERS: dict[str, PainterArchitecture] = {UNET: Painter}
"""The architectures that `ModelConfig.painter_architecture` may name."""


def build_generator(config: ModelConfig) -> nn.Module:
    """G of a config, with random weights.

    Raises:
        ConfigError: If there is no such architecture.
    """
    return _find(GENERATORS, "generator", config.generator).make(config)


def init_generator(generator: nn.Module, config: ModelConfig) -> None:
    """Give a new G the initial weights that its architecture is trained from."""
    _find(GENERATORS, "generator", config.generator).init(generator)


def build_encoder_z(config: ModelConfig) -> nn.Module:
    """E_z of a config of the designs "ind" and "ind_cond", with random weights.

    Raises:
        ConfigError: If there is no such architecture, or it should see faces that aren't where it
            can.
    """
    sees_y = config.encoder_design == "ind_cond"
    architecture = _find(ENCODERS, "encoder", config.encoder)
    own_size = replace(
        config,
        encoder_width=config.encoder_z_width or config.encoder_width,
        encoder_layers=config.encoder_z_layers or config.encoder_layers,
    )
    encoder = architecture.make(own_size, config.z_dim, config.encoder_z_fc, sees_y)
    return FaceEncoder(encoder, config) if config.encoder_z_faces else encoder


def build_encoder_y(config: ModelConfig) -> nn.Module:
    """E_y of a config of the designs "ind" and "ind_cond", with random weights.

    Raises:
        ConfigError: If there is no such architecture.
    """
    architecture = _find(ENCODERS, "encoder", config.encoder)
    return architecture.make(config, config.n_attributes, config.encoder_y_fc, False)


def build_shared_encoder(config: ModelConfig) -> nn.Module:
    """The one encoder of a config of the design "sng", with random weights.

    Raises:
        ConfigError: If there is no such architecture, or it doesn't come in this design.
    """
    make = _find(ENCODERS, "encoder", config.encoder).make_shared
    if make is None:
        raise ConfigError(f"the encoder {config.encoder!r} doesn't come in the design 'sng'")
    return make(config)


def build_critic(name: str, config: ModelConfig) -> PhotoCritic:
    """A critic of photos with random weights.

    Raises:
        ConfigError: If there is none of this name, or it can't be built here.
    """
    return _find(CRITICS, "critic", name)(config)


def build_painter(config: ModelConfig) -> Painter:
    """The painter of a config that has one, with random weights.

    Raises:
        ConfigError: If there is no such architecture.
    """
    return _find(PAINTERS, "painter", config.painter_architecture)(config)


def _find(table: Mapping[str, _Architecture], field: str, name: str) -> _Architecture:
    if name not in table:
        load_plugins()
    if name not in table:
        raise ConfigError(f"model config: no {field} {name!r}; {did_you_mean(name, table)}")
    return table[name]
