"""`OnnxIcGAN` against `IcGAN`, and what it refuses."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from icgan_sdk.export.runtime import CHUNK
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.artefacts.layout import config_to_json, read_config
from icgan_sdk.config import CELEBA_CROP
from icgan_sdk.errors import (
    AttributeValueError,
    ConfigError,
    ImageError,
    ModelFormatError,
    ModelNotFoundError,
    PhotoWarning,
    ShapeError,
    UnknownAttributeError,
)
from icgan_sdk.export import OnnxIcGAN
from icgan_sdk.pictures.opening import Picture
from icgan_sdk.pictures.squares import fit_picture
from tests.export.test_exporting import levels

pytestmark = pytest.mark.timeout(900)  # tracing is long on a busy machine


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
    theirs = OnnxIcGAN(exported)
    fitted = fit_picture(picture, 16)
    assert levels(theirs.edit(fitted, edits), tiny_model.edit(fitted, edits)) <= 1
    carried = tiny_model.edit(fitted, edits, detail="photo")
    assert levels(theirs.edit(fitted, **edits, detail="photo"), carried) <= 1
    if not edits:
        assert levels(theirs.edit(fitted, detail="photo"), fitted) == 0


def test_photos_are_cropped_with_a_warning(copy: Path, picture: Image.Image) -> None:
    config = replace(read_config(copy, "edit.onnx"), crop=CELEBA_CROP)
    (copy / "config.json").write_text(config_to_json(config))
    model = OnnxIcGAN(copy)
    with pytest.warns(PhotoWarning, match="looks for no faces"):
        cropped = model.edit(picture, Smiling=1)
    assert levels(cropped, model.edit(fit_picture(picture, 16), Smiling=1)) == 0
    frame = picture.resize(CELEBA_CROP.frame)
    assert levels(model.edit(frame), model.edit(fit_picture(frame, 16, CELEBA_CROP))) == 0


def test_every_kind_of_input_gives_the_same(
    exported: Path, picture: Image.Image, tmp_path: Path
) -> None:
    model = OnnxIcGAN(exported)
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
    model = OnnxIcGAN(str(exported))
    assert model.config == tiny_model.config
    assert (model.attributes, model.groups) == (tiny_model.attributes, tiny_model.groups)


def test_wrong_requests_are_refused(exported: Path, picture: Image.Image) -> None:
    model = OnnxIcGAN(exported)
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
        model.edit(torch.zeros(3, 16, 16))  # type: ignore[call-overload]
    with pytest.raises(ImageError, match="no such image file"):
        model.edit("nowhere.png")
    with pytest.raises(ConfigError, match="no execution provider"):
        OnnxIcGAN(exported, providers=["NowhereExecutionProvider"])


def test_folders_that_are_no_onnx_export(tiny_folder: Path, copy: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="'icgan export celeba -o FOLDER'"):
        OnnxIcGAN("celeba")
    with pytest.raises(ModelFormatError, match=r"is no export \(export\.json missing\)"):
        OnnxIcGAN(tiny_folder)
    change_record(copy, lambda record: record.update(format="torch"))
    with pytest.raises(ModelFormatError, match="of format 'torch'"):
        OnnxIcGAN(copy)
    change_record(copy, lambda record: record.update(format_version=2))
    with pytest.raises(ModelFormatError, match="upgrade it"):
        OnnxIcGAN(copy)


def change_record(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    path = folder / "export.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def replace_graph(folder: Path, data: bytes) -> None:
    """Another edit.onnx, which the record vouches for."""
    (folder / "edit.onnx").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    change_record(folder, lambda record: record.update(files={"edit.onnx": digest}))


def test_damaged_folders_are_told(copy: Path) -> None:
    graph = copy / "edit.onnx"
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(data)
    with pytest.raises(ModelFormatError, match=r"edit\.onnx is damaged or was changed"):
        OnnxIcGAN(copy)
    replace_graph(copy, bytes(data[: len(data) // 2]))
    with pytest.raises(ModelFormatError, match="can't be loaded, it may be damaged"):
        OnnxIcGAN(copy)
    replace_graph(copy, (copy / "encoder.onnx").read_bytes())
    with pytest.raises(ModelFormatError, match="doesn't fit the model's config"):
        OnnxIcGAN(copy)
    graph.unlink()
    with pytest.raises(ModelFormatError, match=r"edit\.onnx missing"):
        OnnxIcGAN(copy)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format_version": 1, "format": "onnx", "files": []}', "[" * 100_000]
)
def test_damaged_records_are_told(text: str, copy: Path) -> None:
    (copy / "export.json").write_text(text)
    with pytest.raises(ModelFormatError, match=r"export\.json is damaged"):
        OnnxIcGAN(copy)


def test_a_record_names_no_files_elsewhere(copy: Path) -> None:
    secret = copy.parent / "secret"
    secret.write_text("secret")
    digest = hashlib.sha256(b"secret").hexdigest()
    files = json.loads((copy / "export.json").read_text())["files"]
    change_record(copy, lambda r: r.update(files={**files, "edit.onnx/../../secret": digest}))
    with pytest.raises(ModelFormatError, match="is not a complete export"):
        OnnxIcGAN(copy)
