"""Names of files as people have them: ~, dots, signs, and what shells make of them."""

import os
from pathlib import Path

import pytest

from icgan_sdk.cli.paths import expand_home
from tests.cli.conftest import Run
from tests.cli.test_errors import refused

MODEL = ("--model", "tiny", "--device", "cpu")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "at home"
    home.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    return home


@pytest.mark.parametrize(
    ("word", "expanded"),
    [
        ("~/a.png", "{}/a.png"),
        ("~", "{}"),
        ("--output=~/x", "--output={}/x"),
        ("--encoder-z=~/z.t7", "--encoder-z={}/z.t7"),
        ("-o~/x.png", "-o{}/x.png"),
        ("-o=~/x.png", "-o={}/x.png"),
        ("data=~/prepared", "data={}/prepared"),
        ("~/photos/*.jpg", "{}/photos/*.jpg"),
        ("~no-such-user/x", "~no-such-user/x"),
        ("a~b.png", "a~b.png"),
        ("photo~", "photo~"),
        ("--output=x/~/y", "--output=x/~/y"),
        ("Smiling=1", "Smiling=1"),
    ],
)
def test_a_tilde_is_the_home_folder(word: str, expanded: str, home: Path) -> None:
    assert expand_home(word) == expanded.format(home)


def test_what_exists_under_that_name_is_meant(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("~").mkdir()
    Path("~/a.png").touch()
    assert expand_home("~/a.png") == "~/a.png"
    assert expand_home("~/b.png") == f"{home}/b.png"


def test_tildes_in_every_option_with_a_path(icgan: Run, home: Path) -> None:
    Path("a.png").rename(home / "a.png")
    Path("tiny").rename(home / "tiny")
    model = ("-m", "~/tiny", "--device", "cpu")
    assert icgan("edit", "~/a.png", "Smiling=1", *model, "--output=~/out.png")[0] == 0
    assert icgan("variations", "~/*.png", "--model=~/tiny", "-o~/sheet.png")[0] == 0
    assert icgan("info", "~/tiny")[0] == 0
    assert {"out.png", "sheet.png"} <= {path.name for path in home.iterdir()}
    assert not Path("~").exists()
    assert f"no such model folder: {home}/none" in refused(icgan("info", "~/none"))
    assert str(home) in refused(icgan("data", "info", "~/data"))
    said = icgan("data", "prepare", "folder", "~/none", "~/out", "--csv=~/none.csv")[2]
    assert str(home) in said
    assert "~" not in said


def test_folders_with_dots_are_hinted_at(icgan: Run) -> None:
    said = refused(icgan("edit", "a.png", "b.jpg", "Male=1", *MODEL, "-o", "results.v2"), 2)
    assert (
        "need a folder, not the file results.v2; a folder of that name is written results.v2/"
        in said
    )
    said = refused(icgan("reconstruct", "a.png", *MODEL, "-o", "results.2024"), 2)
    assert (
        "suffix '.2024'; try .png or .jpg; a folder of that name is written results.2024/" in said
    )
    assert icgan("edit", "a.png", "b.jpg", "Male=1", *MODEL, "-o", "results.v2/")[0] == 0
    assert icgan("edit", "a.png", "b.jpg", "Male=1", *MODEL, "-o", "results.v2")[0] == 0
    said = refused(icgan("variations", "a.png", *MODEL, "-o", "sheet.v2"), 2)
    assert "a folder" not in said


@pytest.mark.parametrize("word", ["missing=1", "a+b=2.5", "IMG=2024", "photo.v2=final"])
def test_what_is_no_file_and_no_attribute(word: str, icgan: Run) -> None:
    said = refused(icgan("edit", word, "Smiling=1", "-m", "tiny", "-o", "o"), 2)
    assert f"no such file, and no attribute: {word}" in said
    assert "no such image file: a=b.jpg" in refused(
        icgan("edit", "a=b.jpg", "Smiling=1", *MODEL, "-o", "o")
    )


def test_a_file_that_looks_like_an_option(icgan: Run) -> None:
    Path("a.png").rename("-a.png")
    said = refused(icgan("edit", "-a.png", "b.jpg", "Smiling=1", *MODEL, "-o", "out"), 2)
    assert "A file of that name is written ./-a.png" in said
    assert icgan("edit", "./-a.png", "b.jpg", "Smiling=1", *MODEL, "-o", "out")[0] == 0
    assert "A file" not in refused(icgan("edit", "-x.png", "b.jpg", "Smiling=1", "-o", "out"), 2)


@pytest.mark.skipif(os.name != "posix", reason="names that other systems don't have")
def test_no_odd_name_ends_a_batch(icgan: Run) -> None:
    photo = Path("a.png").read_bytes()
    odd = ["n" * 255, "é" * 127, "two\nlines.png", "a=1", "~x.png", "p[1].png",
           "dot.", " .png", "%s.png", "blocked.png", "last.png"]  # fmt: skip
    for name in odd:
        Path("in").mkdir(exist_ok=True)
        Path("in", name).write_bytes(photo)
    Path("out/blocked.png").mkdir(parents=True)
    names = [f"in/{name}" for name in odd]
    status, _, errors = icgan("edit", *names, "x" * 300 + ".png", "Male=1", *MODEL, "-o", "out")
    assert status == 1
    lines = errors.splitlines()
    assert len(lines) == 2
    assert "can't write out/blocked.png" in lines[0]
    assert "xxx" in lines[1]
    assert len([path for path in Path("out").iterdir() if path.is_file()]) == len(odd) - 1
