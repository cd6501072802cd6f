"""Architectures by name: a new one is a file with its modules, and a line in a table."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from icgan_sdk.artefacts.store import load_artefact, save_artefact
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, ModelFormatError
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.build import ENCODERS, GENERATORS, EncoderArchitecture, GeneratorArchitecture
from icgan_sdk.train import run
from icgan_sdk.training.recipe_files import override
from icgan_sdk.training.train_config import TrainConfig
from tests.conftest import tiny_networks
from tests.training.conftest import SECTIONS, write_bars


class FlatGenerator(nn.Module):
    """One linear layer."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.shape = (config.channels, config.image_size, config.image_size)
        pixels = config.channels * config.image_size**2
        self.layer = nn.Linear(config.z_dim + config.n_attributes, pixels)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        images: Tensor = self.layer(torch.cat([z, y.to(z.dtype)], 1)).view(-1, *self.shape)
        return images.tanh()


class FlatEncoder(nn.Module):
    """One linear layer."""

    def __init__(self, config: ModelConfig, out: int, hidden: int, sees_y: bool) -> None:
        super().__init__()
        self.layer = nn.Linear(config.channels * config.image_size**2, out)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        out: Tensor = self.layer(x.flatten(1))
        return out


@pytest.fixture(autouse=True)
def flat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GENERATORS, "flat", GeneratorArchitecture(FlatGenerator))
    monkeypatch.setitem(ENCODERS, "flat", EncoderArchitecture(FlatEncoder))


@pytest.mark.parametrize("method", ["matching", "joint"])
def test_a_registered_architecture_is_trained_saved_and_loaded(tmp_path: Path, method: str) -> None:
    data = write_bars(tmp_path / "bars")
    config = override(
        TrainConfig.from_dict({**SECTIONS, "data": str(data)}),
        [
            "model.generator=flat",
            "model.encoder=flat",
            f"gan.method={method}",
            "gan.epochs=1",
            "encoder_z.epochs=1",
            "encoder_y.epochs=1",
        ],
    )
    artefact = run(config, tmp_path / "run")
    assert json.loads((artefact / "config.json").read_text())["generator"] == "flat"
    networks = load_artefact(artefact)
    assert isinstance(networks.generator, FlatGenerator)
    assert isinstance(networks.encoder_z, FlatEncoder)
    z, y = networks.encode(torch.zeros(2, 1, 8, 8))
    assert networks.decode(z, y).shape == (2, 1, 8, 8)
    save_artefact(networks, tmp_path / "again", card="")
    again = load_artefact(tmp_path / "again")
    assert torch.equal(again.decode(z, y), networks.decode(z, y))


def test_configs_of_the_papers_architecture_do_not_name_it(tiny_config: ModelConfig) -> None:
    assert not tiny_config.to_dict().keys() & {"generator", "encoder"}
    flat = ModelConfig(generator="flat", encoder="flat")
    assert ModelConfig.from_dict(flat.to_dict()) == flat


def test_unknown_architectures_are_refused(tiny_config: ModelConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no generator 'flit'; did you mean 'flat'"):
        IcGANNetworks(ModelConfig(generator="flit"))
    with pytest.raises(ConfigError, match="doesn't come in the design 'sng'"):
        IcGANNetworks(ModelConfig(encoder="flat", encoder_design="sng"))
    save_artefact(tiny_networks(tiny_config), tmp_path / "model", card="")
    path = tmp_path / "model/config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "encoder": "vit"}))
    with pytest.raises(ModelFormatError, match="no encoder 'vit'"):
        load_artefact(tmp_path / "model")
    plain = {**SECTIONS, "data": str(write_bars(tmp_path / "bars", AttributeSet()))}
    config = override(TrainConfig.from_dict(plain), ["model.generator=flit"])
    with pytest.raises(ConfigError, match="no generator 'flit'"):
        run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_other_generators_have_no_output_to_smooth(tmp_path: Path) -> None:
    plain = {**SECTIONS, "data": str(write_bars(tmp_path / "bars"))}
    settings = ["model.generator=flat", "generated.smooth_output=true"]
    config = override(TrainConfig.from_dict(plain), settings)
    with pytest.raises(ConfigError, match="smooth_output is for the generator 'dcgan', not 'flat'"):
        run(config, tmp_path / "run")


def test_encoder_z_may_have_its_own_size(tiny_config: ModelConfig) -> None:
    wide = replace(tiny_config, encoder_z_width=6, encoder_z_layers=3)
    usual, own = IcGANNetworks(tiny_config), IcGANNetworks(wide)
    assert own.encoder_z is not None
    assert own.encoder_y is not None
    assert [w.shape[0] for n, w in own.encoder_z.named_parameters() if w.ndim == 4] == [6, 12, 24]
    x = torch.zeros(2, tiny_config.channels, tiny_config.image_size, tiny_config.image_size)
    z, y = own.encode(x)
    assert z.shape == (2, tiny_config.z_dim)
    assert y.shape == (2, tiny_config.n_attributes)
    y_shapes = {name: w.shape for name, w in own.encoder_y.named_parameters()}
    assert usual.encoder_y is not None
    assert y_shapes == {name: w.shape for name, w in usual.encoder_y.named_parameters()}
    assert ModelConfig.from_dict(wide.to_dict()) == wide


def test_encoder_z_of_the_usual_size_is_not_named_in_configs(tiny_config: ModelConfig) -> None:
    assert not tiny_config.to_dict().keys() & {"encoder_z_width", "encoder_z_layers"}


def test_the_shared_encoder_has_one_size() -> None:
    with pytest.raises(ConfigError, match="'sng' has one encoder"):
        ModelConfig(encoder_design="sng", encoder_z_width=4)
    with pytest.raises(ConfigError, match="'sng' has one encoder"):
        ModelConfig(encoder_design="sng", encoder_z_layers=4)
