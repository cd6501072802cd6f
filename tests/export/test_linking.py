"""Graphs beside a model's weights, which they point into."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from icgan_sdk import IcGAN, ModelFormatError
from icgan_sdk.artefacts.layout import GRAPH_FILES, WEIGHTS_FILE
from icgan_sdk.artefacts.resolving import bundled_names
from icgan_sdk.artefacts.store import copy_artefact, load_artefact, save_artefact
from icgan_sdk.bundled import BUNDLED_ROOT, FACES_FILE
from icgan_sdk.cli.main import run
from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.engines.onnxruntime import OnnxEngine
from icgan_sdk.export import write_graphs
from icgan_sdk.export.linking import SMALLEST
from tests.conftest import CARD, tiny_networks, to_single_file
from tests.export.test_exporting import levels
from tests.model.test_face_encoder import corrected
from tests.photo.conftest import PORTRAIT

pytestmark = pytest.mark.timeout(900)  # tracing is long on a busy machine


@pytest.fixture(scope="module")
def painted(tiny_config: ModelConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a painter, of half precision, with its graphs."""
    folder = tmp_path_factory.mktemp("linked") / "model"
    config = replace(tiny_config, painter_size=32, painter_width=4)
    save_artefact(tiny_networks(config), folder, card=CARD, dtype=torch.float16)
    write_graphs(folder)
    return folder


@pytest.fixture
def copy(painted: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(painted, tmp_path / "copy"))


def test_graphs_hold_no_weights(painted: Path) -> None:
    graphs = sorted(painted.glob("*.onnx"))
    assert [g.stem for g in graphs] == ["encoder", "generator", "painter", "reader"]
    for graph in (*graphs, *BUNDLED_ROOT.glob("celeba/*.onnx")):
        tensors = onnx.load(graph, load_external_data=False).graph.initializer
        within = [t for t in tensors if t.data_location != onnx.TensorProto.EXTERNAL]
        assert all(np.prod(t.dims) < SMALLEST for t in within)
        assert len(within) < len(tensors)
        assert str(graph.parents[1]).encode() not in graph.read_bytes()


@pytest.mark.parametrize("name", ["fine", *bundled_names()])
def test_both_runtimes_agree(name: str, painted: Path, picture: Image.Image) -> None:
    source: str | Path = painted if name == "fine" else name
    ours, theirs = (IcGAN.from_pretrained(source, runtime=r) for r in ("torch", "onnx"))
    edit = {ours.attributes[0]: 1}
    for detail in ("photo", "generated"):
        a, b = (m.edit([picture] * 2, edit, detail=detail, align="none") for m in (ours, theirs))
        assert all(levels(x, y) <= 1 for x, y in zip(a, b, strict=True))
    scores = (m.predict_attributes(picture, align="none") for m in (ours, theirs))
    assert next(scores) == pytest.approx(next(scores), abs=1e-4)


def test_what_painting_needs_is_opened_ahead(painted: Path, picture: Image.Image) -> None:
    engine = OnnxEngine(painted)
    engine.expect_paint()
    ahead = dict(engine._sessions)
    assert sorted(ahead) == ["painter", "reader"]
    images = np.zeros((1, 3, 32, 32), np.float32)
    y = engine.read(images)
    assert np.array_equal(engine.paint(images, y, y), images)
    assert engine._sessions == ahead
    model = IcGAN.from_pretrained(painted, runtime="onnx")
    model.edit(picture, {model.attributes[0]: 1}, align="none")
    assert sorted(model._engine._sessions) == ["painter", "reader"]  # type: ignore[attr-defined]


def test_a_graph_that_could_not_be_opened_is_tried_again(copy: Path) -> None:
    engine = OnnxEngine(copy)
    graph, images = copy / "painter.onnx", np.zeros((1, 3, 32, 32), np.float32)
    whole = graph.read_bytes()
    graph.write_bytes(b"no graph")
    engine.expect_paint()
    y = engine.read(images)
    for _ in range(2):
        with pytest.raises(ModelFormatError, match="can't be loaded"):
            engine.paint(images, y, y)
    graph.write_bytes(whole)
    assert np.array_equal(engine.paint(images, y, y), images)


