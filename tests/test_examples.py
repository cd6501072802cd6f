"""The examples run, and write what they say."""

import runpy
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from tests.training.conftest import write_bars

EXAMPLES = Path(__file__).parents[1] / "examples"
FONTS = Path("/usr/share/fonts/truetype/liberation")
TINY = [
    "model.z_dim=3",
    "model.generator_width=4",
    "model.discriminator_width=4",
    "model.encoder_width=2",
    "model.encoder_z_fc=8",
    "gan.epochs=1",
    "encoder_z.epochs=1",
    "encoder_y.epochs=1",
    "generated.images=8",
    "run.device=cpu",
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_example(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", [name, *arguments])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def size(path: str) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def cells(columns: int, rows: int, side: int = 64) -> tuple[int, int]:
    return columns * (side + 2) + 2, rows * (side + 2) + 2


def test_edit_portrait(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run_example(monkeypatch, "edit_portrait.py", "edited.png")
    assert "Smiling: " in capsys.readouterr().out
    assert size("edited.png") == cells(6, 1, 128)


def test_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    run_example(monkeypatch, "sample.py", "samples")
    assert size("samples/faces.png") == cells(8, 3, 128)
    assert size("samples/digits.png") == cells(10, 1, 28)


def test_batch(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("photos").mkdir()
    with Image.open(EXAMPLES / "astronaut.jpg") as portrait:
        for name in ("a.jpg", "a.png"):
            portrait.save(Path("photos", name))
    Path("photos/c.png").write_text("no picture")
    Image.new("RGB", (90, 70)).save("photos/d.png")
    run_example(monkeypatch, "batch.py", "photos", "edited", "Smiling=0", "hair_color=Gray_Hair")
    assert sorted(path.name for path in Path("edited").iterdir()) == ["a.jpg.png", "a.png.png"]
    assert size("edited/a.png.png") == (356, 436)
    errors = capsys.readouterr().err
    assert "c.png is not an image" in errors
    assert "no face found in photos/d.png" in errors


def test_concepts(monkeypatch: pytest.MonkeyPatch) -> None:
    run_example(monkeypatch, "concepts.py", "out")
    drawn = {path.name: size(str(path)) for path in Path("out").iterdir()}
    assets = EXAMPLES.parent / "docs" / "assets"
    assert drawn == {name: size(str(assets / name)) for name in drawn}
    assert drawn.keys() >= {path.name for path in assets.glob("concepts_*")}


def test_own_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    run_example(monkeypatch, "own_attributes.py", "out", "--pictures", "64", "--set", *TINY)
    width, height = size("out/variations.png")
    assert (width, height > cells(8, 8, 32)[1]) == (cells(8, 8, 32)[0], True)  # and titles above
    assert size("out/edited.png") == (32, 32)


@pytest.mark.slow
def test_notebook() -> None:
    notebook = nbformat.read(EXAMPLES / "first_steps.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "strip the outputs"
    NotebookClient(notebook, timeout=200, resources={"metadata": {"path": EXAMPLES}}).execute()
    shown = [set(o.data) for c in notebook.cells for o in c.get("outputs", []) if "data" in o]
    assert sum("image/png" in kinds for kinds in shown) == 5


@pytest.mark.skipif(not FONTS.is_dir(), reason="needs fonts: apt-get install fonts-liberation")
def test_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    run_example(monkeypatch, "letters.py", "letters", "--pictures", "12")
    lines = Path("letters.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "file,Bold,Italic,Serif,Upper_Case"
    assert len(lines) == 13
    assert size("letters/0011.png") == (32, 32)


def test_wandb_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="wandb is not a dependency")
    data = str(write_bars(Path("bars")))
    small = [f"{stage}.batch_size=8" for stage in ("gan", "encoder_z", "encoder_y")]
    settings = ("--recipe", "paper", "--set", *TINY, *small)
    run_example(monkeypatch, "wandb_watcher.py", data, "run", *settings)
    assert list(Path("run/wandb").glob("offline-run-*"))
