from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from icgan_sdk.cli.main import run

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def icgan(
    tiny_folder: Path,
    picture: Image.Image,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs a command line in a folder with a.png, b.jpg and the model `tiny`.

    Gives the status, stdout and stderr.
    """
    picture.save(tmp_path / "a.png")
    picture.rotate(180).save(tmp_path / "b.jpg")
    (tmp_path / "bad.png").write_text("no picture")
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = run(list(arguments))
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call
