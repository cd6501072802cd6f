"""Models run by onnxruntime against the same under torch, and what is refused."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.artefacts.layout import config_to_json, read_config
from icgan_sdk.config import CELEBA_CROP
from icgan_sdk.editing import Detail
from icgan_sdk.engines.engine import CHUNK
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
from icgan_sdk.photo import find_subject
from icgan_sdk.pictures.arrays import fit_picture, to_pictures
from icgan_sdk.pictures.opening import ImageLike
from tests.export.test_exporting import levels
from tests.photo.conftest import PORTRAIT, blank

pytestmark = pytest.mark.timeout(900)  # tracing is long on a busy machine


def onnx(folder: Path) -> IcGAN:
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
    edits: dict[str, Any], exported: Path, tiny_model: IcGAN, picture: Image.Image
) -> None:
    theirs = onnx(exported)
    fitted = fit_picture(picture, 16)
    details: tuple[Detail, ...] = ("auto", "generated", "photo")
    for detail in details:
        expected = tiny_model.edit(fitted, edits, detail=detail)
        assert levels(theirs.edit(fitted, **edits, detail=detail), expected) <= 1
    pasted = tiny_model.edit(picture, edits, paste_back=True)
    assert levels(theirs.edit(picture, edits, paste_back=True), pasted) <= 1
    if not edits:
        assert levels(theirs.edit(fitted, detail="photo"), fitted) == 0


def test_every_method_gives_what_torch_gives(
    exported: Path, tiny_model: IcGAN, picture: Image.Image
) -> None:
    theirs, turned = onnx(exported), picture.rotate(90)
    latent, expected = theirs.encode([picture, turned]), tiny_model.encode([picture, turned])
    torch.testing.assert_close(latent.z, expected.z, rtol=0, atol=1e-4)
    torch.testing.assert_close(latent.y, expected.y, rtol=0, atol=1e-4)
    assert theirs.predict_attributes(picture) == pytest.approx(
        tiny_model.predict_attributes(picture), abs=1e-4
    )
    pairs = zip(
        [
            *theirs.decode(latent),
            *theirs.variations(picture),
            *theirs.interpolate(picture, turned, steps=3),
            *theirs.swap_attributes(picture, turned),
            *theirs.sample(3, seed=0, Smiling=1),
        ],
        [
            *tiny_model.decode(latent),
            *tiny_model.variations(picture),
            *tiny_model.interpolate(picture, turned, steps=3),
            *tiny_model.swap_attributes(picture, turned),
            *tiny_model.sample(3, seed=0, Smiling=1),
        ],
        strict=True,
    )
    assert max(levels(a, b) for a, b in pairs) <= 1


def test_photos_are_aligned_or_cropped_with_a_warning(copy: Path, picture: Image.Image) -> None:
    config = replace(read_config(copy), crop=CELEBA_CROP)
    (copy / "config.json").write_text(config_to_json(config))
    model = onnx(copy)
    fitted = model.edit(fit_picture(picture, 16, CELEBA_CROP), Smiling=1)
    with pytest.warns(PhotoWarning, match="no face found in the picture"):
        assert levels(model.edit(picture, Smiling=1, paste_back=False), fitted) == 0
    frame = picture.resize(CELEBA_CROP.frame)
    assert levels(model.edit(frame), model.edit(fit_picture(frame, 16, CELEBA_CROP))) == 0


def test_photos_are_aligned_alike(copy: Path, tiny_model: IcGAN) -> None:
    photo = blank(700, 460)
    with Image.open(PORTRAIT) as portrait:
        photo.paste(portrait.resize((267, 327)), (400, 80))
    config = replace(read_config(copy), crop=CELEBA_CROP)
    (copy / "config.json").write_text(config_to_json(config))
    (square,) = to_pictures(find_subject(photo, config).pixels, config)
    model = onnx(copy)
    cropped = model.edit(photo, Smiling=1, paste_back=False)
    assert levels(cropped, tiny_model.edit(square, Smiling=1)) <= 1
    whole = model.edit(photo, Smiling=1)
    assert whole.size == photo.size
    assert levels(whole, photo) > 1


def test_every_kind_of_input_gives_the_same(
    exported: Path, picture: Image.Image, tmp_path: Path
) -> None:
    model = onnx(exported)
    picture.save(tmp_path / "a.png")
    expected = model.edit(picture, Smiling=1)
    assert isinstance(expected, Image.Image)
    path = tmp_path / "a.png"
    tensor = torch.from_numpy(find_subject(picture, model.config).pixels[0])
    data = path.read_bytes()
    sources: list[ImageLike] = [path, str(path), np.asarray(picture), data, BytesIO(data), tensor]
    for source in sources:
        assert levels(model.edit(source, Smiling=1), expected) == 0
    many = model.edit([picture, picture] * (CHUNK // 2 + 1), Smiling=1)
    assert len(many) == CHUNK + 2
    assert max(levels(one, expected) for one in many) <= 1
    assert len(model.reconstruct((picture,))) == 1


def test_what_it_is(exported: Path, tiny_model: IcGAN) -> None:
    model = onnx(exported)
    assert model.config == tiny_model.config
    assert (model.attributes, model.groups) == (tiny_model.attributes, tiny_model.groups)
    assert model.device == torch.device("cpu")
    assert model.to("cpu") is model
    assert f"'{exported}': 16×16 pictures, 4 attributes, on cpu" in repr(model)


def test_what_needs_modules_is_refused(
    exported: Path, picture: Image.Image, tmp_path: Path
) -> None:
    model = onnx(exported)
    instead = "which an ONNX export can't give: use the torch runtime"
    for refining in (
        lambda: model.edit(picture, Smiling=1, refine=5),
        lambda: model.encode(picture, refine=5),
        lambda: model.invert(picture, refine=5),
        lambda: model.invert(picture).refined(5),
    ):
        with pytest.raises(ConfigError, match=f"refine needs gradients, {instead}"):
            refining()
    with pytest.raises(ConfigError, match=f"saving a model, {instead}"):
        model.save_pretrained(tmp_path / "saved")
    with pytest.raises(ConfigError, match=instead):
        model.push_to_hub("nobody/nothing")
    assert not (tmp_path / "saved").exists()


def test_exports_of_older_releases(copy: Path, tiny_model: IcGAN, picture: Image.Image) -> None:
    """They have no graph that finds the change."""
    (copy / "composite.onnx").unlink()
    files = json.loads((copy / "export.json").read_text())["files"]
    del files["composite.onnx"]
    change_record(copy, lambda record: record.update(files=files))
    model = onnx(copy)
    expected = tiny_model.edit(picture, Smiling=1, detail="generated")
    assert levels(model.edit(picture, Smiling=1, detail="generated"), expected) <= 1
    assert levels(model.edit(picture, Smiling=1), expected) <= 1
    for options in ({"detail": "photo"}, {"paste_back": True}):
        with pytest.raises(ConfigError, match=r"exported by an older release.*export the model"):
            model.edit(picture, Smiling=1, **options)


@pytest.mark.parametrize("detail", ["generated", "photo"])
def test_an_edit_imports_no_torch(detail: str, exported: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "a.png")
    script = f"""
