"""``icgan export`` and ``icgan edit --runtime onnx``."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.cli.main import run
from icgan_sdk.config import ModelConfig
from icgan_sdk.demo.catalogue import load_exhibits
from icgan_sdk.pictures.arrays import fit_picture
from icgan_sdk.pictures.grids import grid
from tests.conftest import save_tiny
from tests.export.test_exporting import levels

pytestmark = pytest.mark.timeout(900)  # tracing is long on a busy machine


def read(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        picture.load()
        return picture


FOREIGN = {"torch", "torchvision", "onnx", "onnxscript", "pydantic"}
"""Packages that take longer to import than an edit takes."""


@pytest.fixture
def fitted(picture: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Image.Image:
    """What ``a.png`` in the current folder shows."""
    monkeypatch.chdir(tmp_path)
    fit_picture(picture, 16).save("a.png")
    return fit_picture(picture, 16)


def test_editing_brings_in_no_torch(
    exported: Path, fitted: Image.Image, tiny_model: IcGAN, tmp_path: Path
) -> None:
    arguments = ["edit", "a.png", "--set", "Smiling=0.5", "--set", "hair_color=Blond_Hair"]
    arguments += ["--runtime", "onnx", "--model", str(exported), "--strip", "-o", "out.png"]
    arguments += ["--detail", "photo"]
    script = f"""
import sys
from icgan_sdk.cli.main import run
from icgan_sdk.config import ModelConfig
status = run({arguments})
print(status, sorted({FOREIGN} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert (done.stdout, done.stderr) == ("out.png\n0 []\n", "")
    edited = tiny_model.edit(fitted, {"Smiling": 0.5, "Blond_Hair": 1}, detail="photo")
    strip = grid([[fitted, tiny_model.reconstruct(fitted), edited]])
    assert levels(read(tmp_path / "out.png"), strip) <= 1


def test_every_command_runs_exports(
    exported: Path, fitted: Image.Image, tiny_artefact: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted.rotate(180).save("b.png")
    for number, arguments in enumerate(
        [
            ["edit", "a.png", "--set", "hair_color=none", "--detail", "generated"],
            ["edit", "a.png", "--set", "Smiling=1", "--paste-back"],
            ["reconstruct", "a.png", "--strip"],
            ["variations", "a.png", "b.png"],
            ["interpolate", "a.png", "b.png", "--steps", "3"],
            ["swap", "a.png", "b.png"],
            ["sample", "-n", "4", "--seed", "1", "--set", "Smiling=1"],
        ]
    ):
        outputs = Path(f"{number}-torch.png"), Path(f"{number}-onnx.png")
        ours = ["--model", str(tiny_artefact), "--device", "cpu", "-o", str(outputs[0])]
        theirs = ["--model", str(exported), "--runtime", "onnx", "-o", str(outputs[1])]
        assert (run([*arguments, *ours]), run([*arguments, *theirs])) == (0, 0), arguments
        assert levels(*map(read, outputs)) <= 1, arguments
    capsys.readouterr()
    read_out = []
    for options in (["--model", str(tiny_artefact)], ["--model", str(exported), "--runtime=onnx"]):
        assert run(["attributes", "a.png", "--json", *options]) == 0
        read_out.append(json.loads(capsys.readouterr().out)["a.png"])
    assert read_out[1] == pytest.approx(read_out[0], abs=1e-4)


def test_the_commands_of_one_picture_bring_in_no_torch(exported: Path, fitted: Image.Image) -> None:
    script = f"""
import sys
from icgan_sdk.cli.main import run
from icgan_sdk.config import ModelConfig
options = ["--runtime", "onnx", "--model", {str(exported)!r}]
for command in ("reconstruct", "variations"):
    assert run([command, "a.png", *options, "-o", command + ".png"]) == 0
assert run(["attributes", "a.png", *options]) == 0
print(sorted({FOREIGN} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_demo_runs_exports(exported: Path, fitted: Image.Image, tiny_model: IcGAN) -> None:
    (exhibit,) = load_exhibits([str(exported)], None, "onnx").values()
    assert exhibit.card == "# Tiny"
    expected = tiny_model.edit(fitted, Smiling=1)
    assert levels(exhibit.model.invert(fitted).edit(Smiling=1), expected) <= 1


@pytest.mark.slow
@pytest.mark.usefixtures("only_steps")
def test_exports_and_edits_classes(
    digits_model: IcGAN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    save_tiny(digits_model.config, tmp_path / "digits")
    assert run(["export", "digits", "-o", "out"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line, name in zip(lines, ("encoder", "generator", "composite"), strict=True):
        assert line.startswith(f"{Path('out', f'{name}.onnx')}  (largest difference ")
    digit = Image.fromarray(np.tile(np.arange(12, dtype=np.uint8) * 20, (12, 1)))
    digit.save("d.png")
    edit = ["edit", "d.png", "--set", "digit=2", "--runtime", "onnx", "--model", "out"]
    assert run([*edit, "-o", "drawn.png"]) == 0
    assert levels(read(Path("drawn.png")), digits_model.edit(digit, digit=2)) <= 1
    assert run([*edit, "--detail", "photo", "-o", "photo.png"]) == 0
    carried = digits_model.edit(digit, digit=2, detail="photo")
    assert levels(read(Path("photo.png")), carried) <= 1


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--refine", "5"], "refine needs gradients, which an ONNX export can't give"),
        (["--align", "always"], "needs a model of aligned faces"),
        (["--device", "mps"], "the ONNX runtime has no device 'mps': give auto, cpu or cuda"),
        (["--set", "Simling=1"], "did you mean 'Smiling'?"),
        (["--model", "plain"], "'icgan export plain' writes them beside the weights"),
    ],
)
def test_what_it_can_not_do_is_one_line(
    options: list[str], problem: str, exported: Path, fitted: Image.Image,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    save_tiny(
        ModelConfig(z_dim=2, generator_width=2, encoder_width=2, encoder_z_fc=2), Path("plain")
    )
    model = [] if "--model" in options else ["--model", str(exported)]
    arguments = ["edit", "a.png", "Male=1", "--runtime", "onnx", *model, *options]
    assert run([*arguments, "-o", "out.png"]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("icgan: error: ")
    assert problem in printed.err
    assert printed.err.count("\n") == 1
    assert not Path("out.png").exists()
