"""Drawing labels: reproducible, from the right distribution, and wrong ones always wrong."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor
from torch.overrides import TorchFunctionMode

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.data import LabelMethod, LabelSampler
from icgan_sdk.errors import ConfigError, DatasetError, ShapeError

SHAPES = st.tuples(st.integers(2, 12), st.integers(1, 4))
METHODS: list[LabelMethod] = ["labels", "kde", "interpolation"]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def binary(n: int, n_y: int) -> Tensor:
    return torch.randint(0, 2, (n, n_y), generator=seeded()).float() * 2 - 1


def names(n_y: int) -> AttributeSet:
    return AttributeSet(tuple(f"a{i}" for i in range(n_y)))


def rows(labels: Tensor) -> set[tuple[float, ...]]:
    return {tuple(row) for row in labels.tolist()}


@settings(max_examples=50, deadline=None)
@given(
    presence=arrays(np.uint8, SHAPES, elements=st.integers(0, 1)),
    seed=st.integers(0, 2**63 - 1),
)
def test_mismatched_is_another_real_label_row(
    presence: np.ndarray[tuple[int, int], np.dtype[np.uint8]], seed: int
) -> None:
    labels = torch.from_numpy(presence) * 2.0 - 1
    sampler = LabelSampler(labels, names(labels.shape[1]))
    if len(rows(labels)) == 1:
        with pytest.raises(DatasetError, match="are the same"):
            sampler.mismatched(labels, seeded(seed))
        return
    wrong = sampler.mismatched(labels, seeded(seed))
    assert (wrong != labels).any(dim=1).all()
    assert rows(wrong) <= rows(labels)
    assert rows(sampler.sample(20, seeded(seed))) <= rows(labels)


@settings(max_examples=50, deadline=None)
@given(
    presence=arrays(
        np.uint8, st.tuples(st.integers(1, 12), st.just(4)), elements=st.integers(0, 1)
    ),
    seed=st.integers(0, 2**63 - 1),
)
def test_edited_changes_one_attribute_as_an_edit_does(
    presence: np.ndarray[tuple[int, int], np.dtype[np.uint8]], seed: int
) -> None:
    attributes = AttributeSet(("a", "b", "c", "d"), {"hair": ("a", "b", "c")})
    y = torch.from_numpy(presence).float() * 2 - 1
    new, touched = LabelSampler(y, attributes).edited(y, seeded(seed))
    for old, changed, set_ in zip(y.tolist(), new.tolist(), touched.tolist(), strict=True):
        possible = []
        for i, name in enumerate(attributes.names):
            group = {attributes.names.index(n) for n in attributes.group_of(name)}
            expected = attributes.apply(old, {name: float(old[i] < 0)})
            possible.append((expected, {i} | (group if old[i] < 0 else set())))
        assert (changed, {i for i, t in enumerate(set_) if t}) in possible


def test_edited_chooses_evenly_and_classes_change() -> None:
    y = -torch.ones(4000, 4)
    new, _ = LabelSampler(y, names(4)).edited(y, seeded())
    assert ((new > 0).float().mean(0) - 0.25).abs().max() < 0.03
    classes = AttributeSet.classes("kind", ("a", "b", "c"))
    y = torch.tensor([[1.0, -1, -1]]).repeat(600, 1)
    new, touched = LabelSampler(y, classes).edited(y, seeded())
    assert touched.all()
    assert (new[:, 0] == -1).all()
    assert 250 < (new[:, 1] > 0).sum() < 350


@pytest.mark.parametrize("n_classes", [2, 10])
def test_mismatched_class_is_uniform_among_the_others(n_classes: int) -> None:
    attributes = AttributeSet.classes("digit", [str(i) for i in range(n_classes)])
    # Only class 0 in the data: wrong classes need not occur there.
    labels = torch.full((50, n_classes), -1.0)
    labels[:, 0] = 1
    y = labels[:1].repeat(9000, 1)
    wrong = LabelSampler(labels, attributes).mismatched(y, seeded())
    assert ((wrong == 1).sum(dim=1) == 1).all()
    assert ((wrong == -1).sum(dim=1) == n_classes - 1).all()
    share = (wrong == 1).float().mean(dim=0)
    assert share[0] == 0
    torch.testing.assert_close(
        share[1:], torch.full((n_classes - 1,), 1 / (n_classes - 1)), atol=0.02, rtol=0
    )


def test_labels_follow_the_training_histogram() -> None:
    attributes = AttributeSet.classes("digit", "012")
    labels = torch.eye(3)[torch.tensor([0] * 7 + [1] * 2 + [2])] * 2 - 1
    y = LabelSampler(labels, attributes).sample(20_000, seeded())
    share = (y == 1).float().mean(dim=0)
    torch.testing.assert_close(share, torch.tensor([0.7, 0.2, 0.1]), atol=0.02, rtol=0)


def test_kde_adds_scotts_noise_or_the_given() -> None:
    labels = binary(500, 3)
    labels[:, 0] = 1  # never varies, so gets no noise
    noise = [
        LabelSampler(labels, names(3), "kde", bandwidth).sample(20_000, seeded())
        - LabelSampler(labels, names(3)).sample(20_000, seeded())
        for bandwidth in (None, 0.25, 0.0)
    ]
    scott = labels.std(dim=0, correction=0) * 500 ** (-1 / 7)
    torch.testing.assert_close(noise[0].std(dim=0), scott, rtol=0.05, atol=1e-6)
    torch.testing.assert_close(noise[1].std(dim=0), torch.full((3,), 0.25), rtol=0.05, atol=0)
    assert not noise[2].any()


def test_interpolation_lies_between_two_rows() -> None:
    labels = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    y = LabelSampler(labels, names(2), "interpolation").sample(5000, seeded())
    torch.testing.assert_close(y[:, 0], y[:, 1])
    assert y.abs().max() <= 1
    inside = y[:, 0].abs() < 1
    torch.testing.assert_close(inside.float().mean().item(), 0.5, atol=0.03, rtol=0)
    torch.testing.assert_close(y[inside, 0].std().item(), 3**-0.5, atol=0.03, rtol=0)


@pytest.mark.parametrize("method", METHODS)
def test_reproducible_and_leaves_global_randomness_alone(method: LabelMethod) -> None:
    sampler, state = LabelSampler(binary(100, 18), names(18), method), torch.get_rng_state()
    first, second = sampler.sample(8, seeded(1)), sampler.sample(8, seeded(1))
    assert first.shape == (8, 18)
    assert first.dtype == torch.float32
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert not torch.equal(first, sampler.sample(8, seeded(2)))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("method", METHODS)
def test_without_attributes(method: LabelMethod) -> None:
    sampler = LabelSampler(torch.empty(5, 0), AttributeSet(), method)
    assert sampler.sample(4, seeded()).shape == (4, 0)
    assert sampler.mismatched(torch.empty(4, 0), seeded()).shape == (4, 0)


class Draws(TorchFunctionMode):
    """Counts draws of whole numbers."""

    count = 0

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.count += function is torch.randint
        return function(*args, **(kwargs or {}))


def test_rare_labels_are_found_quickly_and_evenly() -> None:
    labels = torch.full((160_000, 2), -1.0)
    labels[7], labels[8, 1] = 1.0, 1.0
    y = torch.full((2000, 2), -1.0)
    y[0] = 1.0
    sampler = LabelSampler(labels, names(2))
    with Draws() as draws:
        wrong = sampler.mismatched(y, seeded())
    assert 0 < draws.count < 100  # redrawing until all differ takes thousands
    assert (wrong != y).any(dim=1).all()
    assert rows(wrong[1:]) == {(1.0, 1.0), (-1.0, 1.0)}
    torch.testing.assert_close(wrong[1:, 0].mean().item(), 0.0, atol=0.1, rtol=0)


def test_usual_draws_are_redrawn_until_they_differ() -> None:
    labels, y, source = binary(100, 2), binary(64, 2), seeded(1)
    expected = labels[torch.randint(100, (64,), generator=source)]
    while len(equal := (expected == y).all(dim=1).nonzero()[:, 0]):
        expected[equal] = labels[torch.randint(100, (len(equal),), generator=source)]
    generator = seeded(1)
    assert torch.equal(LabelSampler(labels, names(2)).mismatched(y, generator), expected)
    assert torch.equal(generator.get_state(), source.get_state())


def test_refuses() -> None:
    labels = binary(4, 2)
    with pytest.raises(ConfigError, match="method must be one of labels, kde, interpolation"):
        LabelSampler(labels, names(2), "nearest")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="bandwidth"):
        LabelSampler(labels, names(2), "kde", -1.0)
    with pytest.raises(ShapeError, match=r"\[N, 3\]"):
        LabelSampler(labels, names(3))
    with pytest.raises(DatasetError, match="no labels"):
        LabelSampler(labels[:0], names(2))
    one = AttributeSet.classes("digit", "0")
    with pytest.raises(DatasetError, match="only one class"):
        LabelSampler(torch.ones(3, 1), one).mismatched(torch.ones(1, 1), seeded())
