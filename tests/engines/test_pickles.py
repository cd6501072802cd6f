"""Pickles of the torch engine name their model, as long as it is what lies in its folder."""

import copy
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.artefacts.named import name_model
from icgan_sdk.artefacts.resolving import resolve
from icgan_sdk.engines.pytorch import TorchEngine
from icgan_sdk.errors import ModelFormatError, ModelNotFoundError
from icgan_sdk.pictures.arrays import Floats


@pytest.fixture
def engine(tiny_folder: Path) -> TorchEngine:
    engine = IcGAN.from_pretrained(tiny_folder, device="cpu")._engine
    assert isinstance(engine, TorchEngine)
    return engine


def images() -> Floats:
    return np.random.default_rng(0).uniform(-1, 1, (2, 3, 16, 16)).astype(np.float32)


def same(a: TorchEngine, b: TorchEngine) -> bool:
    return all(
        np.array_equal(x, y) for x, y in zip(a.encode(images()), b.encode(images()), strict=True)
    )


def test_a_pickle_names_its_model(engine: TorchEngine) -> None:
    data = pickle.dumps(engine)
    assert len(data) < 1000
    again: TorchEngine = pickle.loads(data)
    assert same(again, engine)
    assert again.networks is not engine.networks
    third: TorchEngine = pickle.loads(pickle.dumps(again))
    assert third.networks is again.networks  # one memory for all of them


def test_moving_one_leaves_the_others_where_they_are(engine: TorchEngine) -> None:
    first, second = (pickle.loads(pickle.dumps(engine)) for _ in range(2))
    first.move("cpu")
    assert first.networks is not second.networks
    assert same(first, second)


def test_changed_weights_travel(engine: TorchEngine) -> None:
    with torch.no_grad():
        next(engine.networks.generator.parameters()).add_(1.0)
        next(engine.networks.encoder_z.parameters()).add_(1.0)  # type: ignore[union-attr]
    data = pickle.dumps(engine)
    assert len(data) > 5000
    assert same(pickle.loads(data), engine)


def test_changes_of_what_was_unpickled_stay_with_it(engine: TorchEngine) -> None:
    data = pickle.dumps(engine)
    changed: TorchEngine = pickle.loads(data)
    with torch.no_grad():
        next(changed.networks.encoder_z.parameters()).add_(1.0)  # type: ignore[union-attr]
    assert same(pickle.loads(data), engine)
    assert not same(pickle.loads(pickle.dumps(changed)), engine)


def test_copies_hold_their_networks(engine: TorchEngine) -> None:
    deep = copy.deepcopy(engine)
    assert deep.networks is not engine.networks
    assert copy.copy(engine).networks is engine.networks
    assert same(deep, engine)


def test_another_model_in_its_place_is_told(engine: TorchEngine, tiny_folder: Path) -> None:
    data = pickle.dumps(engine)
    other = IcGAN.from_pretrained(tiny_folder, device="cpu")
    next(other._engine.networks.generator.parameters()).data.add_(1.0)
    other.save_pretrained(tiny_folder)
    with pytest.raises(ModelFormatError, match="holds other weights than when this was pickled"):
        pickle.loads(data)
    shutil.rmtree(tiny_folder)
    with pytest.raises(ModelNotFoundError, match="is gone"):
        pickle.loads(data)


def test_bundled_models_are_named_as_everywhere() -> None:
    named = name_model(resolve("mnist"))
    assert named.name == "mnist"
    assert named.find() == resolve("mnist")


def test_an_inversion_is_small(tiny_folder: Path) -> None:
    model = IcGAN.from_pretrained(resolve("celeba"), device="cpu")
    photo = Image.effect_noise((178, 218), 50).convert("RGB")
    inversion = model.invert(photo)
    assert inversion.scores
    data = pickle.dumps(inversion)
    assert len(data) < 1_000_000
    assert pickle.loads(data).scores == inversion.scores