@pytest.mark.parametrize("name", bundled_names())
def test_bundled_models_have_their_graphs(name: str) -> None:
    model = IcGAN.from_pretrained(name, runtime="auto")
    assert isinstance(model._engine, OnnxEngine)
    sizes = [p.stat().st_size for p in (BUNDLED_ROOT / name).iterdir() if p.name in GRAPH_FILES]
    assert sum(sizes) < 200_000


@pytest.mark.slow
def test_what_sees_faces_is_pointed_to(tiny_config: ModelConfig, tmp_path: Path) -> None:
    config = replace(tiny_config, crop=CELEBA_CROP, encoder_z_faces=True)
    save_artefact(corrected(config), tmp_path / "model", card=CARD, dtype=torch.float16)
    assert max(write_graphs(tmp_path / "model").values()) < 1e-4
    graph = onnx.load(tmp_path / "model/encoder.onnx", load_external_data=False).graph
    files = {entry.value for t in graph.initializer for entry in t.external_data[:1]}
    assert files == {"encoder_z.safetensors", "encoder_y.safetensors", FACES_FILE.name}
    images = np.zeros((1, 3, 16, 16), np.float32)
    assert np.isfinite(OnnxEngine(tmp_path / "model").encode(images)[0]).all()
    assert len(graph.SerializeToString()) < 150_000


def test_auto_takes_torch_where_there_are_no_graphs(tiny_folder: Path, painted: Path) -> None:
    for folder, device, engine in (
        (tiny_folder, None, "TorchEngine"),
        (painted, "cpu", "OnnxEngine"),
        (painted, "cpu:0", "TorchEngine"),
    ):
        model = IcGAN.from_pretrained(folder, device=device, runtime="auto")
        assert type(model._engine).__name__ == engine


def test_links_to_files_elsewhere_are_followed(painted: Path, tmp_path: Path) -> None:
    """As the Hub's cache has them."""
    (tmp_path / "model").mkdir()
    for number, path in enumerate(sorted(painted.iterdir())):
        blob = tmp_path / "blobs" / str(number)
        blob.parent.mkdir(exist_ok=True)
        shutil.copy(path, blob)
        (tmp_path / "model" / path.name).symlink_to(blob)
    model = IcGAN.from_pretrained(tmp_path / "model", runtime="onnx")
    assert model.predict_attributes(PORTRAIT, align="none")


def test_graphs_of_other_weights_are_refused(copy: Path, tiny_config: ModelConfig) -> None:
    weights = copy / "generator.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    model = IcGAN.from_pretrained(copy, runtime="onnx")
    with pytest.raises(ModelFormatError, match=r"generator\.safetensors is damaged or was changed"):
        model.sample(1)
    weights.unlink()
    with pytest.raises(ModelFormatError, match=r"generator\.safetensors missing"):
        model.sample(1)


@pytest.mark.parametrize("record", [{"encoder.onnx": 3}, {"encoder.onnx": {"../a": ""}}, [], 3])
def test_records_that_are_wrong_are_refused(copy: Path, record: object) -> None:
    path = copy / "export.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "weights": record}))
    with pytest.raises(ModelFormatError, match="weights are wrong"):
        IcGAN.from_pretrained(copy, runtime="onnx")


def test_an_edit_of_a_photo_needs_neither_encoder_z_nor_generator(
    painted: Path, copy: Path, picture: Image.Image
) -> None:
    whole, edit = IcGAN.from_pretrained(painted, runtime="onnx"), {"Smiling": 1}
    for network in ("encoder_z", "generator"):
        (copy / f"{network}.safetensors").unlink()
    model = IcGAN.from_pretrained(copy, runtime="onnx")
    ours, theirs = (m.edit(picture, edit, align="none") for m in (model, whole))
    assert levels(ours, theirs) == 0
    assert model.predict_attributes(picture, align="none")
    with pytest.raises(ModelFormatError, match=r"encoder_z\.safetensors missing"):
        model.reconstruct(picture, align="none")


