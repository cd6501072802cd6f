"""`icgan reproduce`, the command."""

from pathlib import Path

import pytest

from icgan_sdk.cli.main import run
from icgan_sdk.data import PreparedDataset
from tests.evaluation.studies.test_reproduce import TINY
from tests.training.conftest import write_bars


def test_writes_the_report_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = write_bars(tmp_path / "bars"), tmp_path / "out"
    settings = [word for setting in TINY for word in ("--set", setting)]
    command = ["reproduce", "sampling", "--scale", "small", "--data", str(data), "--out", str(out)]
    assert run([*command, "--device", "cpu", *settings]) == 0
    printed = capsys.readouterr()
    assert printed.out.split() == [str(out / "sampling.md")]
    assert "sampling: training labels, gan" in printed.err
    assert (out / "sampling.md").is_file()


def test_without_a_scale_the_cost_is_told_and_nothing_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = write_bars(tmp_path / "bars"), tmp_path / "out"
    images = len(PreparedDataset.open(data).part("train"))
    command = ["reproduce", "encoders", "ey-source", "--data", str(data), "--out", str(out)]
    batches = ["gan", "encoder_z", "encoder_y"]
    settings = [w for stage in batches for w in ("--set", f"{stage}.batch_size=16")]
    assert run([*command, *settings]) == 2
    told = " ".join(capsys.readouterr().err.split())
    per_epoch = images // 16
    # Three designs on one GAN; the second study's other E_y goes with the first one's GAN and E_z.
    small = 3 * per_epoch + 3 * 6 * per_epoch + (2 + 1) * 6 * per_epoch
    assert f"--scale small (4 models, {small:,} steps" in told
    assert "--scale full (4 models" in told
    assert not out.exists()
    assert run(command) == 1
    assert "gan.batch_size lower" in capsys.readouterr().err


def test_errors_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_bars(tmp_path / "bars")
    out = str(tmp_path / "out")
    assert run(["reproduce", "table4", "--data", str(data), "--out", out]) == 2
    assert "table3" in capsys.readouterr().err
    assert (
        run(
            [
                "reproduce",
                "sampling",
                "--scale",
                "small",
                "--data",
                str(tmp_path / "none"),
                "--out",
                out,
            ]
        )
        == 1
    )
    assert capsys.readouterr().err.count("\n") == 1
    assert not Path(out).exists()
