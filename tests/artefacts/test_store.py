import json
import os
import pickle
import re
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from icgan_sdk.artefacts.layout import CONFIG_FORMAT, read_config
from icgan_sdk.artefacts.store import load_artefact, save_artefact
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.errors import ModelFormatError, ModelNotFoundError, SaveError
from icgan_sdk.model import IcGANNetworks
from tests.conftest import tiny_networks


def stored(networks: IcGANNetworks) -> dict[str, Tensor]:
    return {k: v for k, v in networks.state_dict().items() if "num_batches" not in k}


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_weights(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    path = folder / "model.safetensors"
    weights = {k: v.clone() for k, v in load_file(path).items()}
    change(weights)
    save_file(weights, path)


@pytest.mark.parametrize("design", ["ind", "sng", "ind_cond", "no attributes", "digits", "painter"])
def test_networks_come_back_as_they_were(
    design: str, tiny_config: ModelConfig, digits_config: ModelConfig, tmp_path: Path
) -> None:
    config = {
        "ind": tiny_config,
        "sng": replace(tiny_config, encoder_design="sng", crop=CELEBA_CROP),
        "ind_cond": replace(tiny_config, encoder_design="ind_cond", generator_fc=8),
        "no attributes": replace(tiny_config, attributes=AttributeSet()),
        "digits": digits_config,
        "painter": replace(tiny_config, painter_size=32, painter_width=4),
    }[design]
    networks = tiny_networks(config)
    save_artefact(networks, tmp_path / "m", card="# Card\n")
    again = load_artefact(tmp_path / "m")
    assert again.config == config
    assert not again.training
    torch.testing.assert_close(stored(again), stored(networks), rtol=0, atol=0)
    assert all(t.device.type == "cpu" for t in again.state_dict().values())
    assert (tmp_path / "m" / "README.md").read_text() == "# Card\n"
    names = load_file(tmp_path / "m" / "model.safetensors").keys()
    roots = {"generator", "encoder"} if design == "sng" else {"generator", "encoder_z"}
    assert roots <= {name.split(".")[0] for name in names}
    assert not [name for name in names if "num_batches_tracked" in name]


def test_float16_halves_the_file_but_not_the_statistics(
    tiny_config: ModelConfig, tmp_path: Path
) -> None:
    networks = tiny_networks(tiny_config)
    norm = networks.generator.get_submodule("hidden.0.1")
    norm.get_buffer("running_var").fill_(1e6)  # float16 ends at 65504
    save_artefact(networks, tmp_path / "m", card="", dtype=torch.float16)
    types = {k: v.dtype for k, v in load_file(tmp_path / "m" / "model.safetensors").items()}
    assert {d for k, d in types.items() if ".running_" in k} == {torch.float32}
    assert {d for k, d in types.items() if ".running_" not in k} == {torch.float16}
    again = load_artefact(tmp_path / "m")
    assert all(p.dtype == torch.float32 for p in again.parameters())
    torch.testing.assert_close(stored(again), stored(networks), rtol=1e-3, atol=1e-4)


def test_loading_draws_no_random_numbers_and_keeps_no_hold_of_the_file(tiny_folder: Path) -> None:
    state = torch.get_rng_state()
    networks = load_artefact(tiny_folder)
    assert torch.equal(torch.get_rng_state(), state)
    before = networks.generator.get_parameter("output.weight").clone()
    path = tiny_folder / "model.safetensors"
    with path.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(bytes(4096))
    assert torch.equal(networks.generator.get_parameter("output.weight"), before)


def test_parameters_can_be_trained_even_if_loaded_in_inference_mode(tiny_folder: Path) -> None:
    with torch.inference_mode():
        networks = load_artefact(tiny_folder)
    networks.generator(torch.zeros(1, 6), torch.zeros(1, 4)).sum().backward()
    assert networks.generator.get_parameter("output.weight").grad is not None


def test_saving_again_replaces_the_model_but_never_other_files(
    tiny_config: ModelConfig, tiny_folder: Path
) -> None:
    networks = tiny_networks(tiny_config)
    save_artefact(networks, tiny_folder, card="second")
    assert (tiny_folder / "README.md").read_text() == "second"
    notes = tiny_folder.parent / "notes"
    notes.mkdir()
    save_artefact(networks, notes, card="in an empty folder")
    (notes / "config.json").unlink()
    with pytest.raises(SaveError, match=r"other files \(README.md, model.safetensors\)"):
        save_artefact(networks, notes, card="over somebody's own")
    assert (notes / "README.md").read_text() == "in an empty folder"
    (tiny_folder / "thesis.docx").touch()
    with pytest.raises(SaveError, match=r"holds other files \(thesis.docx\)"):
        save_artefact(networks, tiny_folder, card="third")
    assert (tiny_folder / "thesis.docx").exists()


def test_weights_that_are_not_finite_are_not_saved(
    tiny_config: ModelConfig, tmp_path: Path
) -> None:
    networks = tiny_networks(tiny_config)
    networks.generator.get_parameter("output.bias").data.fill_(1e5)
    with pytest.raises(SaveError, match=r"'generator.output.bias' are not finite as torch.float16"):
        save_artefact(networks, tmp_path / "m", card="", dtype=torch.float16)
    assert not (tmp_path / "m").exists()


CONFIG_DAMAGES: dict[str, tuple[dict[str, Any], str]] = {
    "newer": ({"format_version": CONFIG_FORMAT.version + 1}, "pip install -U icgan-sdk"),
    "version missing": ({"format_version": None}, "format_version must be a whole number"),
    "unknown key": ({"z_dims": 7}, "unknown key 'z_dims'; did you mean 'z_dim'?"),
    "wrong type": ({"image_size": "16"}, "image_size must be a whole number"),
    "other size": ({"z_dim": 7}, "expected [11, 8, 4, 4]"),
    "other design": ({"encoder_design": "sng"}, "missing tensors: encoder."),
    "more attributes": ({"attributes": [*"abcde"], "groups": {}}, "has shape"),
    "absurd size": ({"z_dim": 10**30}, "sizes are out of range"),
    "huge size": ({"generator_width": 10**6}, "has shape"),
}


@pytest.mark.parametrize("damage", CONFIG_DAMAGES)
def test_configs_that_dont_fit_are_refused(damage: str, tiny_folder: Path) -> None:
    changes, problem = CONFIG_DAMAGES[damage]
    change_config(tiny_folder, **changes)
    with pytest.raises(ModelFormatError) as caught:
        load_artefact(tiny_folder)
    assert problem in str(caught.value)
    assert "config.json" in str(caught.value)


WEIGHT_DAMAGES: dict[str, tuple[Callable[[dict[str, Tensor]], object], str]] = {
    "missing": (lambda w: w.pop("generator.output.bias"), "missing tensors: generator.output.bias"),
    "extra": (lambda w: w.update(other=torch.zeros(1)), "unknown tensors: other"),
    "misshapen": (
        lambda w: w.update({"generator.output.bias": torch.zeros(4)}),
        "'generator.output.bias' has shape [4], expected [3]",
    ),
    "wrong type": (
        lambda w: w.update({"generator.output.bias": torch.zeros(3, dtype=torch.float64)}),
        "'generator.output.bias' is F64, expected F16 or F32",
    ),
    "not finite": (
        lambda w: w["generator.output.bias"].fill_(float("nan")),
        "'generator.output.bias' has values that are not finite",
    ),
    "empty": (lambda w: w.clear(), "and"),
}


@pytest.mark.parametrize("damage", WEIGHT_DAMAGES)
def test_weights_that_dont_fit_are_refused(damage: str, tiny_folder: Path) -> None:
    change, problem = WEIGHT_DAMAGES[damage]
    change_weights(tiny_folder, change)
    with pytest.raises(ModelFormatError) as caught:
        load_artefact(tiny_folder)
    assert problem in str(caught.value)
    assert "model.safetensors" in str(caught.value)


def test_painters_that_dont_fit_are_refused(tiny_config: ModelConfig, tmp_path: Path) -> None:
    networks = tiny_networks(replace(tiny_config, painter_size=32, painter_width=4))
    name = "painter.entry.bias"
    damages: dict[str, Callable[[dict[str, Tensor]], object]] = {
        f"missing tensors: {name}": lambda w: w.pop(name),
        f"'{name}' has shape [5], expected [4]": lambda w: w.update({name: torch.zeros(5)}),
    }
    for problem, change in damages.items():
        save_artefact(networks, tmp_path / "m", card="# Card\n")
        change_weights(tmp_path / "m", change)
        with pytest.raises(ModelFormatError, match=re.escape(problem)):
            load_artefact(tmp_path / "m")
    save_artefact(networks, tmp_path / "m", card="# Card\n")
    change_config(tmp_path / "m", painter_size=0)
    with pytest.raises(ModelFormatError, match=r"unknown tensors: painter\."):
        load_artefact(tmp_path / "m")


def test_damaged_bytes_are_refused(tiny_folder: Path) -> None:
    path = tiny_folder / "model.safetensors"
    whole = path.read_bytes()
    header_size = struct.pack("<Q", 2**62)
    for damaged in (b"", whole[:4], whole[:100], whole[:-10], header_size + whole[8:]):
        path.write_bytes(damaged)
        with pytest.raises(ModelFormatError, match=r"model\.safetensors can't be read"):
            load_artefact(tiny_folder)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\xff\xfe", "[" * 100_000, "null"])
def test_configs_that_are_no_json_object_are_refused(text: str, tiny_folder: Path) -> None:
    (tiny_folder / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelFormatError, match=r"config\.json"):
        read_config(tiny_folder)


def test_incomplete_and_pickled_folders_are_told(tiny_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no such model folder"):
        load_artefact(tmp_path / "nowhere")
    with pytest.raises(ModelNotFoundError, match="give the folder that holds"):
        load_artefact(tiny_folder / "config.json")
    (tiny_folder / "model.safetensors").unlink()
    with pytest.raises(ModelFormatError, match=r"not a complete model: model\.safetensors missing"):
        load_artefact(tiny_folder)

    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (os.mkdir, (str(tmp_path / "exploded"),))

    (tiny_folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelFormatError, match=r"only pytorch_model\.bin: pickled weights"):
        load_artefact(tiny_folder)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs POSIX file size limits")
def test_a_full_disk_leaves_the_old_model_and_nothing_else(
    tiny_folder: Path, tmp_path: Path
) -> None:
    before = (tiny_folder / "model.safetensors").read_bytes()
    script = f"""
import resource
from icgan_sdk.artefacts.store import load_artefact, save_artefact
from icgan_sdk.errors import SaveError
networks = load_artefact({str(tiny_folder)!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
for target in ({str(tiny_folder)!r}, {str(tmp_path / "new")!r}):
    try:
        save_artefact(networks, target, card="new")
    except SaveError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("File too large") == 2
    assert (tiny_folder / "model.safetensors").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["tiny"]
