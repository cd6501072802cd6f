"""The fast forms of the convolutions compute what the library's compute."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import gradcheck

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.model import Discriminator, convolutions
from icgan_sdk.model.convolutions import (
    ConditionalConv,
    DoublingConv,
    HalvingConv,
    ScoringConv,
    UnfoldingConv,
    _Double,
    _Halve,
)


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def leaves(*tensors: Tensor) -> list[Tensor]:
    return [t.clone().requires_grad_() for t in tensors]


@pytest.mark.parametrize("kernel", [4, 5])
@pytest.mark.parametrize("side", [2, 4, 8, 16, 32])  # below and above each threshold
def test_halving_by_products(kernel: int, side: int) -> None:
    x, weight, bias = random(2, 3, side, side), random(5, 3, kernel, kernel, seed=1), random(5)
    mine, theirs = leaves(x, weight, bias), leaves(x, weight, bias)
    halved = _Halve.apply(*mine)
    expected = F.conv2d(theirs[0], theirs[1], theirs[2], stride=2, padding=(kernel - 1) // 2)
    torch.testing.assert_close(halved, expected)
    gradient = random(*expected.shape, seed=2)
    for a, b in zip(
        torch.autograd.grad(halved, mine, gradient),
        torch.autograd.grad(expected, theirs, gradient),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("side", [1, 2, 4, 8, 16])
def test_doubling_by_products(side: int) -> None:
    x, weight, bias = random(2, 3, side, side), random(3, 5, 4, 4, seed=1), random(5)
    mine, theirs = leaves(x, weight, bias), leaves(x, weight, bias)
    doubled = _Double.apply(*mine)
    expected = F.conv_transpose2d(theirs[0], theirs[1], theirs[2], stride=2, padding=1)
    torch.testing.assert_close(doubled, expected)
    gradient = random(*expected.shape, seed=2)
    for a, b in zip(
        torch.autograd.grad(doubled, mine, gradient),
        torch.autograd.grad(expected, theirs, gradient),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_gradients_by_differences() -> None:
    x, weight, bias = leaves(random(1, 2, 4, 4), random(2, 2, 4, 4, seed=1), random(2))
    assert gradcheck(_Halve.apply, (x, weight, bias))
    assert gradcheck(_Double.apply, (x, weight, bias))


def test_only_asked_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_asked(*_: object) -> Tensor:
        raise AssertionError("nobody uses this gradient")

    monkeypatch.setattr(convolutions, "_weight_gradient", not_asked)
    weight = random(5, 3, 4, 4)  # needs none, as D's in G's step
    (x,) = leaves(random(2, 3, 8, 8))
    _Halve.apply(x, weight, None).sum().backward()
    assert x.grad is not None
    assert weight.grad is None


@pytest.mark.parametrize("side", [8, 16, 32])
def test_bfloat16_is_close_to_float32(side: int) -> None:
    torch.manual_seed(0)
    for network in (HalvingConv(6, 8), DoublingConv(6, 8)):
        x = torch.randn(4, 6, side, side).to(memory_format=torch.channels_last)
        expected = network(x)
        with torch.autocast("cpu", torch.bfloat16):
            fast = network(x)
        assert fast.dtype == torch.bfloat16
        assert (fast.float() - expected).abs().max() < 0.02 * expected.abs().max()
        fast.float().square().sum().backward()
        assert network.weight.grad is not None
        fast_gradient = network.weight.grad.clone()
        network.zero_grad()
        expected.square().sum().backward()
        difference = (fast_gradient - network.weight.grad).abs().max()
        assert difference < 0.02 * network.weight.grad.abs().max()


def test_of_a_single_pixel_only_the_middle_counts() -> None:
    torch.manual_seed(0)
    halve, x = HalvingConv(6, 8, 5), torch.randn(4, 6, 1, 1)
    expected = F.conv2d(x, halve.weight, halve.bias, stride=2, padding=2)
    torch.testing.assert_close(halve(x), expected)
    (gradient,) = torch.autograd.grad(expected.square().sum(), halve.weight)
    for dtype, tolerance in ((None, 1e-5), (torch.bfloat16, 0.03)):
        with torch.autocast("cpu", dtype, enabled=dtype is not None):
            halved = halve(x.to(memory_format=torch.channels_last))
        (mine,) = torch.autograd.grad(halved.float().square().sum(), halve.weight)
        assert (mine - gradient).abs().max() <= tolerance * gradient.abs().max()


def test_single_products() -> None:
    torch.manual_seed(0)
    score, unfold = ScoringConv(7), UnfoldingConv(7, 5)
    x, pixel = torch.randn(3, 7, 4, 4), torch.randn(3, 7, 1, 1)
    torch.testing.assert_close(score(x), F.conv2d(x, score.weight, score.bias))
    torch.testing.assert_close(unfold(pixel), F.conv_transpose2d(pixel, unfold.weight, unfold.bias))


@pytest.mark.parametrize(("side", "scoring"), [(4, True), (2, False), (4, False), (32, False)])
def test_conditional_convolution_is_one_over_joined_maps(side: int, scoring: bool) -> None:
    torch.manual_seed(0)
    joined = ConditionalConv(3, 2, 1 if scoring else 6, scoring)
    x, y = torch.randn(4, 3, side, side), torch.randn(4, 2)
    maps = torch.cat([x, y[:, :, None, None].expand(-1, -1, side, side)], 1)
    expected = nn.Conv2d.forward(joined, maps)
    torch.testing.assert_close(joined(x, y), expected)


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_scores_of_several_labels_are_those_of_each(layer: int) -> None:
    torch.manual_seed(0)
    config = ModelConfig(
        image_size=32,
        attributes=AttributeSet(("a", "b", "c"), {}),
        discriminator_width=4,
        discriminator_y_layer=layer,
    )
    D = Discriminator(config)
    x = torch.randn(6, 3, 32, 32)
    labels = [torch.tensor(y).float().expand(6, 3) for y in itertools.product((-1, 1), repeat=3)]
    for y, together in zip(labels, D(x, torch.stack(labels)), strict=True):
        torch.testing.assert_close(D(x, y), together)


def test_smoothed_doubling_draws_no_checkerboard() -> None:
    doubling = DoublingConv(3, 2).double()
    x = torch.ones(1, 3, 5, 5, dtype=torch.float64)
    inside = (..., slice(1, -1), slice(1, -1))
    assert doubling(x)[inside].std((2, 3)).min() > 1e-3
    doubling.smooth()
    assert doubling(x)[inside].std((2, 3)).max() < 1e-12
    smoothed = doubling.weight.clone()
    doubling.smooth()
    torch.testing.assert_close(doubling.weight, smoothed)


def test_upsampling_and_a_convolution_is_smooth_already() -> None:
    kernel = random(2, 3, 3, 3)
    doubling = DoublingConv(3, 2).double()
    repeat = torch.ones(1, 1, 2, 2, dtype=torch.float64)
    weight = F.conv_transpose2d(kernel.flip(2, 3).flatten(0, 1)[:, None], repeat)
    with torch.no_grad():
        doubling.weight.copy_(weight.view(2, 3, 4, 4).transpose(0, 1))
    doubling.smooth()
    x = random(2, 3, 5, 5, seed=1)
    expected = F.conv2d(F.interpolate(x, scale_factor=2), kernel, doubling.bias, padding=1)
    torch.testing.assert_close(doubling(x), expected)
