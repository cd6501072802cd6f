"""Referees: their networks, training, thresholds, folders, and what is refused."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError
from icgan_sdk.evaluation import (
    ARCHITECTURES,
    Architecture,
    Referee,
    RefereeSettings,
    default_settings,
    ensure_referee,
    read_real,
    train_referee,
)
from icgan_sdk.evaluation.referees.referee_folder import WEIGHTS_FILE, read_record
from icgan_sdk.evaluation.referees.thresholds import matching_thresholds, read_scores
from tests.evaluation.conftest import PARTS, QUICK, write_faces

AB = AttributeSet(("a", "b"))
ONE = replace(QUICK, epochs=1)


@pytest.mark.parametrize(
    ("architecture", "size", "channels"),
    [
        ("anet", 8, 1),
        ("anet", 64, 3),
        ("residual", 8, 3),
        ("residual", 32, 1),
        ("residual", 64, 3),
        ("residual", 256, 3),
    ],
)
def test_shapes(architecture: Architecture, size: int, channels: int) -> None:
    referee = Referee(architecture, AB, size, channels).eval()
    x = torch.rand(2, channels, size, size) * 2 - 1
    maps, features = referee.maps(x), referee.features(x)
    assert len(maps) == 4
    assert features.ndim == 2
    for shallow, deep in pairwise(maps):
        assert deep.shape[-1] == max(1, shallow.shape[-1] // 2)
        assert shallow.shape[1] < deep.shape[1]
    assert all(bool((t >= 0).all()) for t in (*maps, features))
    assert referee(x).shape == (2, 2)
    torch.testing.assert_close(referee(x), referee.output(features))


def test_anet_is_the_papers_size() -> None:
    referee = Referee("anet", AttributeSet.celeba(), 64, 3)
    assert sum(p.numel() for p in referee.parameters()) == 3_186_962


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_learns_faces(
    architecture: Architecture, faces: PreparedDataset, tiny_referee: Referee, tmp_path: Path
) -> None:
    referee = tiny_referee
    if architecture == "anet":
        referee = train_referee(faces, tmp_path / "anet", "anet", QUICK)
        assert not referee.thresholds.any(), "the original's are 0"
        scores = read_scores(referee, faces.part("test"))
        assert float((scores - faces.part("test").all_labels()).square().mean()) < 0.4
    read = read_real(referee, faces.part("test"))
    assert read.mean_accuracy > 0.95
    assert read.mean_f1 > 0.9


def test_learns_digits(digits: PreparedDataset, digits_referee: Referee) -> None:
    assert read_real(digits_referee, digits.part("test")).class_accuracy > 0.95
    assert not digits_referee.thresholds.any()
    found = digits_referee.present(torch.rand(20, 1, 16, 16) * 2 - 1)
    assert found.dtype == torch.bool
    assert bool((found.sum(1) == 1).all())


def test_present_is_above_the_threshold(faces: PreparedDataset, tiny_referee: Referee) -> None:
    x = faces.part("test").images(slice(None))
    found = tiny_referee.present(x)
    assert torch.equal(found, tiny_referee(x) > tiny_referee.thresholds)
    assert found.dtype == torch.bool
    assert bool(tiny_referee.thresholds.all()), "they are set, not left at 0"


def test_thresholds_match_the_rate_on_the_validation_partition(
    faces: PreparedDataset, tiny_referee: Referee
) -> None:
    part = faces.part("validation")
    read = read_real(tiny_referee, part)
    found, true = read.tp + read.fp, read.tp + read.fn
    assert torch.equal(found, true)


def test_without_validation_thresholds_match_on_the_training_partition(
    tiny_config: ModelConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(PARTS, "validation")
    data = PreparedDataset.open(write_faces(tmp_path / "faces", tiny_config))
    referee = train_referee(data, tmp_path / "referee", "residual", ONE)
    read = read_real(referee, data.part("train"))
    assert torch.equal(read.fp, read.fn)
    assert set(read_record(tmp_path / "referee")["figures"]) == {"test"}


@given(
    scores=st.lists(st.integers(-50, 50), min_size=1, max_size=30),
    distinct=st.booleans(),
    data=st.data(),
)
@settings(deadline=None)
def test_matching_thresholds(scores: list[int], distinct: bool, data: st.DataObject) -> None:
    scores = list(dict.fromkeys(scores)) if distinct else scores
    flags = st.lists(st.booleans(), min_size=len(scores), max_size=len(scores))
    truth = torch.tensor(data.draw(flags))[:, None]
    column = torch.tensor(scores, dtype=torch.float32)[:, None]
    found = column > matching_thresholds(column, truth * 2.0 - 1)
    if distinct:
        assert int(found.sum()) == int(truth.sum())
    assert int(found.sum()) <= int(truth.sum())


def test_thresholds_between_neighbouring_numbers() -> None:
    numbers = [torch.tensor(0.3)]
    for _ in range(3):
        numbers.append(torch.nextafter(numbers[-1], torch.tensor(1.0)))
    for pair in pairwise(numbers):  # the middle of one pair is rounded up, of the next down
        scores = torch.stack(pair)[:, None]
        found = scores > matching_thresholds(scores, torch.tensor([[-1.0], [1.0]]))
        assert found.tolist() == [[False], [True]]


def test_training_is_deterministic_and_keeps_to_its_own_generators(
    faces: PreparedDataset, tmp_path: Path
) -> None:
    augmented = replace(ONE, flip=True, shift=1, ema_decay=0.9)
    state = torch.get_rng_state()
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train_referee(faces, tmp_path / name, "residual", replace(augmented, seed=seed))
    assert torch.equal(torch.get_rng_state(), state)
    a, b, c = ((tmp_path / name / WEIGHTS_FILE).read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_digits_are_never_mirrored(digits: PreparedDataset, tmp_path: Path) -> None:
    for name, flip in (("plain", False), ("flipped", True)):
        train_referee(digits, tmp_path / name, "anet", replace(ONE, flip=flip))
    plain, flipped = (load_file(tmp_path / n / WEIGHTS_FILE) for n in ("plain", "flipped"))
    torch.testing.assert_close(flipped, plain, rtol=0, atol=0)


def test_watchers_are_told_of_every_step(faces: PreparedDataset, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    settings = replace(ONE, batch_size=48)
    train_referee(
        faces, tmp_path / "r", "anet", settings, lambda done, total: told.append((done, total))
    )
    assert told == [(48, 96), (96, 96)], "32 of the 128 images don't fill a batch"


def test_models_it_cannot_judge_are_refused(
    tiny_referee: Referee, tiny_config: ModelConfig, digits_config: ModelConfig
) -> None:
    tiny_referee.check_fits(tiny_config)
    with pytest.raises(ConfigError) as caught:
        tiny_referee.check_fits(replace(digits_config, image_size=32))
    for word in ("attributes", "one_hot", "image_size 16 against 32", "channels 3 against 1"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("architecture", "attributes", "size", "problem"),
    [
        ("vgg", AB, 16, "architecture must be one of anet, residual"),
        ("anet", AttributeSet(), 16, "needs attributes"),
        ("residual", AB, 12, "image_size must be a power of two"),
    ],
)
def test_referees_that_cannot_be(
    architecture: Any, attributes: AttributeSet, size: int, problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        Referee(architecture, attributes, size, 3)


def test_settings_out_of_range() -> None:
    with pytest.raises(ConfigError) as caught:
        RefereeSettings(epochs=0, shift=-1, precision="float8")  # type: ignore[arg-type]
    for name in ("epochs", "shift", "precision"):
        assert name in str(caught.value)


def test_batches_that_cannot_be_filled(faces: PreparedDataset, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="128 training images can't fill a batch of 200"):
        train_referee(faces, tmp_path / "r", "anet", replace(ONE, batch_size=200))
    assert not (tmp_path / "r").exists()


def test_default_settings(
    faces: PreparedDataset,
    digits: PreparedDataset,
    tiny_config: ModelConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert default_settings(faces, "anet").schedule == "cosine"
    assert default_settings(faces, "residual").shift == 1
    assert default_settings(digits, "residual").epochs < default_settings(faces, "residual").epochs
    monkeypatch.setitem(PARTS, "train", 50)
    few = PreparedDataset.open(write_faces(tmp_path / "few", tiny_config))
    assert {default_settings(few, a).batch_size for a in ARCHITECTURES} == {50}


def test_a_referee_is_trained_once_for_its_data(
    faces: PreparedDataset, tiny_config: ModelConfig, tmp_path: Path
) -> None:
    trainings: list[str] = []

    def ensure(name: str, data: PreparedDataset, architecture: Architecture = "anet") -> Referee:
        def watch(done: int, _: int) -> None:
            trainings.append(name)

        return ensure_referee(data, tmp_path / "r", architecture, device="cpu", watcher=watch)

    first = ensure("first", faces)
    again = ensure("again", faces)
    torch.testing.assert_close(again.state_dict(), first.state_dict(), rtol=0, atol=0)
    other = PreparedDataset.open(write_faces(tmp_path / "other", tiny_config, seed=1))
    ensure("other data", other)
    assert ensure("other network", other, "residual").architecture == "residual"
    assert list(dict.fromkeys(trainings)) == ["first", "other data", "other network"]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_one_look_gives_all_that_single_questions_give(architecture: Architecture) -> None:
    torch.manual_seed(0)
    classes = AttributeSet(("a", "b"), {"class": ("a", "b")}, one_hot=True)
    for attributes in (AttributeSet(("a", "b"), {}), classes):
        referee = Referee(architecture, attributes, 16, 3).eval()
        x = torch.randn(6, 3, 16, 16)
        seen = referee.look(x)
        assert torch.equal(seen.present, referee.present(x))
        assert torch.equal(seen.features, referee.features(x))
        assert all(torch.equal(a, b) for a, b in zip(seen.maps, referee.maps(x), strict=True))
