"""`icgan evaluate` on tiny data, and its errors: one line, a status, no traceback."""

import json
from pathlib import Path

import pytest

from icgan_sdk.cli.main import run
from icgan_sdk.data import PreparedDataset


@pytest.fixture
def arguments(tiny_folder: Path, faces: PreparedDataset, quick_judges: Path) -> list[str]:
    words = ["evaluate", tiny_folder, "--data", faces.folder, "--out", tiny_folder.parent / "out"]
    words += ["--referees", quick_judges / "faces", "--device", "cpu", "--limit", "4"]
    return [str(word) for word in words]


def test_prints_the_summary_and_where_the_report_is(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--pictures", "none", "--refine", "1", "--detail", "photo", "--seed", "5"]
    assert run([*arguments, *options, "--partition", "validation"]) == 0
    *summary, where = capsys.readouterr().out.splitlines()
    assert where == str(tmp_path / "out" / "report.md")
    assert Path(where).is_file()
    assert summary[0].startswith("Generated attributes, read by the Anet: accuracy / F1  ")
    assert any(line.startswith("FID (referee features)  ") for line in summary)
    subject = json.loads((tmp_path / "out" / "evaluation.json").read_text("utf-8"))["subject"]
    given = {"partition": "validation", "refine": 1, "detail": "photo", "seed": 5, "limit": 4}
    assert subject.items() >= given.items()


@pytest.mark.slow
def test_json(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*arguments, "--json"]) == 0
    out = capsys.readouterr().out
    assert out == (tmp_path / "out" / "evaluation.json").read_text("utf-8")
    assert json.loads(out)["subject"]["model"] == "tiny"


@pytest.mark.parametrize(
    ("extra", "status", "message"),
    [
        (["--partition", "tset"], 1, "no partition 'tset'; did you mean 'test'?"),
        (["--data", "nowhere"], 1, "nowhere is not a prepared data set"),
        (["--limit", "1"], 2, "'--limit': 1 is not in the range"),
        (["--pictures", "some"], 2, "'--pictures': 'some' is not one of"),
        (["--device", "tpu"], 1, "unknown device 'tpu'"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    extra: list[str],
    status: int,
    message: str,
) -> None:
    if extra[0] in arguments:  # an option is given once
        at = arguments.index(extra[0])
        del arguments[at : at + 2]
    assert run([*arguments, *extra]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("icgan: error: ")
    assert message in captured.err
    assert not (tmp_path / "out").exists()


def test_a_bundled_model_of_other_data(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments[1] = "mnist"
    assert run(arguments) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "the model doesn't fit" in error
    assert "image_size 32 against 16" in error
