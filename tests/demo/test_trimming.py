"""Files of uploads and results stay within a bound."""

import os
import time
from pathlib import Path

import pytest

from icgan_sdk.demo import trimming


def write(folder: Path, count: int) -> list[Path]:
    """Files of 100 bytes in folders of their own, the first the oldest."""
    paths = [folder / str(number) / "picture.png" for number in range(count)]
    for age, path in enumerate(reversed(paths)):
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(100))
        os.utime(path, (1000 - age, 1000 - age))
    return paths


def test_the_oldest_files_make_room(tmp_path: Path) -> None:
    paths = write(tmp_path, 5)
    trimming.trim(tmp_path, most=500)
    assert all(path.exists() for path in paths)
    trimming.trim(tmp_path, most=250)
    assert [path.exists() for path in paths] == [False, False, False, True, True]
    trimming.trim(tmp_path / "nowhere", most=0)


def test_files_are_looked_at_while_the_demo_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trimming, "PAUSE", 0.01)
    paths = write(tmp_path, 2)
    with trimming.trimmed(tmp_path):
        time.sleep(0.1)
        assert all(path.exists() for path in paths)
    monkeypatch.setattr(trimming.trim, "__defaults__", (100,))
    with trimming.trimmed(tmp_path):
        end = time.monotonic() + 10
        while paths[0].exists() and time.monotonic() < end:
            time.sleep(0.01)
    assert [path.exists() for path in paths] == [False, True]
