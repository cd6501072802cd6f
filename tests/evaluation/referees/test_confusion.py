"""Confusion counts and their figures, and what referees read off images of three kinds."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError, ShapeError
from icgan_sdk.evaluation import (
    Confusion,
    Referee,
    read_generated,
    read_real,
    read_reconstructed,
)
from icgan_sdk.model import draw_noise
from icgan_sdk.training import rows
from tests.conftest import tiny_networks

NAMES = ("a", "b", "c")


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[bool]], list[list[bool]]]:
    rows = st.lists(st.booleans(), min_size=3, max_size=3)
    n = draw(st.integers(1, 12))
    found, truth = (draw(st.lists(rows, min_size=n, max_size=n)) for _ in range(2))
    return found, truth


@given(tables())
@settings(deadline=None)
def test_figures_agree_with_counting_by_hand(table: tuple[list[list[bool]], ...]) -> None:
    found, truth = table
    confusion = Confusion.count(torch.tensor(found), torch.tensor(truth), NAMES)
    assert confusion.images == len(found)
    f1s = []
    for i in range(3):
        pairs = [(f[i], t[i]) for f, t in zip(found, truth, strict=True)]
        tp, fp = pairs.count((True, True)), pairs.count((True, False))
        fn, tn = pairs.count((False, True)), pairs.count((False, False))
        counts = (confusion.tp, confusion.fp, confusion.fn, confusion.tn)
        assert tuple(int(c[i]) for c in counts) == (tp, fp, fn, tn)
        assert float(confusion.accuracy[i]) == pytest.approx((tp + tn) / len(pairs))
        precision = tp / (tp + fp) if tp + fp else 0.0
        recall = tp / (tp + fn) if tp + fn else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        assert float(confusion.f1[i]) == pytest.approx(f1)
        f1s.append(f1)
        positives, negatives = tp + fn, fp + tn
        for present, right, total in ((True, tp, positives), (False, tn, negatives)):
            rate = confusion.rates()[NAMES[i], present]
            assert rate == pytest.approx(right / total) if total else math.isnan(rate)
    assert confusion.mean_accuracy == pytest.approx(float(confusion.accuracy.mean()))
    assert confusion.mean_f1 == pytest.approx(sum(f1s) / 3)


def test_a_perfect_reading() -> None:
    truth = torch.tensor([[True, False, True], [False, True, True]])
    perfect = Confusion.count(truth, truth, NAMES)
    assert perfect.mean_accuracy == perfect.mean_f1 == 1
    assert not perfect.fp.any()
    assert not perfect.fn.any()


def test_class_accuracy_is_the_share_of_right_classes() -> None:
    truth = torch.eye(3)[[0, 1, 2, 2]].bool()
    found = torch.eye(3)[[0, 1, 2, 0]].bool()
    confusion = Confusion.count(found, truth, NAMES)
    assert confusion.class_accuracy == 0.75
    assert confusion.mean_accuracy == pytest.approx(10 / 12), (
        "two attributes of one image are wrong"
    )


@pytest.mark.parametrize(("found", "truth"), [((2, 3), (3, 3)), ((2, 2), (2, 2)), ((0, 3), (0, 3))])
def test_what_cannot_be_counted(found: tuple[int, int], truth: tuple[int, int]) -> None:
    with pytest.raises(ShapeError, match=r"expected two tensors \[N, 3\]"):
        Confusion.count(torch.ones(found).bool(), torch.ones(truth).bool(), NAMES)


def same(a: Confusion, b: Confusion) -> bool:
    return all(torch.equal(getattr(a, k), getattr(b, k)) for k in ("tp", "fp", "fn", "tn"))


def test_real_images(
    faces: PreparedDataset, tiny_referee: Referee, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = faces.part("test")
    whole = read_real(tiny_referee, test)
    found = tiny_referee.present(test.images(slice(None)))
    assert same(whole, Confusion.count(found, test.all_labels() > 0, faces.attributes.names))
    monkeypatch.setattr(rows, "PIXELS_AT_ONCE", 10 * 16 * 16)
    assert same(read_real(tiny_referee, test), whole)


def test_generated_images(
    faces: PreparedDataset,
    tiny_config: ModelConfig,
    tiny_referee: Referee,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    networks, labels = tiny_networks(tiny_config), faces.part("test").all_labels()
    z = draw_noise(len(labels), tiny_config, torch.Generator().manual_seed(5))
    referee = copy.deepcopy(tiny_referee)
    with torch.no_grad():
        images = networks.decode(z, labels)
        # Otherwise an untrained generator's images would all be read alike, whatever z.
        # Between two scores: one that lay on the threshold would be read by the rounding.
        middle = referee(images).sort(dim=0).values[len(z) // 2 - 1 : len(z) // 2 + 1]
        referee.thresholds.copy_(middle.mean(dim=0))
        expected = Confusion.count(referee.present(images), labels > 0, faces.attributes.names)
    monkeypatch.setattr(rows, "PIXELS_AT_ONCE", 10 * 16 * 16)

    def read(seed: int) -> Confusion:
        draws = torch.Generator().manual_seed(seed)
        return read_generated(referee, networks, labels, draws)

    assert same(read(5), expected), "z doesn't depend on the size of the chunks"
    assert not same(read(6), expected)
    assert expected.images == len(labels)


def test_reconstructed_images(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    networks, test = tiny_networks(tiny_config), faces.part("test")
    with torch.no_grad():
        rebuilt = networks.decode(*networks.encode(test.images(slice(None))))
    found = tiny_referee.present(rebuilt)
    assert same(
        read_reconstructed(tiny_referee, networks, test),
        Confusion.count(found, test.all_labels() > 0, faces.attributes.names),
    )


def test_models_of_other_data_are_refused(
    digits: PreparedDataset, digits_config: ModelConfig, tiny_referee: Referee
) -> None:
    networks, test = tiny_networks(digits_config), digits.part("test")
    with pytest.raises(ConfigError, match="doesn't fit the model"):
        read_generated(tiny_referee, networks, test.all_labels(), torch.Generator())
    with pytest.raises(ConfigError, match="doesn't fit the model"):
        read_reconstructed(tiny_referee, networks, test)
