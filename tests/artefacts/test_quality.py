"""What a model says of how real its edits look."""

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from icgan_sdk import IcGAN, PhotoWarning
from icgan_sdk.artefacts.layout import QUALITY_FILE
from icgan_sdk.artefacts.quality import Quality, read_quality, write_quality
from icgan_sdk.artefacts.store import save_artefact
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ModelFormatError
from icgan_sdk.model import IcGANNetworks
from tests.conftest import CARD, tiny_networks

QUALITY = Quality({"Smiling": 0.8, "Male": 0.1}, {"Smiling": 0.2})


@pytest.fixture
def networks(tiny_config: ModelConfig) -> IcGANNetworks:
    return tiny_networks(replace(tiny_config, painter_size=16, painter_width=4))


@pytest.fixture
def folder(networks: IcGANNetworks, tmp_path: Path) -> Path:
    save_artefact(networks, tmp_path / "model", card=CARD)
    write_quality(tmp_path / "model", QUALITY)
    return tmp_path / "model"


def test_a_loaded_model_has_it(folder: Path, networks: IcGANNetworks) -> None:
    assert IcGAN.from_pretrained(folder, device="cpu").quality == QUALITY
    assert IcGAN(networks, device="cpu").quality is None
    (folder / QUALITY_FILE).unlink()
    assert IcGAN.from_pretrained(folder, device="cpu").quality is None


def test_edits_fall_short_below_the_bar_in_their_direction() -> None:
    assert not QUALITY.falls_short("Smiling", 1.0)
    assert QUALITY.falls_short("Smiling", 0.0)
    assert QUALITY.falls_short("Male", 2.0)
    assert not QUALITY.falls_short("Male", 0.0)  # not measured
    assert QUALITY.of("Male", 0.0) is None


def test_values_beyond_are_the_nearest(tmp_path: Path) -> None:
    write_quality(tmp_path, Quality({"a": -0.3, "b": 1.2}, {}))
    assert read_quality(tmp_path) == Quality({"a": 0.0, "b": 1.0}, {})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda plain: plain.pop("adding"),
        lambda plain: plain.update(adding=[1]),
        lambda plain: plain["adding"].update(Smiling="good"),
        lambda plain: plain["taking_away"].update(Smiling=1.5),
        lambda plain: plain["taking_away"].update(Smiling=True),
        lambda plain: plain.update(format_version=99),
    ],
)
def test_damaged_files_are_refused(
    folder: Path, spoil: Callable[[dict[str, object]], None]
) -> None:
    plain = json.loads((folder / QUALITY_FILE).read_text())
    spoil(plain)
    (folder / QUALITY_FILE).write_text(json.dumps(plain))
    with pytest.raises(ModelFormatError, match=QUALITY_FILE):
        read_quality(folder)


def test_it_stays_with_the_same_painter(folder: Path, tmp_path: Path) -> None:
    model = IcGAN.from_pretrained(folder, device="cpu")
    model.save_pretrained(tmp_path / "same")
    assert read_quality(tmp_path / "same") == QUALITY
    painter = model._engine.networks.painter
    assert painter is not None
    next(painter.parameters()).data.add_(1.0)
    model.save_pretrained(tmp_path / "other")
    assert read_quality(tmp_path / "other") is None


def test_an_edit_says_what_it_cannot_do(folder: Path) -> None:
    model = IcGAN.from_pretrained(folder, device="cpu")
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8))
    with pytest.warns(PhotoWarning, match=r"can't make it look real yet: Male=1 \(see") as told:
        model.edit(photo, Male=1, Blond_Hair=1)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.edit(photo, Blond_Hair=1)
        model.edit(photo, Male=1, detail="generated")  # which is no photo
