"""Preparing is all or nothing: killed, failing or dying workers leave no half-written data set."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.data import Item, PreparedDataset, write_arrays, write_prepared
from icgan_sdk.errors import ConfigError, DatasetError, ImageError, SaveError, ShapeError

ONE = AttributeSet(("odd",))
ITEMS = [Item(str(i), [i % 2], ("test", "train")[i % 2]) for i in range(20)]

SLOW_WRITER = """
import sys, time
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.data import Item, write_prepared

def read(name):
    print("reading", flush=True)
    time.sleep(200)

if __name__ == "__main__":
    item = Item("0", [1], "train")
    write_prepared(sys.argv[1], [item], read, AttributeSet(("odd",)), size=8, workers=2)
"""

DYING_WORKER = """
import os, sys
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.data import Item, write_prepared
from icgan_sdk.errors import DatasetError

def read(name):
    os._exit(1)

if __name__ == "__main__":
    item = Item("0", [1], "train")
    try:
        write_prepared(sys.argv[1], [item], read, AttributeSet(("odd",)), size=8, workers=2)
    except DatasetError as error:
        print(error)
"""


def read(name: str) -> Image.Image:
    if name in {"3", "4"}:
        raise ImageError(f"no {name}")
    return Image.new("L", (8, 8), int(name))


def test_order_labels_and_report(tmp_path: Path) -> None:
    report = write_prepared(tmp_path / "out", iter(ITEMS), read, ONE, size=8, channels=1)
    assert report.written == 18
    assert report.unreadable == (("3", "no 3"), ("4", "no 4"))  # in the order of the rows
    dataset = PreparedDataset.open(tmp_path / "out")
    values = ((dataset.images(slice(None))[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()
    assert values == [1, 5, 7, 9, 11, 13, 15, 17, 19, 0, 2, 6, 8, 10, 12, 14, 16, 18]
    assert dataset.part("train").all_labels().tolist() == [[1.0]] * 9
    assert dataset.part("test").all_labels().tolist() == [[-1.0]] * 9
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "attributes.npy", "dataset.json", "images.npy", "unreadable.txt",
    ]  # fmt: skip


@pytest.mark.parametrize("unreadable", [0, 3])
def test_the_file_of_pixels_is_as_numpy_writes_it(unreadable: int, tmp_path: Path) -> None:
    bad = {str(i) for i in range(unreadable)}

    def some(name: str) -> Image.Image:
        if name in bad:
            raise ImageError("bad")
        return Image.new("RGB", (8, 8), (int(name), 0, 0))

    write_prepared(tmp_path / "out", ITEMS, some, ONE, size=8)
    path = tmp_path / "out" / "images.npy"
    pixels = np.load(path)
    assert pixels.shape == (20 - unreadable, 8, 8, 3)
    np.save(tmp_path / "again.npy", pixels)
    assert (tmp_path / "again.npy").read_bytes()[-pixels.nbytes :] == pixels.tobytes()
    assert path.stat().st_size == (tmp_path / "again.npy").stat().st_size


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match=r"1: expected uint8 \[8, 8, 3\], not uint8 \[9, 8, 3\]"):
        write_prepared(
            tmp_path / "out", ITEMS[1:2], lambda _: Image.new("RGB", (8, 9)), ONE, size=8
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX file size limits")
def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, hard))
    try:
        with pytest.raises(SaveError, match=r"can't write .*out: File too large"):
            write_prepared(tmp_path / "out", ITEMS, read, ONE, size=8, channels=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_nothing_to_prepare(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there are no pictures"):
        write_prepared(tmp_path / "out", [], read, ONE, size=8)
    with pytest.raises(DatasetError, match="1 of the 1 pictures can't be read; the first, 3: no 3"):
        write_prepared(tmp_path / "out", ITEMS[3:4], read, ONE, size=8)
    assert not list(tmp_path.iterdir())


def test_unforeseen_errors_leave_nothing_and_keep_the_old(tmp_path: Path) -> None:
    def fail(name: str) -> Image.Image:
        raise ZeroDivisionError

    out = tmp_path / "out"
    with pytest.raises(ZeroDivisionError):
        write_prepared(out, ITEMS, fail, ONE, size=8)
    assert not list(tmp_path.iterdir())
    write_prepared(out, ITEMS, read, ONE, size=8, channels=1)
    with pytest.raises(ZeroDivisionError):
        write_prepared(out, ITEMS, fail, ONE, size=8, overwrite=True)
    assert len(PreparedDataset.open(out)) == 18
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
def test_starts_again_after_a_kill(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = tmp_path / "script.py"
    script.write_text(SLOW_WRITER)
    with subprocess.Popen(
        [sys.executable, str(script), str(out)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        process.kill()
        process.stdout.read()  # ends when the workers, who share it, have ended too
    assert not out.exists()
    assert list(tmp_path.glob(".out.*"))  # what a kill leaves
    assert write_prepared(out, ITEMS, read, ONE, size=8, channels=1).written == 18
    assert len(PreparedDataset.open(out)) == 18


@pytest.mark.slow
def test_dead_worker_is_an_error_not_a_hang(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(DYING_WORKER)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "out")],
        capture_output=True, text=True, check=True, timeout=200,
    )  # fmt: skip
    assert "a worker process died" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


@pytest.mark.parametrize("name", ["Caf\udce9", "two\nlines", "tab\t", "line\u2028"])
def test_names_that_no_report_could_hold_are_refused(tmp_path: Path, name: str) -> None:
    attributes = AttributeSet.classes("class", ["a", name])
    items = [Item("1", [1, 0], "train"), Item("2", [0, 1], "train")]
    with pytest.raises(ConfigError, match="characters that can't be stored: rename it"):
        write_prepared(tmp_path / "out", items, read, attributes, size=8, channels=1)
    pixels, labels = np.zeros((2, 8, 8, 1), np.uint8), np.eye(2, dtype=np.uint8)
    with pytest.raises(ConfigError, match=re.escape(repr(name))):
        write_arrays(tmp_path / "out", pixels, labels, attributes, {"train": 2})
    assert not any(tmp_path.iterdir())


def test_names_of_all_scripts_are_kept(tmp_path: Path) -> None:
    names = ("眼镜", "نظّارة\u200c", "a b", "👓")
    item = Item("1", [1, 0, 0, 0], "train")
    write_prepared(tmp_path / "out", [item], read, AttributeSet(names), size=8, channels=1)
    assert PreparedDataset.open(tmp_path / "out").attributes.names == names
