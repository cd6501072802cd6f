"""Edits painted onto photos: their order, and photos without colours."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.editing.painting import painted, painting_order, present
from icgan_sdk.engines.pytorch import TorchEngine
from tests.conftest import tiny_networks


@pytest.fixture
def faces(tiny_config: ModelConfig) -> ModelConfig:
    return replace(tiny_config, painter_size=16, painter_width=4, crop=CELEBA_CROP)


@pytest.fixture
def engine(faces: ModelConfig) -> TorchEngine:
    return TorchEngine(tiny_networks(faces))


def photos(count: int = 2) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    draws = np.random.default_rng(0)
    return draws.uniform(-0.5, 0.5, (count, 3, 16, 16)).astype(np.float32)


def test_what_changes_the_person_is_painted_first(faces: ModelConfig) -> None:
    edit = {"Smiling": 1.0, "Blond_Hair": 1.0, "Male": 0.0}
    assert painting_order(faces, edit) == ["Male", "Smiling", "Blond_Hair"]
    elsewhere = replace(faces, crop=None)
    assert painting_order(elsewhere, {"Blond_Hair": 1.0, "Male": 1.0}) == ["Male", "Blond_Hair"]


def test_several_attributes_are_painted_one_after_another(engine: TorchEngine) -> None:
    x, attributes = photos(), engine.config.attributes
    y = engine.read(x)
    both = painted(engine, x, y, {"Blond_Hair": 1.0, "Smiling": 0.0})
    y_first = present(attributes, y, {"Smiling": 0.0})
    first = engine.paint(x, y, y_first)
    second = engine.paint(first, y_first, present(attributes, y_first, {"Blond_Hair": 1.0}))
    assert np.array_equal(both, second)
    assert not np.array_equal(both, first)
    turned = painted(engine, x, y, {"Smiling": 0.0, "Blond_Hair": 1.0})
    assert np.array_equal(both, turned)


def test_nothing_asked_is_nothing_painted(engine: TorchEngine) -> None:
    x = photos()
    y = engine.read(x)
    assert np.array_equal(painted(engine, x, y, {}), x)
    assert np.array_equal(painted(engine, x, y, {"Smiling": 1.0, "Male": 1.0}, amount=0.0), x)


def test_a_photo_without_colours_stays_without(engine: TorchEngine) -> None:
    x = photos()
    x[0] = x[0].mean(axis=0)
    x[0, 2] += 3 / 127.5  # as JPEG leaves it
    y = engine.read(x)
    edit = {"Blond_Hair": 1.0, "Male": 1.0}
    result = painted(engine, x, y, edit)
    change = (result - x)[0]
    assert float(np.abs(change).max()) > 0.01
    assert np.allclose(change[0], change[1:], atol=1e-6)
    # Its company keeps its colours.
    change = (result - x)[1]
    assert float(np.abs(change[0] - change[2]).max()) > 0.01


def test_a_whole_grey_photo_comes_back_grey(faces: ModelConfig) -> None:
    model = IcGAN(tiny_networks(faces), device="cpu")
    grey = Image.fromarray(np.random.default_rng(0).integers(60, 200, (32, 32), np.uint8))
    edited = np.asarray(
        model.edit(grey.convert("RGB"), Male=1, Smiling=1, align="none", paste_back=True)
    ).astype(int)
    assert (edited.max(axis=2) - edited.min(axis=2)).max() <= 1
    assert np.abs(edited[..., 0] - np.asarray(grey)).max() > 3
