import json
import os
import pickle
import re
import shutil
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

from icgan_sdk import IcGAN
from icgan_sdk.artefacts.layout import CONFIG_FORMAT, read_config, weights_digest
from icgan_sdk.artefacts.store import load_artefact, save_artefact
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.errors import ModelFormatError, ModelNotFoundError, SaveError
from icgan_sdk.files import sha256
from icgan_sdk.model import IcGANNetworks
from tests.conftest import save_tiny, tiny_networks, to_single_file


def stored(networks: IcGANNetworks) -> dict[str, Tensor]:
    return {k: v for k, v in networks.state_dict().items() if "num_batches" not in k}


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_weights(path: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
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
    encoders = {"encoder"} if design == "sng" else {"encoder_z", "encoder_y"}
    expected = {"generator", *encoders, *(["painter"] if design == "painter" else [])}
    files = {path.stem: load_file(path) for path in (tmp_path / "m").glob("*.safetensors")}
    assert files.keys() == expected - ({"encoder_y"} if design == "no attributes" else set())
    for network, tensors in files.items():
        assert {name.split(".")[0] for name in tensors} == {network}
        assert not [name for name in tensors if "num_batches_tracked" in name]


def test_float16_halves_the_file_but_not_the_statistics(
    tiny_config: ModelConfig, tmp_path: Path
) -> None:
    networks = tiny_networks(tiny_config)
    norm = networks.generator.get_submodule("hidden.0.1")
    norm.get_buffer("running_var").fill_(1e6)  # float16 ends at 65504
    save_artefact(networks, tmp_path / "m", card="", dtype=torch.float16)
    types = {k: v.dtype for k, v in load_file(tmp_path / "m" / "generator.safetensors").items()}
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
    path = tiny_folder / "generator.safetensors"
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
    with pytest.raises(SaveError, match=r"other files \(README.md, encoder_y.safetensors"):
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
    "other design": ({"encoder_design": "sng"}, "its model has generator, encoder and may"),
    "networks missing": ({"networks": ["generator"]}, "lists the networks ['generator']"),
    "networks of a wrong type": ({"networks": 3}, "lists the networks 3"),
    "another network": ({"networks": ["../generator"]}, "lists the networks"),
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
    "another network's": (
        lambda w: w.update({"encoder_y.extra": torch.zeros(1)}),
        "unknown tensors: encoder_y.extra",
    ),
    "empty": (lambda w: w.clear(), "and"),
}


@pytest.mark.parametrize("damage", WEIGHT_DAMAGES)
@pytest.mark.parametrize("form", ["generator.safetensors", "model.safetensors"])
def test_weights_that_dont_fit_are_refused(damage: str, form: str, tiny_folder: Path) -> None:
    change, problem = WEIGHT_DAMAGES[damage]
    if form == "model.safetensors":
        to_single_file(tiny_folder)
    change_weights(tiny_folder / form, change)
    with pytest.raises(ModelFormatError) as caught:
        load_artefact(tiny_folder)
    assert problem in str(caught.value)
    assert form in str(caught.value)


def test_painters_that_dont_fit_are_refused(tiny_config: ModelConfig, tmp_path: Path) -> None:
    networks = tiny_networks(replace(tiny_config, painter_size=32, painter_width=4))
    name = "painter.entry.bias"
    damages: dict[str, Callable[[dict[str, Tensor]], object]] = {
        f"missing tensors: {name}": lambda w: w.pop(name),
        f"'{name}' has shape [5], expected [4]": lambda w: w.update({name: torch.zeros(5)}),
    }
    for problem, change in damages.items():
        save_artefact(networks, tmp_path / "m", card="# Card\n")
        change_weights(tmp_path / "m" / "painter.safetensors", change)
        with pytest.raises(ModelFormatError, match=re.escape(problem)):
            load_artefact(tmp_path / "m")
    save_artefact(networks, tmp_path / "m", card="# Card\n")
    change_config(tmp_path / "m", painter_size=0)
    with pytest.raises(ModelFormatError, match=r"lists the networks.*'painter'"):
        load_artefact(tmp_path / "m")


