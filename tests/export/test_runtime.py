"""Models run by onnxruntime against those run by torch, and what they refuse."""

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.artefacts.layout import config_to_json, read_config
from icgan_sdk.artefacts.store import load_artefact
from icgan_sdk.config import CELEBA_CROP
from icgan_sdk.engines.engine import CHUNK
from icgan_sdk.engines.onnxruntime import open_session
from icgan_sdk.errors import (
    AttributeValueError,
    ConfigError,
    ImageError,
    ModelFormatError,
    ModelNotFoundError,
    ShapeError,
    UnknownAttributeError,
)
from icgan_sdk.photo import cut_photo
from icgan_sdk.pictures.opening import Picture
from icgan_sdk.pictures.squares import fit_picture
from tests.export.test_exporting import levels
from tests.photo.conftest import PORTRAIT, blank

pytestmark = pytest.mark.timeout(900)  # tracing is long on a busy machine


def opened(folder: Path | str) -> IcGAN:
    return IcGAN.from_pretrained(folder, runtime="onnx")


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    """An export to be damaged."""
    return Path(shutil.copytree(exported, tmp_path / "copy"))


@pytest.mark.parametrize(
    "edits",
    [
        {},
        {"Smiling": 1},
        {"Smiling": 0, "Male": 2},
        {"hair_color": "Blond_Hair"},
        {"Black_Hair": 0.5},
        {"Black_Hair": 0.25, "Blond_Hair": 0.75},
    ],
)
def test_pictures_are_those_of_torch(
    edits: dict[str, object], exported: Path, tiny_model: IcGAN, picture: Image.Image
) -> None:
    theirs = opened(exported)
    fitted = fit_picture(picture, 16)
    assert levels(theirs.edit(fitted, edits), tiny_model.edit(fitted, edits)) <= 1
    carried = tiny_model.edit(fitted, edits, detail="photo")
    assert levels(theirs.edit(fitted, edits, detail="photo"), carried) <= 1
    if not edits:
        assert levels(theirs.edit(fitted, detail="photo"), fitted) == 0


def test_photos_are_aligned_alike(copy: Path, tiny_artefact: Path) -> None:
    photo = blank(700, 460)
    with Image.open(PORTRAIT) as portrait:
        photo.paste(portrait.resize((267, 327)), (400, 80))
    config = replace(read_config(copy, "encoder.onnx"), crop=CELEBA_CROP)
    (copy / "config.json").write_text(config_to_json(config))
    ours = IcGAN(load_artefact(tiny_artefact), device="cpu")
    square = cut_photo(photo, config)[0].square
    model = opened(copy)
    assert levels(model.edit(photo, Smiling=1), ours.edit(square, Smiling=1)) <= 1
    whole = model.edit(photo, Smiling=1, paste_back=True)
    assert whole.size == photo.size
    assert levels(whole, photo) > 1


