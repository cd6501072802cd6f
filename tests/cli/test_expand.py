"""Which files patterns name, and how results of several pictures are called."""

import unicodedata
from pathlib import Path

import pytest

from icgan_sdk.cli.paths import expand, name_outputs
from icgan_sdk.errors import ImageError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(*patterns: str) -> list[str]:
    return [path.as_posix() for path in expand(patterns)]


def test_links_that_lead_back_end() -> None:
    touch("photos/a/x.jpg", "photos/b/y.jpg")
    Path("photos/a/up").symlink_to("..")
    Path("photos/b/other").symlink_to("../a")
    assert names("photos/**/*.jpg") == ["photos/a/x.jpg", "photos/b/y.jpg"]
    # A link that is named is followed.
    assert names("photos/b/other/*.jpg") == ["photos/b/other/x.jpg"]


def test_brackets_of_a_folder_are_meant_as_they_are(here: Path) -> None:
    touch("Urlaub [2019]/x.jpg", "Urlaub [2019]/in/y.jpg", "Urlaub 2/z.jpg", "a[1]b/c [2]/w.jpg")
    assert names("Urlaub [2019]/*.jpg") == ["Urlaub [2019]/x.jpg"]
    assert names(f"{here}/Urlaub [2019]/**/*.jpg") == [
        f"{here}/Urlaub [2019]/in/y.jpg",
        f"{here}/Urlaub [2019]/x.jpg",
    ]
    assert names("Urlaub [0-9]/*.jpg") == ["Urlaub 2/z.jpg"]
    assert names("a[1]b/*/*.jpg") == ["a[1]b/c [2]/w.jpg"]
    with pytest.raises(ImageError, match=r"no files match 'x \[1\]\.jpg'; a \[ that is meant"):
        expand(["x [1].jpg"])


def test_hidden_files_match_only_what_says_so() -> None:
    touch("p/a.jpg", "p/.b.jpg", "p/.c/d.jpg")
    assert names("p/*.jpg") == ["p/a.jpg"]
    assert names("p/**/*.jpg") == ["p/a.jpg"]
    assert names("p/.*.jpg") == ["p/.b.jpg"]


def test_patterns_of_every_kind(here: Path) -> None:
    touch("a1.jpg", "a2.png", "b/a3.jpg")
    assert names("a?.*") == ["a1.jpg", "a2.png"]
    assert names("*/a*.jpg", "*.jpg", "a1.jpg") == ["b/a3.jpg", "a1.jpg"]
    assert names(f"{here}/a[12].*") == [f"{here}/a1.jpg", f"{here}/a2.png"]
    assert names("./*.png") == ["a2.png"]


def test_a_second_run_writes_the_same_files() -> None:
    inputs = ["2019/a/x.jpg", "2020/a/x.jpg", "2020/b/x.jpg", "2020/b/y.jpg"]
    touch(*inputs)
    first = name_outputs([Path(name) for name in inputs], "out")
    assert [p.name for p in first] == ["2019_a_x.png", "2020_a_x.png", "b_x.png", "y.png"]
    touch(*map(str, first))
    assert name_outputs([Path(name) for name in inputs], "out") == first


def test_both_spellings_of_one_name_are_two_files() -> None:
    composed, apart = (unicodedata.normalize(form, "é.jpg") for form in ("NFC", "NFD"))
    touch(f"one/{composed}", f"one/{apart}")
    if len(list(Path("one").iterdir())) == 2:  # some file systems know one of them alone
        outputs = name_outputs(expand(["one/*.jpg"]), "out")
        assert len(set(outputs)) == 2