def test_damaged_bytes_are_refused(tiny_folder: Path) -> None:
    path = tiny_folder / "encoder_y.safetensors"
    whole = path.read_bytes()
    header_size = struct.pack("<Q", 2**62)
    for damaged in (b"", whole[:4], whole[:100], whole[:-10], header_size + whole[8:]):
        path.write_bytes(damaged)
        with pytest.raises(ModelFormatError, match=r"encoder_y\.safetensors can't be read"):
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
    (tiny_folder / "encoder_z.safetensors").unlink()
    with pytest.raises(ModelFormatError, match=r"complete model: encoder_z\.safetensors missing"):
        load_artefact(tiny_folder)

    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (os.mkdir, (str(tmp_path / "exploded"),))

    (tiny_folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelFormatError, match=r"only pytorch_model\.bin: pickled weights"):
        load_artefact(tiny_folder)
    assert not (tmp_path / "exploded").exists()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("painted", [False, True])
def test_a_single_file_of_an_older_release_loads_and_is_saved_as_several(
    painted: bool, tiny_config: ModelConfig, tmp_path: Path
) -> None:
    config = replace(tiny_config, painter_size=32 * painted, painter_width=4)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = IcGANNetworks(config, discriminator=True)
    save_artefact(networks, tmp_path / "new", card="# Card\n", dtype=torch.float16)
    old = to_single_file(Path(shutil.copytree(tmp_path / "new", tmp_path / "old")))
    assert sorted(files(old)) == ["README.md", "config.json", "model.safetensors"]
    torch.testing.assert_close(
        stored(load_artefact(old)), stored(load_artefact(tmp_path / "new")), rtol=0, atol=0
    )
    IcGAN.from_pretrained(old).save_pretrained(old)
    assert files(old) == files(tmp_path / "new")


def test_one_network_is_replaced_by_its_file_alone(
    tiny_config: ModelConfig, tiny_folder: Path, tmp_path: Path
) -> None:
    networks = tiny_networks(tiny_config)
    with torch.no_grad():
        networks.generator.get_parameter("output.bias").add_(1)
    save_artefact(networks, tmp_path / "other", card="# Tiny\n")
    changed = {
        name for name, data in files(tmp_path / "other").items() if data != files(tiny_folder)[name]
    }
    assert changed == {"generator.safetensors"}
    shutil.copy(tmp_path / "other" / "generator.safetensors", tiny_folder)
    torch.testing.assert_close(stored(load_artefact(tiny_folder)), stored(networks), rtol=0, atol=0)


def test_a_digest_stands_for_all_weights(tiny_config: ModelConfig, tmp_path: Path) -> None:
    folder = save_tiny(tiny_config, tmp_path / "m")
    digest = weights_digest(folder)
    printed = subprocess.run(
        "sha256sum *.safetensors | sha256sum",
        shell=True,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
    )
    assert printed.stdout.split()[0] == digest
    (folder / "README.md").write_text("# Another card\n")
    assert weights_digest(folder) == digest
    (folder / "critic.safetensors").write_bytes(b"a critic")
    assert weights_digest(folder) != digest
    single = to_single_file(save_tiny(tiny_config, tmp_path / "single"))
    assert weights_digest(single) == sha256(single / "model.safetensors")
    with pytest.raises(ModelFormatError, match="holds no weights"):
        weights_digest(tmp_path)


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs POSIX file size limits")
def test_a_full_disk_leaves_the_old_model_and_nothing_else(
    tiny_folder: Path, tmp_path: Path
) -> None:
    before = weights_digest(tiny_folder)
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
    assert weights_digest(tiny_folder) == before
    assert [p.name for p in tmp_path.iterdir()] == ["tiny"]
