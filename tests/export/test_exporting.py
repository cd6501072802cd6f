"""What an export's folder holds, and that it holds it whole or not at all."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.artefacts.store import save_artefact
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.editing import Detail
from icgan_sdk.editing.latents import Batch
from icgan_sdk.engines.onnxruntime import open_session, run_session
from icgan_sdk.errors import ConfigError, ModelNotFoundError, SaveError
from icgan_sdk.export import export_onnx, export_torch, exporting, write_graphs
from icgan_sdk.photo import find_subject
from icgan_sdk.pictures.arrays import Floats, fit_picture, picture_to_array
from tests.conftest import CARD, save_tiny
from tests.model.test_face_encoder import corrected

pytestmark = pytest.mark.timeout(900)  # tracing is long on a busy machine

Arrays = list[npt.NDArray[np.float32]]
Feed = Mapping[str, npt.NDArray[np.generic]]


def levels(a: Image.Image, b: Image.Image) -> int:
    """The largest difference of two pictures, in grey levels."""
    assert (a.mode, a.size) == (b.mode, b.size)
    return int(np.abs(np.asarray(a, np.int16) - np.asarray(b, np.int16)).max())


def batch_of(pictures: list[Image.Image], config: ModelConfig) -> Floats:
    return np.stack([find_subject(picture, config).pixels[0] for picture in pictures])


def test_the_folder_is_complete(exported: Path, tiny_artefact: Path) -> None:
    graphs = {"encoder.onnx", "generator.onnx", "composite.onnx", "edit.onnx"}
    assert {p.name for p in exported.iterdir()} == graphs | {
        "README.md",
        "config.json",
        "export.json",
    }
    assert (exported / "README.md").read_text() == CARD
    config = json.loads((tiny_artefact / "config.json").read_text())
    del config["networks"]  # files of weights, which an export doesn't hold
    assert json.loads((exported / "config.json").read_text()) == config
    record = json.loads((exported / "export.json").read_text())
    assert set(record["files"]) == set(record["largest_difference"]) == graphs
    assert max(record["largest_difference"].values()) <= 1e-4
    for name, digest in record["files"].items():
        data = (exported / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest
        assert str(Path(exporting.__file__).parents[2]).encode() not in data


@pytest.mark.parametrize("batch", [1, 5])
def test_each_graph_gives_what_the_model_gives(
    batch: int, exported: Path, tiny_model: IcGAN, picture: Image.Image
) -> None:
    def run(name: str, feed: Feed) -> Arrays:
        return run_session(open_session(exported / f"{name}.onnx"), feed)

    engine = tiny_model._engine
    images = batch_of([picture.rotate(30 * i) for i in range(batch)], tiny_model.config)
    z, y = engine.encode(images)
    for found, expected in zip(run("encoder", {"images": images}), (z, y), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    rebuilt, edited = engine.decode(z, y), engine.decode(z, -y)
    (drawn,) = run("generator", {"z": z, "y": y})
    np.testing.assert_allclose(drawn, rebuilt, rtol=0, atol=1e-4)
    (change,) = run("composite", {"images": images, "rebuilt": rebuilt, "edited": edited})
    expected = engine.change(images, rebuilt, edited)
    np.testing.assert_allclose(change, expected, rtol=0, atol=1e-4)


VARIANTS: dict[str, dict[str, object]] = {
    "sng, y later, fully connected": {
        "encoder_design": "sng",
        "generator_y_layer": 1,
        "generator_fc": 5,
        "image_size": 8,
    },
    "ind_cond": {"encoder_design": "ind_cond", "image_size": 32},
    "no attributes": {"attributes": AttributeSet()},
    "repeated pixels": {"generator": "resize"},
    "residual blocks": {"generator": "residual"},
}


@pytest.mark.slow
@pytest.mark.usefixtures("only_steps")
def test_a_model_that_sees_faces_is_exported_with_what_sees_them(
    tiny_config: ModelConfig, picture: Image.Image, tmp_path: Path
) -> None:
    config = replace(tiny_config, crop=CELEBA_CROP, encoder_z_faces=True)
    save_artefact(corrected(config), tmp_path / "model", card=CARD)
    export_onnx(tmp_path / "model", tmp_path / "out")
    images = picture_to_array(fit_picture(picture, config.picture_size), config)[None]
    found, _ = run_session(open_session(tmp_path / "out/encoder.onnx"), {"images": images})
    expected, _ = IcGAN.from_pretrained(tmp_path / "model", device="cpu")._engine.encode(images)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_kind_of_model(
    variant: str, tiny_config: ModelConfig, picture: Image.Image, tmp_path: Path
) -> None:
    config = replace(tiny_config, **VARIANTS[variant])  # type: ignore[arg-type]
    source = save_tiny(config, tmp_path / "model")
    differences = write_graphs(source)
    assert max(differences.values()) <= 1e-4
    assert list(differences) == ["encoder.onnx", "generator.onnx", "composite.onnx"]
    theirs = IcGAN.from_pretrained(source, runtime="onnx")
    ours = IcGAN.from_pretrained(source, device="cpu")
    fitted = fit_picture(picture, config.photo.picture_size, config.crop)
    wanted = dict.fromkeys(config.attributes.names[-1:], 0.75)
    assert levels(theirs.reconstruct(fitted), ours.reconstruct(fitted)) <= 1
    details: tuple[Detail, ...] = ("generated", "photo")
    for detail in details:
        expected = ours.edit(fitted, wanted, detail=detail)
        assert levels(theirs.edit(fitted, wanted, detail=detail), expected) <= 1


@pytest.mark.slow
def test_archives_run_without_the_package(
    tiny_artefact: Path, tiny_model: IcGAN, picture: Image.Image, tmp_path: Path
) -> None:
    differences = export_torch(tiny_artefact, tmp_path / "out")
    assert list(differences) == ["encoder.pt2", "generator.pt2", "composite.pt2", "edit.pt2"]
    assert max(differences.values()) <= 1e-4
    images = batch_of([picture.rotate(90 * i) for i in range(3)], tiny_model.config)
    np.save(tmp_path / "images.npy", images)
    script = """
