"""`icgan referee` on tiny data sets, and its errors: one line, a status, no traceback."""

from pathlib import Path

import pytest

from icgan_sdk.cli.main import run
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation import load_referee
from icgan_sdk.evaluation.referees.referee_folder import read_record


def test_trains_both(
    faces: PreparedDataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(faces.folder), "--out", str(tmp_path), "--epochs", "2", "--device", "cpu"]
    assert run(["referee", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line.split(":")[0] for line in lines]
    names = ("anet", "residual")
    assert heads == [f"{name}, {part}" for name in names for part in ("validation", "test")]
    assert all("mean accuracy" in line and "mean F1" in line for line in lines)
    for name in names:
        assert load_referee(tmp_path / name).architecture == name
        assert read_record(tmp_path / name)["settings"]["epochs"] == 2


def test_trains_one(
    digits: PreparedDataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(digits.folder), "-o", str(tmp_path), "--architecture", "anet"]
    assert run(["referee", *arguments, "--epochs", "1"]) == 0
    assert "anet, test: class accuracy" in capsys.readouterr().out
    assert [p.name for p in tmp_path.iterdir()] == ["anet"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--architecture", "vgg"], 2, "no referee 'vgg'"),
        (["--epochs", "0"], 2, "--epochs"),
        (["--device", "tpu"], 1, "device"),
    ],
)
def test_errors_are_one_line(
    faces: PreparedDataset,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    message: str,
) -> None:
    assert run(["referee", str(faces.folder), "--out", str(tmp_path / "r"), *arguments]) == status
    errors = [line for line in capsys.readouterr().err.splitlines() if "icgan: error:" in line]
    assert len(errors) == 1
    assert message in errors[0]
    assert not (tmp_path / "r").exists()


def test_missing_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["referee", str(tmp_path / "nowhere"), "--out", str(tmp_path / "r")]) == 1
    assert "nowhere is not a prepared data set" in capsys.readouterr().err
