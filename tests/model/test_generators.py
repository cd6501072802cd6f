"""The generators beside the paper's."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.convolutions import DoublingConv, RepeatingConv
from icgan_sdk.train import run
from icgan_sdk.training.recipe_files import override
from icgan_sdk.training.train_config import TrainConfig
from tests.training.conftest import SECTIONS, write_bars

OTHERS = ["resize", "residual"]


def config_of(name: str, size: int = 16) -> ModelConfig:
    return ModelConfig(
        image_size=size,
        channels=1,
        attributes=AttributeSet(("a", "b")),
        z_dim=5,
        generator=name,
        generator_width=2,
        encoder_width=2,
        encoder_y_fc=4,
    )


def test_a_repeating_convolution_is_a_doubling_one_without_checkerboards() -> None:
    repeating, doubling = RepeatingConv(3, 2), DoublingConv(3, 2)
    ones = torch.ones(1, 1, 2, 2)
    with torch.no_grad():
        flat = repeating.weight.transpose(0, 1).flip(2, 3).reshape(6, 1, 3, 3)
        doubling.weight.copy_(F.conv_transpose2d(flat, ones).view(3, 2, 4, 4))
        doubling.bias.copy_(repeating.bias)  # type: ignore[union-attr, arg-type]
        x = torch.randn(2, 3, 5, 5)
        torch.testing.assert_close(repeating(x), doubling(x))
        before = doubling.weight.clone()
        doubling.smooth()
    torch.testing.assert_close(doubling.weight, before)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("size", [8, 16, 64])
def test_images_of_every_size(name: str, size: int) -> None:
    networks = IcGANNetworks(config_of(name, size)).train()
    z, y = torch.randn(4, 5), torch.randn(4, 2).sign()
    images = networks.generator(z, y)
    assert images.shape == (4, 1, size, size)
    assert images.abs().max() <= 1
    images.square().sum().backward()
    assert all(
        p.grad is not None and p.grad.isfinite().all() for p in networks.generator.parameters()
    )
    assert not torch.equal(images, networks.generator(z, -y))


@pytest.mark.parametrize("name", OTHERS)
def test_a_run_trains_and_its_model_keeps_the_name(name: str, tmp_path: Path) -> None:
    data = write_bars(tmp_path / "bars", side=16)
    config = override(
        TrainConfig.from_dict({**SECTIONS, "data": str(data)}),
        [f"model.generator={name}", "gan.method=joint", "gan.epochs=1", "encoder_z.epochs=1"],
    )
    artefact = run(config, tmp_path / "run")
    assert f'"generator": "{name}"' in (artefact / "config.json").read_text()


def test_residual_blocks_take_y_at_the_input() -> None:
    config = config_of("residual")
    for other in (replace(config, generator_y_layer=1), replace(config, generator_fc=8)):
        with pytest.raises(ConfigError, match="takes y at its input"):
            IcGANNetworks(other)