def test_the_record_names_the_files_of_each_graph(painted: Path) -> None:
    record = json.loads((painted / "export.json").read_text())["weights"]
    assert {graph: sorted(files) for graph, files in record.items()} == {
        "encoder.onnx": ["encoder_y.safetensors", "encoder_z.safetensors"],
        "reader.onnx": ["encoder_y.safetensors"],
        "generator.onnx": ["generator.safetensors"],
        "painter.onnx": ["painter.safetensors"],
    }


@pytest.mark.slow
def test_a_new_painter_changes_its_own_files_alone(copy: Path) -> None:
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    networks = load_artefact(copy)
    assert networks.painter is not None
    with torch.no_grad():
        networks.painter.get_parameter("entry.bias").add_(1)
    save_artefact(networks, copy, card=CARD, dtype=torch.float16)
    write_graphs(copy)
    after = {path.name: path.read_bytes() for path in copy.iterdir()}
    changed = {name for name in before if before[name] != after[name]}
    assert {"painter.safetensors", "export.json"} <= changed
    assert changed <= {"painter.safetensors", "painter.onnx", "export.json"}


@pytest.mark.slow
def test_graphs_of_a_single_file_of_weights_still_run(copy: Path, picture: Image.Image) -> None:
    """As older releases wrote them."""
    record = to_single_file(copy) / "export.json"
    for path in copy.glob("*.onnx"):
        path.unlink()
    write_graphs(copy)
    plain = json.loads(record.read_text())
    assert all(list(files) == [WEIGHTS_FILE] for files in plain["weights"].values())
    plain["weights"] = plain["weights"]["painter.onnx"][WEIGHTS_FILE]
    record.write_text(json.dumps(plain))
    ours, theirs = (IcGAN.from_pretrained(copy, runtime=r) for r in ("torch", "onnx"))
    pictures = (m.edit(picture, Smiling=1, align="none") for m in (ours, theirs))
    assert levels(next(pictures), next(pictures)) <= 1


def test_copies_of_the_model_keep_its_graphs(painted: Path, copy: Path, tmp_path: Path) -> None:
    IcGAN.from_pretrained(painted).save_pretrained(tmp_path / "saved")
    copy_artefact(painted, tmp_path / "copied")
    for folder in (tmp_path / "saved", tmp_path / "copied"):
        assert {p.name: p.read_bytes() for p in folder.iterdir()} == {
            p.name: p.read_bytes() for p in painted.iterdir()
        }
    model = IcGAN.from_pretrained(copy)
    with torch.no_grad():
        next(model._engine.networks.parameters()).mul_(2)
    model.save_pretrained(copy)
    assert not set(GRAPH_FILES) & {p.name for p in copy.iterdir()}
    load_artefact(copy)


def test_the_command_line_edits_without_torch(
    painted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is anything imported that only other commands need."""
    script = f"""
import sys
from icgan_sdk.cli.main import run
for command in (["edit", "--set", "Smiling=1"], ["reconstruct"], ["variations"]):
    name, *options = command
    assert run([name, {str(PORTRAIT)!r}, *options, "--align", "none", "--model", {str(painted)!r},
                "-o", name + ".png"]) == 0
assert run(["attributes", {str(PORTRAIT)!r}, "--align", "none", "--model", {str(painted)!r}]) == 0
heavy = {{"torch", "torchvision", "onnx", "matplotlib", "gradio", "accelerate", "huggingface_hub"}}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"
    refined = ["--refine", "1", "--align", "none", "-o", str(tmp_path / "refined.png")]
    assert run(["edit", str(PORTRAIT), "Male=1", "--model", str(painted), *refined]) == 0


@pytest.mark.slow
def test_export_without_a_folder_puts_graphs_beside_the_weights(
    tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", str(tiny_folder), "--format", "torch"]) == 2
    assert run(["export", str(tiny_folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [Path(line.split()[0]).name for line in lines] == [
        "encoder.onnx", "generator.onnx", "composite.onnx"
    ]  # fmt: skip
    assert isinstance(IcGAN.from_pretrained(tiny_folder, runtime="auto")._engine, OnnxEngine)
