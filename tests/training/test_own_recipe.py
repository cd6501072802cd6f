"""The recipe `own`: what it chooses for data, and how long it says that a run will take."""

from pathlib import Path

import numpy as np
import pytest

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.data import PreparedDataset, write_arrays
from icgan_sdk.errors import ConfigError
from icgan_sdk.training.duration import estimate_seconds
from icgan_sdk.training.own_recipe import HANDED, handedness, own_settings
from icgan_sdk.training.recipe_files import load_config
from icgan_sdk.training.train_config import TrainConfig


def write_noise(
    folder: Path, *, count: int = 200, side: int = 16, ramp: int = 0, alike: bool = False
) -> PreparedDataset:
    """Grey noise with an attribute that half have; a ramp brightens all of it to the right."""
    draws = np.random.default_rng(0)
    images = draws.integers(0, 60, (count, side, side, 1), np.uint8)
    images += np.linspace(0, ramp, side).astype(np.uint8)[:, None]
    labels = np.zeros((count, 1), np.uint8) if alike else draws.integers(0, 2, (count, 1), np.uint8)
    parts = {"train": count - 8, "test": 8}
    write_arrays(folder, images, labels, AttributeSet(("odd",)), parts)
    return PreparedDataset.open(folder)


def test_pictures_with_a_left_and_a_right_are_not_mirrored(tmp_path: Path) -> None:
    symmetric = write_noise(tmp_path / "noise")
    leaning = write_noise(tmp_path / "ramp", ramp=150)
    assert handedness(symmetric.part("train")) < HANDED < handedness(leaning.part("train"))
    assert own_settings(symmetric).settings["images"]["flip"]
    assert not own_settings(leaning).settings["images"]["flip"]


def test_labels_of_left_and_right_are_found_though_pictures_are_of_both(bars: Path) -> None:
    assert handedness(PreparedDataset.open(bars, "train")) > HANDED


def test_few_pictures_get_more_epochs_and_a_critic_that_sees_less(tmp_path: Path) -> None:
    few = own_settings(write_noise(tmp_path / "few")).settings
    more = own_settings(write_noise(tmp_path / "more", count=2000)).settings
    assert few["gan"]["epochs"] > more["gan"]["epochs"]
    assert few["joint"]["augment"]
    assert not more["joint"]["augment"]
    assert few["gan"]["batch_size"] == 32


def test_rare_attributes_are_named(tmp_path: Path) -> None:
    assert "odd (0 with it)" in own_settings(write_noise(tmp_path / "data", alike=True)).warnings[0]
    assert not own_settings(write_noise(tmp_path / "fine")).warnings


@pytest.mark.parametrize("side", [16, 64, 128])
def test_networks_of_every_size_can_be_built(side: int, tmp_path: Path) -> None:
    dataset = write_noise(tmp_path / "data", count=40, side=side)
    config = load_config("own", ["gan.epochs=7"], data=str(dataset.folder))
    assert config.model_config(dataset).image_size == side
    assert config.gan.epochs == 7


def test_classes_are_trained_as_the_paper_does(tmp_path: Path) -> None:
    labels = np.eye(2, dtype=np.uint8)[np.arange(40) % 2]
    images = np.zeros((40, 16, 16, 1), np.uint8)
    classes = AttributeSet(("a", "b"), {"class": ("a", "b")}, one_hot=True)
    write_arrays(tmp_path / "data", images, labels, classes, {"train": 40})
    config = load_config("own", data=str(tmp_path / "data"))
    assert config.gan.method == "matching"
    config.model_config(PreparedDataset.open(tmp_path / "data"))


def test_needs_data() -> None:
    with pytest.raises(ConfigError, match="'own' is chosen for data"):
        load_config("own")


def test_the_estimate_times_every_stage(config: TrainConfig) -> None:
    seconds = estimate_seconds(config)
    assert set(seconds) == {"gan", "encoder_z", "encoder_y"}
    assert all(0 < taken < 60 for taken in seconds.values())
