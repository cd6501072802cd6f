"""Sizes and shapes of the networks, over the whole range of configurations."""

import pytest
import torch
from torch import nn

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import EncoderDesign, ModelConfig
from icgan_sdk.errors import ConfigError, ShapeError
from icgan_sdk.model import Discriminator, Encoder, Generator, IcGANNetworks


def count(network: nn.Module | None) -> int:
    assert network is not None
    return sum(p.numel() for p in network.parameters())


def test_paper_parameter_counts() -> None:
    config = ModelConfig()
    networks = IcGANNetworks(config)
    assert config.n_attributes == 18
    assert count(networks.generator) == 3_725_123
    assert count(Discriminator(config)) == 2_803_393
    assert count(networks.encoder_z) == 18_278_244
    assert count(networks.encoder_y) == 3_186_962


def check_shapes(config: ModelConfig, batch: int = 2) -> None:
    networks = IcGANNetworks(config).eval()
    x = torch.randn(batch, config.channels, config.image_size, config.image_size)
    with torch.no_grad():
        z, y = networks.encode(x)
        images = networks.decode(z, y)
        scores = Discriminator(config).eval()(images, y)
    assert z.shape == (batch, config.z_dim)
    assert y.shape == (batch, config.n_attributes)
    assert images.shape == x.shape
    assert images.abs().max() <= 1
    assert scores.shape == (batch,)


@pytest.mark.parametrize("size", [8, 16, 32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_sizes(size: int, channels: int) -> None:
    check_shapes(
        ModelConfig(
            image_size=size,
            channels=channels,
            z_dim=5,
            generator_width=2,
            discriminator_width=2,
            encoder_width=2,
            encoder_y_fc=4,
        )
    )


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_large_sizes_without_memory(size: int) -> None:
    config = ModelConfig(image_size=size, generator_width=1, discriminator_width=1, encoder_width=1)
    with torch.device("meta"):
        networks, D = IcGANNetworks(config), Discriminator(config)
        z, y = networks.encode(torch.empty(2, 3, size, size))
        images = networks.decode(z, y)
        assert images.shape == (2, 3, size, size)
        assert D(images, y).shape == (2,)


@pytest.mark.parametrize("layer", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("design", ["ind", "sng", "ind_cond"])
def test_insertion_and_designs(layer: int, design: EncoderDesign) -> None:
    config = ModelConfig(
        z_dim=5,
        generator_width=2,
        discriminator_width=2,
        encoder_width=2,
        encoder_y_fc=4,
        generator_y_layer=layer,
        discriminator_y_layer=layer,
        encoder_design=design,
    )
    check_shapes(config)
    G, D = Generator(config), Discriminator(config)
    z, y = torch.randn(3, 5), torch.ones(3, 18, requires_grad=True)
    D(G(z, y), torch.ones(3, 18)).sum().backward()
    assert y.grad is not None
    assert y.grad.abs().sum() > 0


@pytest.mark.parametrize("n", [0, 1, 40])
def test_any_number_of_attributes(n: int) -> None:
    attributes = AttributeSet(tuple(f"a{i}" for i in range(n)))
    check_shapes(ModelConfig(image_size=16, attributes=attributes, encoder_width=2, z_dim=3))


def test_poster_variant_has_a_fully_connected_layer() -> None:
    plain = ModelConfig(image_size=16, z_dim=5)
    poster = ModelConfig(image_size=16, z_dim=5, generator_fc=64)
    check_shapes(poster)
    # The layer itself with its batch norm, and a first full convolution on 64 instead of 23.
    expected = (23 * 64 + 64) + 2 * 64 + (64 - 23) * 128 * 16
    assert count(Generator(poster)) - count(Generator(plain)) == expected


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigError, match=r"channels.*z_dim.*generator_y_layer"):
        ModelConfig(channels=2, z_dim=0, generator_y_layer=7)


@pytest.mark.parametrize("size", [0, 4, 63, 65, 2048])
def test_bad_sizes(size: int) -> None:
    with pytest.raises(ConfigError, match="power of two"):
        ModelConfig(image_size=size)


def test_conditional_encoder_wants_y() -> None:
    config = ModelConfig(image_size=8, encoder_width=2)
    with pytest.raises(ShapeError, match="sees y"):
        Encoder(config, 4, 8, sees_y=True)(torch.zeros(1, 3, 8, 8))
