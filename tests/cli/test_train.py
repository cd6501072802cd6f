"""`icgan train` on a tiny data set, and its errors: one line, a status, no traceback."""

from pathlib import Path

import pytest

from icgan_sdk.cli.main import run
from icgan_sdk.training.train_config import TrainConfig
from tests.training.conftest import SECTIONS, write_bars


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bars(tmp_path_factory.mktemp("data") / "bars")


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    path = tmp_path / "tiny.toml"
    path.write_text(TrainConfig.from_dict(SECTIONS).to_toml())
    return str(path)


def test_trains_resumes_and_edits(
    bars: Path, recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "run")
    common = ["--data", str(bars), "--out", out]
    assert run(["train", recipe, *common, "--stage", "gan", "--set", "gan.epochs=1"]) == 0
    told = capsys.readouterr().err
    assert f"training on 48 pictures of 8×8, 3 attributes: {bars}" in told
    assert "gan" in told
    assert run(["train", "--resume", "--out", out]) == 0
    assert "is complete" in capsys.readouterr().err
    assert run(["train", "--restart", "--stage", "encoder_z", "--out", out]) == 0
    artefact = f"{out}/artefact"
    assert run(["sample", "-n", "4", "--model", artefact, "-o", str(tmp_path / "s.png")]) == 0
    assert run(["info", "--model", artefact, "--json"]) == 0
    assert '"bright"' in capsys.readouterr().out


def test_a_run_that_was_stopped_says_how_to_continue(
    bars: Path, recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "run")
    chosen = ["--stage", "encoder_y", "--stage", "gan"]
    long = ["--set", "gan.epochs=10000", "--set", "run.log_every=1000"]
    long += ["--set", "run.checkpoint_every=1000"]
    common = ["train", recipe, "--data", str(bars), "--out", out]
    assert run([*common, *chosen, *long, "--stop-after", "2s"]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert f"stopped after 2s; to continue: icgan train --resume --out {out}" in told
    assert "--stage gan --stage encoder_y" in told
    again = [*common, "--restart", "--stage", "gan", "--stop-after", "1h30m"]
    assert run(again) == 0
    assert "stopped" not in capsys.readouterr().err


def test_settings_for_own_data_are_explained(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    small = ["--set", "model.generator_width=4", "--set", "model.discriminator_width=4"]
    assert run(["train", "--data", str(bars), "--out", str(out), *small, "--stop-after", "1s"]) == 0
    told = capsys.readouterr().err
    assert "no mirrored pictures: a linear reader" in told
    assert " here: encoder_y " in told
    assert f"{out}/samples/gan-0001.png" in " ".join(told.split())
    assert (out / "config.toml").is_file()


def test_without_recipe_and_data_there_is_nothing_to_train(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["train", "--out", "run"]) == 2
    assert "give --data" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["paper", "--stop-after", "14"], 2, "give a duration such as 90s, 14m or 1h30m"),
        (["nosuch"], 1, "no recipe and no TOML file 'nosuch'"),
        (["paper", "--resume", "--restart"], 2, "exclude each other"),
        (["paper", "--stage", "gam"], 2, "no stage 'gam'"),
        (["paper", "--set", "gan.epoch=1"], 1, "did you mean 'epochs'"),
        (["paper", "--set", "run.device=tpu"], 1, "device"),
        (["paper", "--resume"], 1, "holds no run"),
        (["--resume"], 1, "holds no run"),
        (["--restart"], 1, "holds no run"),
        (["paper", "--stage", "encoder_z"], 1, "builds on stage generated"),
        (["paper", "--set", "gan.batch_size=1000"], 1, "gan.batch_size lower"),
    ],
)
def test_errors_are_one_line(
    bars: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    message: str,
) -> None:
    common = ["--data", str(bars), "--out", str(tmp_path / "run")]
    assert run(["train", *arguments, *common]) == status
    errors = [line for line in capsys.readouterr().err.splitlines() if "icgan: error:" in line]
    assert len(errors) == 1
    assert message in errors[0]


def test_missing_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "run")]
    assert run(["train", "paper", *out]) == 1
    assert "data doesn't name a prepared data set" in capsys.readouterr().err
    assert run(["train", "paper", "--data", str(tmp_path / "nowhere"), *out]) == 1
    assert "nowhere" in capsys.readouterr().err
