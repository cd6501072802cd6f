"""A painter's critic beside a model's weights."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from icgan_sdk import IcGAN
from icgan_sdk.artefacts.critic import TrainedCritic, find_critic
from icgan_sdk.artefacts.layout import CRITIC_FILE
from icgan_sdk.artefacts.store import copy_artefact, save_artefact
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ModelFormatError, SaveError
from icgan_sdk.model import Critic, IcGANNetworks
from tests.conftest import CARD, tiny_networks


@pytest.fixture
def networks(tiny_config: ModelConfig) -> IcGANNetworks:
    return tiny_networks(replace(tiny_config, painter_size=32, painter_width=4))


def make_critic(config: ModelConfig, seed: int) -> Critic:
    torch.manual_seed(seed)
    return Critic(replace(config.photo, discriminator_width=4), parts=True)


@pytest.fixture
def folder(networks: IcGANNetworks, tmp_path: Path) -> Path:
    critic = TrainedCritic("own", make_critic(networks.config, seed=1))
    save_artefact(networks, tmp_path / "model", card=CARD, critic=critic)
    return tmp_path / "model"


def test_a_critic_comes_back_in_half_precision(networks: IcGANNetworks, folder: Path) -> None:
    saved, critic = (make_critic(networks.config, seed) for seed in (1, 2))
    stored = find_critic(folder)
    assert stored is not None
    assert stored.kind == "own"
    stored.load_into(critic)
    expected = {name: t.half().float() for name, t in saved.state_dict().items()}
    torch.testing.assert_close(dict(critic.state_dict()), expected, rtol=0, atol=0)
    with safe_open(folder / CRITIC_FILE, framework="pt") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"F16"}  # noqa: SIM118


def test_a_loaded_critic_keeps_which_layers_learn_and_counts_of_batches(folder: Path) -> None:
    def build() -> nn.Sequential:
        return nn.Sequential(nn.Linear(2, 3).requires_grad_(False), nn.BatchNorm1d(3))

    critic, again = build(), build()
    critic(torch.randn(5, 2))
    save_artefact_critic(folder, critic)
    again(torch.randn(5, 2))
    stored = find_critic(folder)
    assert stored is not None
    stored.load_into(again)
    assert [p.requires_grad for p in again.parameters()] == [False, False, True, True]
    assert again.state_dict()["1.num_batches_tracked"] == 1
    kinds = {name: tensor.dtype for name, tensor in load_file(folder / CRITIC_FILE).items()}
    assert kinds["1.running_var"] == torch.float32
    assert kinds["1.weight"] == torch.float16


def save_artefact_critic(folder: Path, critic: nn.Module) -> None:
    networks = IcGAN.from_pretrained(folder)._engine.networks
    save_artefact(networks, folder, card=CARD, critic=TrainedCritic("other", critic))


def test_most_models_have_none(tiny_folder: Path, tmp_path: Path) -> None:
    assert find_critic(tiny_folder) is None
    assert find_critic(tmp_path / "nowhere") is None


def test_edits_never_open_it(folder: Path) -> None:
    (folder / CRITIC_FILE).write_bytes(b"garbage")
    model = IcGAN.from_pretrained(folder)
    model.edit(torch.zeros(3, 32, 32), Smiling=1, align="none")
    with pytest.raises(ModelFormatError, match=r"critic\.safetensors can't be read"):
        find_critic(folder)


DAMAGES: dict[str, Callable[[dict[str, Tensor]], object]] = {
    "missing tensors: attributes.bias": lambda w: w.pop("attributes.bias"),
    "unknown tensors: other": lambda w: w.update(other=torch.zeros(1)),
    "'attributes.bias' has shape [5]": lambda w: w.update({"attributes.bias": torch.zeros(5)}),
    "'attributes.bias' has values that are not finite": lambda w: w["attributes.bias"].fill_(
        torch.inf
    ),
}


@pytest.mark.parametrize("problem", DAMAGES)
def test_weights_that_dont_fit_are_refused(
    problem: str, networks: IcGANNetworks, folder: Path
) -> None:
    path, critic = folder / CRITIC_FILE, make_critic(networks.config, seed=2)
    weights = {name: tensor.clone() for name, tensor in load_file(path).items()}
    DAMAGES[problem](weights)
    save_file(weights, path, {"kind": "own"})
    before = {name: t.clone() for name, t in critic.state_dict().items()}
    stored = find_critic(folder)
    assert stored is not None
    with pytest.raises(ModelFormatError, match=re.escape(problem)):
        stored.load_into(critic)
    torch.testing.assert_close(dict(critic.state_dict()), before, rtol=0, atol=0)
    save_file(weights, path)
    with pytest.raises(ModelFormatError, match="doesn't say which kind"):
        find_critic(folder)


def test_a_critic_that_is_not_finite_leaves_no_model(
    networks: IcGANNetworks, tmp_path: Path
) -> None:
    critic = make_critic(networks.config, seed=1)
    critic.attributes.bias.data.fill_(1e6)
    with pytest.raises(SaveError, match=r"'attributes\.bias' are not finite"):
        save_artefact(networks, tmp_path / "m", card="", critic=TrainedCritic("own", critic))
    assert not (tmp_path / "m").exists()


def test_copies_of_the_same_painter_keep_it(folder: Path, tmp_path: Path) -> None:
    model = IcGAN.from_pretrained(folder)
    model.save_pretrained(tmp_path / "saved")
    copy_artefact(folder, tmp_path / "copied")
    for copy in ("saved", "copied"):
        same = (tmp_path / copy / CRITIC_FILE).read_bytes()
        assert same == (folder / CRITIC_FILE).read_bytes()
    painter = model._engine.networks.painter
    assert painter is not None
    with torch.no_grad():
        next(painter.parameters()).mul_(2)
    model.save_pretrained(folder)
    assert not (folder / CRITIC_FILE).exists()
