"""Output to streams that can't take all text, are closed, or are full."""

import errno
import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from icgan_sdk.cli import main
from icgan_sdk.cli.main import run

MODEL = ["--model", "tiny", "--device", "cpu"]


@pytest.fixture
def here(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tiny_folder.parent)
    return tiny_folder.parent


@pytest.mark.parametrize(
    ("encoding", "name", "printed"),
    [
        ("cp1252", "照片", rb"\u7167\u7247"),
        ("ascii", "für", rb"f\xfcr"),
        ("utf-8", "f\udcfcr", b"f\xfcr"),  # a name in Latin-1, as Python has it
    ],
)
def test_names_that_stdout_cannot_encode_are_escaped(
    here: Path,
    picture: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
    encoding: str,
    name: str,
    printed: bytes,
) -> None:
    stdout = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stdout, encoding, "strict"))
    picture.save(f"{name}.png")
    picture.save("b.png")
    assert run(["reconstruct", f"{name}.png", "b.png", *MODEL, "-o", "out/"]) == 0
    assert stdout.getvalue().splitlines() == [b"out/" + printed + b".png", b"out/b.png"]
    assert {p.name for p in (here / "out").iterdir()} == {f"{name}.png", "b.png"}


@pytest.mark.parametrize("command", [["info", "-m", "tiny"], ["--help"], ["edit", "--help"]])
def test_output_goes_to_any_code_page(
    here: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    stdout = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stdout, "cp1251", "strict"))
    assert run(command) == 0
    assert b"\xd7" not in stdout.getvalue()
    assert stdout.getvalue()


def test_closed_streams_are_no_error(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert run(["sample", "-n", "1", *MODEL, "-o", "out.png"]) == 0
    assert (here / "out.png").is_file()
    assert run(["info", "-m", "nowhere"]) == 1
    sys.stdout.close()
    sys.stderr.close()


class Failing(io.StringIO):
    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def write(self, text: str) -> int:
        raise OSError(self._number, "can't be written")

    flush = lambda self: self.write("")  # noqa: E731


def test_a_stderr_without_reader_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Failing(errno.EPIPE))
    assert run(["info", "-m", "nowhere"]) == 1


def test_a_stdout_on_a_full_disk_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Failing(errno.ENOSPC))
    monkeypatch.setattr(main, "_status", lambda _: 0)  # what was printed is still buffered
    assert run([]) == 1
    assert capsys.readouterr().err == "icgan: error: can't print: can't be written\n"