import sys, numpy, torch
edit = torch.export.load("out/edit.pt2").module()
images = torch.from_numpy(numpy.load("images.npy"))
presences = torch.tensor([[0.0, 1.0, 0.5, 0.0]]).expand(3, 4)
named = torch.tensor([[False, True, True, False]]).expand(3, 4)
for photo in (False, True):
    edited = edit(images, presences, named, torch.tensor(photo))
    numpy.save(f"{photo}.npy", edited.detach().numpy())
print("icgan_sdk" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout == "False\n"
    presences = {"Smiling": 1.0, "Black_Hair": 0.5}
    batch = Batch(tiny_model._engine, images)
    details: tuple[Detail, ...] = ("generated", "photo")
    for photo, detail in zip((False, True), details, strict=True):
        found = np.load(tmp_path / f"{photo}.npy")
        np.testing.assert_allclose(found, batch.edited(presences, detail, 1.0), rtol=0, atol=1e-4)


def test_a_graph_that_differs_is_not_kept(
    tiny_artefact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "TOLERANCE", -1.0)
    with pytest.raises(SaveError, match=r"encoder\.pt2 gives other numbers .* nothing was written"):
        export_torch(tiny_artefact, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_only_an_export_is_replaced(tiny_artefact: Path, exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(SaveError, match=r"holds other files \(notes\.txt\)"):
        export_torch(tiny_artefact, folder)
    with pytest.raises(SaveError, match=r"holds other files \(README\.md, config\.json"):
        export_torch(tiny_artefact, tiny_artefact)
    with pytest.raises(ModelNotFoundError):
        export_torch("nowhere/at/all", tmp_path / "new")
    (folder / "notes.txt").rename(folder / "edit.onnx")
    (folder / "export.json").write_text("{}")
    export_torch(tiny_artefact, folder)
    assert sorted(p.suffix for p in folder.iterdir() if p.stem == "edit") == [".pt2"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_missing_packages_are_named(
    package: str, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf"needs {package}: pip install 'icgan-sdk\[onnx\]'"):
        export_onnx("celeba", tmp_path / "out")
    with pytest.raises(ConfigError, match=f"needs {package}"):
        write_graphs("celeba")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
@pytest.mark.parametrize("form", ["onnx", "torch"])
def test_a_full_disk_leaves_nothing(form: str, tiny_artefact: Path, tmp_path: Path) -> None:
    arguments = ["export", str(tiny_artefact), "-o", "out", "--format", form]
    script = (
        "import resource, sys; from icgan_sdk.cli.main import run; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); "
        f"raise SystemExit(run({arguments}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stderr == "icgan: error: can't write out: File too large\n"
    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []
