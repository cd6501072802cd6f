import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from icgan_sdk.errors import ModelFormatError, SaveError
from icgan_sdk.files import atomic_file, atomic_folder, check_replaceable, sha256, write_text


def test_a_file_appears_only_when_whole(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "a.txt"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError), atomic_file(path) as temporary:  # noqa: PT012
        temporary.write_text("new")
        assert path.read_text() == "old"
        _ = 1 / 0
    assert path.read_text() == "old"
    with atomic_file(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_appears_only_when_whole(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    with atomic_folder(folder) as temporary:
        (temporary / "a").write_text("1")
    with pytest.raises(ZeroDivisionError), atomic_folder(folder) as temporary:  # noqa: PT012
        (temporary / "b").write_text("2")
        _ = 1 / 0
    assert [p.name for p in folder.iterdir()] == ["a"]
    with atomic_folder(folder) as temporary:
        (temporary / "b").write_text("2")
    assert [p.name for p in folder.iterdir()] == ["b"]
    assert list(tmp_path.iterdir()) == [folder]
    assert folder.stat().st_mode & 0o777 == (tmp_path / "model" / "b").parent.stat().st_mode & 0o777


def test_os_errors_become_save_errors_and_typed_ones_pass(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for target in (tmp_path / "file" / "a", tmp_path):
        with pytest.raises(SaveError, match="can't write"), atomic_file(target):
            pass
    with pytest.raises(SaveError, match="can't write"), atomic_folder(tmp_path / "file"):
        pass
    with pytest.raises(ModelFormatError), atomic_file(tmp_path / "b"):
        raise ModelFormatError("inside")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
def test_what_is_flushed_is_open_for_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    modes: list[int] = []
    monkeypatch.setattr(
        os, "fsync", lambda fd: modes.append(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE)
    )
    write_text(tmp_path / "a", "text")
    assert modes == [os.O_RDWR]  # Windows refuses to flush what is open for reading only
    assert (tmp_path / "a").read_text() == "text"


def test_names_may_be_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    path = tmp_path / f"{'ä' * 120}.json"
    write_text(path, "{}")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    with pytest.raises(SaveError, match=r"can't write .*: File name too long"):
        write_text(tmp_path / ("x" * 300), "")
    with pytest.raises(SaveError, match=r"json is a file, not a folder"):
        write_text(path / "inner", "")


def test_only_folders_of_our_files_are_replaceable(tmp_path: Path) -> None:
    def check() -> None:
        check_replaceable(tmp_path / "out", ("a", "b*"), marker="a", deed="saving")

    check()
    (tmp_path / "out").mkdir()
    check()
    (tmp_path / "out" / "b1").touch()
    with pytest.raises(SaveError, match=r"other files \(b1\), which saving there would remove"):
        check()
    (tmp_path / "out" / "a").touch()
    check()
    for name in "vwxyz":
        (tmp_path / "out" / name).touch()
    with pytest.raises(SaveError, match=r"\(v, w, x and 2 more\)"):
        check()


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf8f01cfea")


def test_a_link_stays_one_and_modes_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to("real.txt")
    write_text(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o600
    dangling = tmp_path / "dangling.txt"
    dangling.symlink_to("later.txt")
    write_text(dangling, "new")
    assert (tmp_path / "later.txt").read_text() == "new"


def test_devices_and_mounted_files_are_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(os.devnull, "gone")
    assert not Path(os.devnull).is_file()
    mounted = tmp_path / "mounted.txt"
    mounted.write_text("old")
    node = mounted.stat().st_ino

    def busy(self: Path, target: Path) -> Path:
        raise OSError(errno.EBUSY, "Device or resource busy", str(target))

    monkeypatch.setattr(Path, "replace", busy)
    write_text(mounted, "new")
    assert mounted.read_text() == "new"
    assert mounted.stat().st_ino == node
    assert [path.name for path in tmp_path.iterdir()] == ["mounted.txt"]


def fill(folder: Path, text: str) -> None:
    with atomic_folder(folder) as temporary:
        for name in ("a.txt", "c.txt"):
            (temporary / name).write_text(text)


def fail_halfway(folder: Path) -> None:
    with atomic_folder(folder) as temporary:
        (temporary / "a.txt").write_text("3")
        raise ValueError("halfway")


def test_a_folder_behind_a_link_is_filled(tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "link").symlink_to("big")
    fill(tmp_path / "link", "1")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "big" / "a.txt").read_text() == "1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["big", "link"]


@pytest.mark.parametrize("kind", ["current", "mounted"])
def test_folders_that_cannot_be_moved_get_new_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    if kind == "current":
        monkeypatch.chdir(here)
    else:
        monkeypatch.setattr(Path, "is_mount", lambda self: self == here)
    node = here.stat().st_ino
    for text in ("1", "2"):
        fill(here if kind == "mounted" else Path(), text)
        assert (here / "a.txt").read_text() == text
        (here / "b.txt").write_text("of the first")  # goes, as with any folder that is replaced
    assert here.stat().st_ino == node
    with pytest.raises(ValueError, match="halfway"):
        fail_halfway(here)
    assert (here / "a.txt").read_text() == "2"
    assert sorted(path.name for path in here.iterdir()) == ["a.txt", "b.txt", "c.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_move_that_fails_restores_the_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("old")
    move, done = Path.replace, []

    def fail_later(self: Path, target: Path) -> Path:
        done.append(target)
        if len(done) == 3:
            raise OSError(errno.EIO, "Input/output error", str(target))
        return move(self, target)

    monkeypatch.setattr(Path, "replace", fail_later)
    with pytest.raises(SaveError, match="Input/output"):
        fill(tmp_path, "new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "old"}


KILLED = """
import os, sys
from pathlib import Path
from icgan_sdk.files import atomic_file, atomic_folder
target, what = Path(sys.argv[1]), sys.argv[2]
if what == "between":  # the two renames that replace a folder
    real, calls = os.replace, []
    def once(*arguments):
        if calls:
            os._exit(0)
        calls.append(1)
        real(*arguments)
    os.replace = os.rename = once
with (atomic_file if what == "file" else atomic_folder)(target) as temporary:
    (temporary if what == "file" else temporary / "a.txt").write_text("half")
    if what != "between":
        os._exit(0)  # as if killed: nothing is cleared up
"""
"""Dies while it writes."""


@pytest.mark.parametrize("what", ["file", "folder", "between"])
def test_what_a_killed_process_left_is_cleared_up(what: str, tmp_path: Path) -> None:
    target = tmp_path / ("note.txt" if what == "file" else "made")
    if what == "between":
        target.mkdir()
        (target / "a.txt").write_text("before")
    for _ in range(2):
        subprocess.run([sys.executable, "-c", KILLED, str(target), what], check=True)
    assert [path for path in tmp_path.iterdir() if path != target]
    script = (
        "import sys; from pathlib import Path; from icgan_sdk.files import write_text\n"
        "write_text(Path(sys.argv[1], 'other.txt'), '')"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"other.txt"} | ({"made"} if what == "between" else set())
    if what == "between":
        assert (target / "a.txt").read_text() == "before"


def test_what_others_are_writing_stays(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        script = (
            "import sys; from pathlib import Path; from icgan_sdk.files import write_text\n"
            "write_text(Path(sys.argv[1], 'a.txt'), 'other')"
        )
        subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
        elsewhere = tmp_path / ".b.00000000-1-0a0a0a0a.tmp.txt"  # of another machine
        elsewhere.write_text("")
        assert temporary.exists()
    assert (tmp_path / "a.txt").read_text() == "half"
    assert elsewhere.exists()


def test_a_folder_that_can_not_be_listed_is_written_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> object:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)
    write_text(tmp_path / "a.txt", "text")
    assert (tmp_path / "a.txt").read_text() == "text"


def test_a_long_name_is_not_guessed(tmp_path: Path) -> None:
    target = tmp_path / ("long" * 20)
    target.mkdir()
    (target / "a.txt").write_text("before")
    subprocess.run([sys.executable, "-c", KILLED, str(target), "between"], check=True)
    left = {path.name for path in tmp_path.iterdir()}
    write_text(tmp_path / "other.txt", "")
    (old,) = [path for path in tmp_path.iterdir() if path.suffix == ".old"]
    assert (old / "a.txt").read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} < left | {"other.txt"}
