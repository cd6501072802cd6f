"""The painter: shapes, what a request does, and that nothing asked changes nothing."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError
from icgan_sdk.model import IcGANNetworks, Painter
from icgan_sdk.model.painter import apply_change, request
from icgan_sdk.model.spectral import spectral_norm

TINY = ModelConfig(
    image_size=16,
    attributes=AttributeSet(("a", "b", "c")),
    z_dim=3,
    generator_width=4,
    encoder_width=2,
    encoder_y_fc=8,
    painter_size=32,
    painter_width=4,
)


def painter(config: ModelConfig = TINY) -> Painter:
    torch.manual_seed(0)
    network = Painter(config)
    with torch.no_grad():
        network.output.weight.mul_(30)  # its first change is near 0
    return network


def inputs(config: ModelConfig = TINY) -> tuple[Tensor, Tensor]:
    draws = torch.Generator().manual_seed(1)
    side, channels = config.painter_size, config.channels
    x = torch.rand(2, channels, side, side, generator=draws) * 2 - 1
    return x, torch.tensor([[1.0, 0, 0], [-0.5, 1, 0]])


@pytest.mark.parametrize(("size", "channels"), [(16, 1), (16, 3), (32, 3), (64, 1)])
def test_shapes_and_ranges(size: int, channels: int) -> None:
    config = replace(TINY, painter_size=size, channels=channels)
    x, direction = inputs(config)
    network = painter(config)
    change, mask = network.change(x, direction)
    assert change.shape == x.shape
    assert mask.shape == (2, 1, size, size)
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert change.abs().max() <= 2
    painted = network(x, direction, torch.tensor([1.0, 2.0]))
    assert painted.shape == x.shape
    assert painted.abs().max() <= 1
    assert not torch.equal(painted, x)


def test_the_first_mask_is_half_open_and_the_first_change_small() -> None:
    torch.manual_seed(0)
    x, direction = inputs()
    with torch.no_grad():
        change, mask = Painter(TINY).change(x, direction)
    assert abs(float(mask.mean()) - 0.5) < 0.1
    assert change.abs().mean() < 0.3


def test_nothing_asked_changes_no_bit_and_amounts_are_linear() -> None:
    x, direction = inputs()
    x *= 0.1  # far from where colours end
    network = painter()
    assert torch.equal(network(x, direction, torch.zeros(2)), x)
    half, whole = (network(x, direction, torch.full((2,), a)) for a in (0.05, 0.1))
    assert_close(whole - x, 2 * (half - x))


def test_images_of_a_batch_do_not_see_each_other() -> None:
    x, direction = inputs()
    network = painter()
    together = network(x, direction, torch.ones(2))
    alone = network(x[:1], direction[:1], torch.ones(1))
    assert_close(alone, together[:1])


def test_requests_are_whole_steps_from_wherever_y_is() -> None:
    y = torch.tensor([[-0.3, 0.9, -0.8], [0.5, 0.0, 0.2]])
    new = torch.tensor([[1.0, -1.0, -0.8], [0.5, 0.0, 0.2]])
    direction, amount = request(y, new)
    assert_close(amount, torch.tensor([1.0, 0.0]))
    assert_close(direction, torch.tensor([[1.0, -1.0, 0.0], [0, 0, 0]]))
    third = y + (new - y) / 3
    assert_close(request(y, third).direction, direction)
    assert_close(request(y, third).amount, amount / 3)


def test_the_model_paints() -> None:
    torch.manual_seed(0)
    networks = IcGANNetworks(TINY).eval()
    x, _ = inputs()
    with torch.no_grad():
        y = networks.read_y(networks.shrink(x))
        new = y.clone()
        new[0, 1] = 1
        painted = networks.paint(x, y, new)
    assert torch.equal(painted[1], x[1])
    assert not torch.equal(painted[0], x[0])


def test_masks_bound_changes() -> None:
    x = torch.full((1, 3, 2, 2), 0.5)
    mask = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
    painted = apply_change(x, torch.full_like(x, 0.8), mask, torch.ones(1))
    assert_close(painted[0, 0, 0], torch.tensor([0.5, 1.0]))


def test_models_without_a_painter_say_nothing_of_it() -> None:
    plain = replace(TINY, painter_size=0)
    assert not any(name.startswith("painter") for name in plain.to_dict())
    assert IcGANNetworks(plain).painter is None
    for config in (plain, replace(TINY, painter_width=24)):
        assert ModelConfig.from_dict(config.to_dict()).to_dict() == config.to_dict()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("painter_size", 24),
        ("painter_size", 8),
        ("painter_size", -16),
        ("painter_width", 0),
        ("painter_size", 2048),
    ],
)
def test_settings_that_do_not_fit_are_refused(key: str, value: int) -> None:
    with pytest.raises(ConfigError, match=key):
        ModelConfig.from_dict({**TINY.to_dict(), key: value})


def test_spectral_norm_is_torchs() -> None:
    torch.manual_seed(0)
    theirs = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Conv2d(3, 5, 4))
    ours = spectral_norm(torch.nn.Conv2d(3, 5, 4))
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 8, 8)
    outputs = [layer(x) for layer in (theirs, ours)]
    assert_close(*outputs)
    for out in outputs:
        torch.autograd.backward(out.sin().sum())
    gradients = [dict(layer.named_parameters()) for layer in (theirs, ours)]
    for name, parameter in gradients[0].items():
        assert_close(parameter.grad, gradients[1][name].grad)
