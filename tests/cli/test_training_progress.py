"""What a training prints where there is no terminal, and in a narrow one."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from icgan_sdk.cli.main import run
from icgan_sdk.cli.training_progress import Lines
from icgan_sdk.train import Progress
from tests.cli.test_train import bars, recipe  # noqa: F401 - fixtures


def test_a_line_at_the_start_every_minute_and_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = 0.0
    lines = Lines(lambda: now)
    for step in range(1, 101):
        now = float(step * 2)
        metrics = {"d": step / 100, "images_per_second": 64.0} if step in {1, 50, 100} else None
        lines.update(Progress("gan", step, 100, metrics))
    lines.update(Progress("generated", 20, 20))
    assert capsys.readouterr().err.splitlines() == [
        "gan 1/100  d 0.01  64 images/s",
        "gan 31/100  d 0.01  64 images/s  0:02:18 left",
        "gan 61/100  d 0.5  64 images/s  0:01:18 left",
        "gan 91/100  d 0.5  64 images/s  0:00:18 left",
        "gan 100/100  d 1  64 images/s",
        "generated 20/20",  # the losses before were another stage's
    ]


def test_losses_are_there_from_the_first_step(
    bars: Path,  # noqa: F811
    recipe: str,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rare = ["--set", "run.log_every=10", "--set", "run.checkpoint_every=10"]
    command = ["train", recipe, "--data", str(bars), "--stage", "gan", *rare]
    assert run([*command, "--out", str(tmp_path / "run")]) == 0
    first, *_, last = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("gan ")
    ]
    assert first.startswith("gan 1/12  ")
    assert "g " in first
    assert last.startswith("gan 12/12  ")
    assert "images/s" in last


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_narrow_terminal_keeps_bar_count_and_time(
    bars: Path,  # noqa: F811
    recipe: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "icgan_sdk.cli.main", "train", recipe, "--data", str(bars)]
    done = subprocess.Popen(
        [*command, "--stage", "gan", "--out", str(tmp_path / "run")],
        stderr=theirs, stdout=theirs, env={**os.environ, "COLUMNS": "60", "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    printed = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so at the end
            break
        if not part:
            break
        printed += part
    assert done.wait(60) == 0
    assert b"12/12" in printed
    assert "\N{HORIZONTAL ELLIPSIS}".encode() in printed