import sys
from icgan_sdk import IcGAN
model = IcGAN.from_pretrained({str(exported)!r}, runtime="onnx")
edited = model.edit("a.png", Smiling=1, detail={detail!r})
inversion = model.invert("a.png")
inversion.scores, inversion.edit(Smiling=1, detail={detail!r}), inversion.variations()
print(edited.size, sorted({{"torch", "torchvision", "onnx", "onnxscript"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert (done.stdout, done.stderr) == ("(16, 16) []\n", "")


def test_wrong_requests_are_refused(exported: Path, picture: Image.Image) -> None:
    model = onnx(exported)
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
    with pytest.raises(ShapeError, match=r"expected a tensor \[3, 16, 16\]"):
        model.edit(torch.zeros(3, 9, 9))
    with pytest.raises(ImageError, match="no such image file"):
        model.edit("nowhere.png")
    with pytest.raises(ConfigError, match="'torch', 'onnx' or 'auto', not 'tensorrt'"):
        IcGAN.from_pretrained("mnist", runtime="tensorrt")  # type: ignore[arg-type]


def test_folders_that_are_no_onnx_export(tiny_folder: Path, copy: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="a model with graphs beside its weights, or"):
        onnx(Path("celeba"))
    with pytest.raises(ModelFormatError, match=r"holds no graphs \(export\.json missing\): "):
        onnx(tiny_folder)
    change_record(copy, lambda record: record.update(format="torch"))
    with pytest.raises(ModelFormatError, match="of format 'torch'"):
        onnx(copy)
    change_record(copy, lambda record: record.update(format_version=2))
    with pytest.raises(ModelFormatError, match="upgrade it"):
        onnx(copy)


def change_record(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    path = folder / "export.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def replace_graph(folder: Path, name: str, data: bytes) -> None:
    """Another graph, which the record vouches for."""
    (folder / name).write_bytes(data)
    files = json.loads((folder / "export.json").read_text())["files"]
    files[name] = hashlib.sha256(data).hexdigest()
    change_record(folder, lambda record: record.update(files=files))


@pytest.mark.parametrize("name", ["encoder.onnx", "generator.onnx", "composite.onnx"])
def test_damaged_folders_are_told(name: str, copy: Path) -> None:
    graph = copy / name
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(data)
    with pytest.raises(ModelFormatError, match=rf"{name} is damaged or was changed"):
        onnx(copy)
    replace_graph(copy, name, bytes(data[: len(data) // 2]))
    with pytest.raises(ModelFormatError, match="can't be loaded, it may be damaged"):
        onnx(copy).edit(PORTRAIT, Smiling=1, detail="photo", align="none")
    replace_graph(copy, name, (copy / "edit.onnx").read_bytes())
    with pytest.raises(ModelFormatError, match="doesn't fit the model's config"):
        onnx(copy).edit(PORTRAIT, Smiling=1, detail="photo", align="none")
    graph.unlink()
    with pytest.raises(ModelFormatError, match=f"{name} missing"):
        onnx(copy)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format_version": 1, "format": "onnx", "files": []}', "[" * 100_000]
)
def test_damaged_records_are_told(text: str, copy: Path) -> None:
    (copy / "export.json").write_text(text)
    with pytest.raises(ModelFormatError, match=r"export\.json is damaged"):
        onnx(copy)


def test_a_record_names_no_files_elsewhere(copy: Path) -> None:
    secret = copy.parent / "secret"
    secret.write_text("secret")
    digest = hashlib.sha256(b"secret").hexdigest()
    files = json.loads((copy / "export.json").read_text())["files"]
    change_record(copy, lambda r: r.update(files={**files, "encoder.onnx/../../secret": digest}))
    with pytest.raises(ModelFormatError, match="is not a complete export"):
        onnx(copy)
