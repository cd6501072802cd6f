"""The check that keeps large files out of the history, on repositories of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "large_blobs.py"
pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git")


def commit(repository: Path, path: str, size: int | None) -> None:
    """Commit a file of some size, or take it away."""
    file = repository / path
    if size is None:
        file.unlink()
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes([len(path)]) * size)
    identity = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
    for words in (["add", "-A"], [*identity, "commit", "-qm", path]):
        subprocess.run(["git", "-C", str(repository), *words], check=True)


def check(repository: Path) -> tuple[int, str]:
    command = [sys.executable, str(TOOL), str(repository)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert not done.stderr
    return done.returncode, done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path / "here")], check=True)
    commit(tmp_path / "here", "small.py", 10)
    return tmp_path / "here"


def test_small_files_and_weights_pass(repository: Path) -> None:
    commit(repository, "src/icgan_sdk/pretrained/celeba/painter.safetensors", 2_000_000)
    commit(repository, "docs/a picture.jpg", 999_999)
    assert check(repository) == (0, "")


def test_a_large_file_is_refused_even_if_a_later_commit_takes_it_away(repository: Path) -> None:
    commit(repository, "docs/a film.gif", 1_000_000)
    status, said = check(repository)
    assert status == 1
    assert said.startswith("docs/a film.gif: 1.0 MB")
    commit(repository, "docs/a film.gif", None)
    assert check(repository)[0] == 1


def test_weights_that_are_copied_elsewhere_are_refused(repository: Path) -> None:
    weights = "src/icgan_sdk/pretrained/model.safetensors"
    commit(repository, weights, 1_500_000)
    shutil.copy(repository / weights, repository / "copy.safetensors")
    commit(repository, "small.py", 20)
    status, said = check(repository)
    assert status == 1
    assert said.startswith("copy.safetensors: 1.5 MB")


def test_a_partial_clone_is_checked_by_what_it_has(repository: Path, tmp_path: Path) -> None:
    commit(repository, "large.bin", 1_200_000)
    commit(repository, "large.bin", None)
    subprocess.run(
        ["git", "-C", str(repository), "config", "uploadpack.allowFilter", "true"], check=True
    )
    clone = ["git", "clone", "-q", "--filter=blob:none", f"file://{repository}"]
    subprocess.run([*clone, str(tmp_path / "there")], check=True)
    assert check(tmp_path / "there") == (0, "")
    commit(tmp_path / "there", "new.bin", 1_200_000)
    assert check(tmp_path / "there")[0] == 1
