"""A referee's folder: saved and loaded as it was, and what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError, ModelFormatError, ModelNotFoundError, SaveError
from icgan_sdk.evaluation import (
    ARCHITECTURES,
    Architecture,
    Referee,
    load_referee,
    read_real,
    train_referee,
)
from icgan_sdk.evaluation.referees.referee_folder import (
    CONFIG_FILE,
    CONFIG_FORMAT,
    WEIGHTS_FILE,
    read_record,
    save_referee,
)
from tests.evaluation.conftest import QUICK

ONE = replace(QUICK, epochs=1)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_saved_and_loaded(
    architecture: Architecture, faces: PreparedDataset, tmp_path: Path
) -> None:
    referee = train_referee(faces, tmp_path / "r", architecture, ONE)
    state = torch.get_rng_state()
    again = load_referee(tmp_path / "r")
    assert torch.equal(torch.get_rng_state(), state)
    torch.testing.assert_close(again.state_dict(), referee.state_dict(), rtol=0, atol=0)
    for r in (referee, again):
        assert not r.training
        assert not [p for p in r.parameters() if p.requires_grad]
    assert (again.architecture, again.attributes) == (architecture, faces.attributes)
    assert (again.image_size, again.channels) == (16, 3)
    x = faces.part("test").images(slice(0, 8))
    torch.testing.assert_close(again(x), referee(x))
    record = read_record(tmp_path / "r")
    assert record["settings"]["epochs"] == 1
    assert record["source"] == "faces"
    figures = read_real(again, faces.part("test"))
    assert record["figures"]["test"] == {"accuracy": figures.mean_accuracy, "f1": figures.mean_f1}


@pytest.fixture
def saved(tiny_referee: Referee, tmp_path: Path) -> Path:
    save_referee(tiny_referee, tmp_path / "saved", {})
    return tmp_path / "saved"


CONFIG_DAMAGES: dict[str, tuple[dict[str, Any], str]] = {
    "newer": ({"format_version": CONFIG_FORMAT.version + 1}, "upgrade it"),
    "no version": ({"format_version": None}, "is damaged"),
    "other architecture": ({"architecture": "vgg"}, "architecture must be one of"),
    "wrong type": ({"image_size": "16"}, "image_size must be a whole number"),
    "no groups": ({"groups": None}, "is damaged"),
    "no attributes": ({"attributes": [], "groups": {}}, "needs attributes"),
    "more attributes": ({"attributes": [*"abcde"], "groups": {}}, "doesn't fit config.json"),
    "other network": ({"architecture": "anet"}, "doesn't fit config.json"),
}


@pytest.mark.parametrize("damage", CONFIG_DAMAGES)
def test_damaged_configs_are_refused(damage: str, saved: Path) -> None:
    changes, problem = CONFIG_DAMAGES[damage]
    path = saved / CONFIG_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ModelFormatError) as caught:
        load_referee(saved)
    assert problem in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "[" * 100_000])
def test_configs_that_are_no_json_object_are_refused(text: str, saved: Path) -> None:
    (saved / CONFIG_FILE).write_text(text)
    for read in (load_referee, read_record):
        with pytest.raises(ModelFormatError, match=r"config\.json is damaged"):
            read(saved)


WEIGHT_DAMAGES: dict[str, tuple[Callable[[dict[str, Tensor]], object], str]] = {
    "missing": (lambda w: w.pop("output.bias"), "output.bias"),
    "extra": (lambda w: w.update(other=torch.zeros(1)), "other"),
    "misshapen": (lambda w: w.update({"output.bias": torch.zeros(5)}), "output.bias"),
    "wrong type": (lambda w: w.update({"output.bias": torch.zeros(4).half()}), "'output.bias'"),
    "not finite": (lambda w: w["thresholds"].fill_(float("nan")), "'thresholds'"),
}


@pytest.mark.parametrize("damage", WEIGHT_DAMAGES)
def test_weights_that_dont_fit_are_refused(damage: str, saved: Path) -> None:
    change, problem = WEIGHT_DAMAGES[damage]
    weights = load_file(saved / WEIGHTS_FILE)
    change(weights)
    save_file(weights, saved / WEIGHTS_FILE)
    with pytest.raises(ModelFormatError, match=r"model\.safetensors") as caught:
        load_referee(saved)
    assert problem in str(caught.value)


def test_damaged_bytes_and_missing_files_are_refused(saved: Path) -> None:
    path = saved / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ModelFormatError, match=r"model\.safetensors can't be read"):
        load_referee(saved)
    path.unlink()
    with pytest.raises(ModelFormatError, match=r"model\.safetensors can't be read"):
        load_referee(saved)
    with pytest.raises(ModelNotFoundError, match="icgan referee"):
        load_referee(saved.parent / "nowhere")


def test_unknown_device(saved: Path) -> None:
    with pytest.raises(ConfigError, match="device"):
        load_referee(saved, "tpu")


def test_other_files_are_never_replaced(faces: PreparedDataset, tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").touch()
    told: list[int] = []
    with pytest.raises(SaveError, match=r"holds other files \(thesis.docx\)"):
        train_referee(faces, tmp_path, "anet", ONE, lambda done, _: told.append(done))
    assert not told, "refused before the training, not after"
    assert (tmp_path / "thesis.docx").exists()
