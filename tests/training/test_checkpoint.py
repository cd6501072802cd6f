"""Checkpoints: whole or not at all, and read without running anything in them."""

import os
import pickle
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn

from icgan_sdk.errors import CheckpointError, SaveError
from icgan_sdk.training.checkpoint import is_complete, load_checkpoint, save_checkpoint


@contextmanager
def full_disk(after: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: writing fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_round_trip(tmp_path: Path) -> None:
    path, network = tmp_path / "checkpoints" / "gan.pt", nn.Linear(3, 4)
    assert not is_complete(path)
    save_checkpoint(path, 5, 10, {"network": network})
    assert not is_complete(path)
    other = nn.Linear(3, 4)
    assert load_checkpoint(path, {"network": other}) == 5
    assert torch.equal(other.weight, network.weight)
    save_checkpoint(path, 10, 10, {"network": network})
    assert is_complete(path)


def test_full_disk_keeps_the_previous_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "gan.pt"
    save_checkpoint(path, 1, 10, {"network": nn.Linear(3, 4)})
    before = path.read_bytes()
    with full_disk(after=50_000), pytest.raises(SaveError, match=r"gan\.pt"):
        save_checkpoint(path, 2, 10, {"network": nn.Linear(200, 200)})
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["gan.pt"]


def test_other_configuration(tmp_path: Path) -> None:
    path = tmp_path / "gan.pt"
    save_checkpoint(path, 1, 10, {"network": nn.Linear(3, 4)})
    with pytest.raises(CheckpointError, match="remove it to start its stage again"):
        load_checkpoint(path, {"network": nn.Linear(3, 5)})
    with pytest.raises(CheckpointError, match="optimiser"):
        load_checkpoint(path, {"optimiser": nn.Linear(3, 4)})


@pytest.mark.parametrize("state", [{"network": 1}, {"step": 1}, [1, 2], 3])
def test_other_files_of_torch(tmp_path: Path, state: object) -> None:
    torch.save(state, tmp_path / "gan.pt")
    with pytest.raises(CheckpointError, match="remove it"):
        is_complete(tmp_path / "gan.pt")


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, ("hacked",))


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"step": 1, "steps": 1, "network": Hostile()}, "gan.pt")
    with pytest.raises(CheckpointError):
        load_checkpoint(Path("gan.pt"), {"network": nn.Linear(1, 1)})
    Path("raw.pt").write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(CheckpointError):
        is_complete(Path("raw.pt"))
    assert not Path("hacked").exists()


def test_a_changed_number_is_noticed(tmp_path: Path) -> None:
    path, network = tmp_path / "gan.pt", nn.Linear(300, 4)
    save_checkpoint(path, 1, 10, {"network": network})
    data = bytearray(path.read_bytes())
    weights = network.weight.detach().numpy().tobytes()
    data[data.index(weights) + 101] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"can't be resumed from.*is damaged"):
        load_checkpoint(path, {"network": network})
