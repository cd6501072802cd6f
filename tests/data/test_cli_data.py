"""`icgan data`: what it prints, and that it only parses, calls and prints."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from icgan_sdk.cli.data import app
from icgan_sdk.config import PAPER_CROP
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError, DatasetError
from tests.data.conftest import MakeCelebA, write_csv


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys, icgan_sdk.cli.data; "
        "print([m for m in ('torch', 'torchvision', 'numpy', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_mnist_and_info(tiny_mnist: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = invoke("prepare", "mnist", tiny_mnist, out, "--validation", 5, "--download")
    assert (result.exit_code, result.stdout) == (0, f"40 pictures in {out}\n")
    facts = json.loads(invoke("info", out, "--json").stdout)
    assert facts["partitions"] == {"train": 25, "validation": 5, "test": 10}
    assert facts["positives"] == dict.fromkeys("0123456789", 4)
    assert (facts["picture_size"], facts["image_size"], facts["crop"]) == (28, 32, None)
    text = invoke("info", out).stdout
    assert "pictures: 40\n" in text
    assert "  validation: 5\n" in text


def test_celeba_options(make_celeba: MakeCelebA, tmp_path: Path) -> None:
    root, out = make_celeba(), tmp_path / "out"
    common = ("--size", 8, "--workers", 1, "--overwrite", "--attributes")
    for chosen, n in (("all", 40), ("paper", 18), ("Young, Male", 2)):
        result = invoke("prepare", "celeba", root, out, *common, chosen, "--crop", "paper")
        assert result.exit_code == 0
        dataset = PreparedDataset.open(out)
        assert len(dataset.attributes) == n
        assert dataset.crop == PAPER_CROP
    invoke("prepare", "celeba", root, out, *common, "Male", "--crop", "1,2,3,4")
    facts = json.loads(invoke("info", out, "--json").stdout)
    assert facts["crop"] == "(1, 2, 3, 4) of (178, 218)"
    result = invoke("prepare", "celeba", root, out, "--crop", "0,0,300,300")
    assert isinstance(result.exception, ConfigError)


def test_folder_reports_pictures_that_are_left_out(tmp_path: Path) -> None:
    root, out = tmp_path / "in", tmp_path / "out"
    root.mkdir()
    for i in range(25):
        Image.new("RGB", (9, 9)).save(root / f"good{i}.png")
    good, bad = ([f"{kind}{i}.png,1,0" for i in range(25)] for kind in ("good", "bad"))
    csv = write_csv(root, ["file,black,blond", *good, *bad])
    arguments = (
        "prepare", "folder", root, out, "--csv", csv, "--group", "hair=black,blond",
        "--size", 8, "--channels", 1, "--test", 0, "--workers", 1, "--overwrite",
    )  # fmt: skip
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (0, f"25 pictures in {out}\n")
    assert "50/50" in result.stderr
    assert result.stderr.count("left out bad") == 20
    assert "25 of 50 pictures left out; see " in result.stderr.replace("\n", " ")
    assert PreparedDataset.open(out).attributes.groups == {"hair": ("black", "blond")}
    (root / "good0.png").unlink()
    result = invoke(*arguments)
    assert "26 of the 50 files in" in str(result.exception)
    assert len(PreparedDataset.open(out)) == 25  # the earlier one


def test_folder_tells_of_loose_pictures(tmp_path: Path) -> None:
    for name in ("a/0.png", "b/0.png", "loose.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 9)).save(tmp_path / "in" / name)
    result = invoke("prepare", "folder", tmp_path / "in", tmp_path / "out", "--workers", 1)
    assert result.exit_code == 0
    assert "icgan: warning: 1 pictures left out, which lie beside the class" in result.stderr


def test_folder_is_cut_by_a_box_of_a_frame(tmp_path: Path) -> None:
    root, out = tmp_path / "in", tmp_path / "out"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        Image.new("RGB", (89, 109)).save(root / name / "0.png")
    crop = "30,40,168,178@178,218"
    result = invoke("prepare", "folder", root, out, "--crop", crop, "--size", 8, "--workers", 1)
    assert result.exit_code == 0
    assert PreparedDataset.open(out).crop == PAPER_CROP


def test_an_error_before_the_first_picture_shows_no_bar(tmp_path: Path) -> None:
    result = invoke("prepare", "folder", tmp_path / "none", tmp_path / "out")
    assert isinstance(result.exception, DatasetError)
    assert result.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("prepare", "celeba", "x", "y", "--crop", "1,2,3"),
        ("prepare", "celeba", "x", "y", "--crop", "a,b,c,d"),
        ("prepare", "celeba", "x", "y", "--partition", "mine"),
        ("prepare", "folder", "x", "y", "--crop", "1,2,3,4"),
        ("prepare", "folder", "x", "y", "--crop", "1,2,3,4@5"),
        ("prepare", "folder", "x", "y", "--crop", "1,2,3,4@5,5"),
        ("prepare", "folder", "x", "y", "--group", "hair"),
        ("prepare", "folder", "x", "y", "--group", "=a,b"),
        ("prepare", "folder", "x", "y", "--workers", "-1"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert invoke(*arguments).exit_code == 2


def test_library_errors_pass_through(tmp_path: Path) -> None:
    result = invoke("info", tmp_path)
    assert isinstance(result.exception, DatasetError)
    assert isinstance(invoke("prepare", "mnist", tmp_path, "y").exception, DatasetError)