def test_every_kind_of_input_gives_the_same(
    exported: Path, picture: Image.Image, tmp_path: Path
) -> None:
    model = opened(exported)
    picture.save(tmp_path / "a.png")
    expected = model.edit(picture, Smiling=1)
    assert isinstance(expected, Image.Image)
    sources: list[Picture] = [tmp_path / "a.png", str(tmp_path / "a.png"), np.asarray(picture)]
    for source in sources:
        assert levels(model.edit(source, Smiling=1), expected) == 0
    many = model.edit([picture, picture] * (CHUNK // 2 + 1), Smiling=1)
    assert len(many) == CHUNK + 2
    assert max(levels(one, expected) for one in many) <= 1
    assert len(model.reconstruct((picture,))) == 1


def test_what_it_is(exported: Path, tiny_model: IcGAN) -> None:
    model = opened(str(exported))
    assert model.config == tiny_model.config
    assert (model.attributes, model.groups) == (tiny_model.attributes, tiny_model.groups)


def test_wrong_requests_are_refused(exported: Path, picture: Image.Image) -> None:
    model = opened(exported)
    with pytest.raises(UnknownAttributeError, match="did you mean 'Smiling'"):
        model.edit(picture, Smilling=1)
    with pytest.raises(AttributeValueError, match="out of range"):
        model.edit(picture, Smiling=3)
    with pytest.raises(AttributeValueError, match="named twice: Smiling"):
        model.edit(picture, {"Smiling": 1}, Smiling=1)
    with pytest.raises(ConfigError, match="detail must be"):
        model.edit(picture, detail="sharp")  # type: ignore[call-overload]
    with pytest.raises(ShapeError, match="the sequence is empty"):
        model.edit([])
    with pytest.raises(ShapeError, match="must be a PIL image"):
        model.edit(object())  # type: ignore[call-overload]
    with pytest.raises(ImageError, match="no such image file"):
        model.edit("nowhere.png")
    with pytest.raises(ConfigError, match="no execution provider"):
        open_session(exported / "edit.onnx", ["NowhereExecutionProvider"])


def test_folders_that_are_no_onnx_export(tiny_folder: Path, copy: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="'icgan export celeba -o FOLDER'"):
        opened("celeba")
    with pytest.raises(ModelFormatError, match=r"is no export \(export\.json missing\)"):
        opened(tiny_folder)
    change_record(copy, lambda record: record.update(format="torch"))
    with pytest.raises(ModelFormatError, match="of format 'torch'"):
        opened(copy)
    change_record(copy, lambda record: record.update(format_version=2))
    with pytest.raises(ModelFormatError, match="upgrade it"):
        opened(copy)


def change_record(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "export.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def replace_graph(folder: Path, data: bytes) -> None:
    """Another encoder.onnx, which the record vouches for."""
    (folder / "encoder.onnx").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()

    def change(record: dict[str, Any]) -> None:
        record["files"]["encoder.onnx"] = digest

    change_record(folder, change)


def test_damaged_folders_are_told(copy: Path) -> None:
    graph = copy / "encoder.onnx"
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(data)
    with pytest.raises(ModelFormatError, match=r"encoder\.onnx is damaged or was changed"):
        opened(copy)
    replace_graph(copy, bytes(data[: len(data) // 2]))
    with pytest.raises(ModelFormatError, match="can't be loaded, it may be damaged"):
        opened(copy)
    replace_graph(copy, (copy / "generator.onnx").read_bytes())
    with pytest.raises(ModelFormatError, match="doesn't fit the model's config"):
        opened(copy)
    graph.unlink()
    with pytest.raises(ModelFormatError, match=r"encoder\.onnx missing"):
        opened(copy)


def test_exports_of_older_releases_still_draw(copy: Path, picture: Image.Image) -> None:
    (copy / "composite.onnx").unlink()
    change_record(copy, lambda record: record["files"].pop("composite.onnx"))
    model = opened(copy)
    assert model.edit(picture, Smiling=1, detail="generated").size == (16, 16)
    with pytest.raises(ConfigError, match="export the model again"):
        model.edit(picture, Smiling=1, detail="photo")


def test_what_needs_the_networks_is_refused(exported: Path, picture: Image.Image) -> None:
    model = opened(exported)
    with pytest.raises(ConfigError, match="refine needs gradients"):
        model.edit(picture, Smiling=1, refine=2)
    with pytest.raises(ConfigError, match="saving a model"):
        model.save_pretrained(exported.with_name("saved"))
    with pytest.raises(ConfigError, match="no device 'mps'"):
        model.to("mps")
    assert model.device == torch.device("cpu")
    with pytest.raises(ConfigError, match="runtime must be 'torch' or 'onnx', not 'tensorflow'"):
        IcGAN.from_pretrained(exported, runtime="tensorflow")  # type: ignore[arg-type]


def test_inversions_are_pickled_and_copied(exported: Path, picture: Image.Image) -> None:
    found = opened(exported).invert(picture)
    for again in (pickle.loads(pickle.dumps(found)), deepcopy(found)):
        assert levels(again.edit(Smiling=1), found.edit(Smiling=1)) == 0


def test_an_edit_never_imports_torch(exported: Path, picture: Image.Image, tmp_path: Path) -> None:
    picture.save(tmp_path / "a.png")
    script = f"""
import sys
from icgan_sdk import IcGAN
model = IcGAN.from_pretrained({str(exported)!r}, runtime="onnx")
for detail in ("generated", "photo"):
    model.edit({str(tmp_path / "a.png")!r}, Smiling=1, detail=detail)
print("torch" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format_version": 1, "format": "onnx", "files": []}', "[" * 100_000]
)
def test_damaged_records_are_told(text: str, copy: Path) -> None:
    (copy / "export.json").write_text(text)
    with pytest.raises(ModelFormatError, match=r"export\.json is damaged"):
        opened(copy)


def test_a_record_names_no_files_elsewhere(copy: Path) -> None:
    secret = copy.parent / "secret"
    secret.write_text("secret")
    digest = hashlib.sha256(b"secret").hexdigest()
    files = json.loads((copy / "export.json").read_text())["files"]
    change_record(copy, lambda r: r.update(files={**files, "encoder.onnx/../../secret": digest}))
    with pytest.raises(ModelFormatError, match="is not a complete export"):
        opened(copy)
