"""A stage's checkpoint: one file, always replaced as a whole, read without running pickled code."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile, ZipFile

import torch

from icgan_sdk.errors import CheckpointError, SaveError
from icgan_sdk.files import atomic_file

UNREADABLE = (
    OSError,
    RuntimeError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    pickle.UnpicklingError,
)
"""Errors that reading a damaged or foreign file raises."""


class Stateful(Protocol):
    """Anything with a state to save: a network or an optimiser."""

    def state_dict(self) -> dict[str, Any]:
        """The state."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Restore a saved state."""
        ...


def save_checkpoint(path: Path, step: int, steps: int, parts: Mapping[str, Stateful]) -> None:
    """Write the state of all parts after a step, out of `steps`.

    The previous file stays until the new one is complete.

    Raises:
        SaveError: If the file can't be written; the previous one stays.
    """
    state = {name: part.state_dict() for name, part in parts.items()}
    try:
        with atomic_file(path) as temporary:
            torch.save({"step": step, "steps": steps, **state}, temporary)
    except RuntimeError as error:  # torch.save raises it when the disk is full
        raise SaveError(f"can't write {path}: is the disk full? ({_first_line(error)})") from error


def is_complete(path: Path) -> bool:
    """Whether a stage's checkpoint was written after its last step.

    Raises:
        CheckpointError: If the file is damaged.
    """
    if not path.exists():
        return False
    state = _read(path)
    return bool(state["step"] == state["steps"])


def load_checkpoint(path: Path, parts: Mapping[str, Stateful], steps: int | None = None) -> int:
    """Restore all parts; returns the step they were saved after.

    Args:
        path: The file.
        parts: What to restore, by name.
        steps: Steps of the stage as it is configured now, if it is to be resumed.

    Raises:
        CheckpointError: If the file is damaged or belongs to another configuration.
    """
    _check_sums(path)
    state = _read(path)
    if steps is not None and state["steps"] != steps:
        raise CheckpointError(
            f"{path} belongs to a stage of {state['steps']} steps, not {steps}: resume it with as "
            "many processes and images as it was started with, or restart the stage"
        )
    try:
        for name, part in parts.items():
            part.load_state_dict(state[name])
        return int(state["step"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise _unusable(path, error) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return {**state, "step": int(state["step"]), "steps": int(state["steps"])}
    except UNREADABLE as error:
        raise _unusable(path, error) from error


def _check_sums(path: Path) -> None:
    """Compare the file's parts with the checksums in it, which torch.load doesn't."""
    try:
        with ZipFile(path) as archive:
            damaged = archive.testzip()
    except (*UNREADABLE, BadZipFile, NotImplementedError) as error:
        raise _unusable(path, error) from error
    if damaged is not None:
        raise _unusable(path, ValueError(f"{damaged} in it is damaged"))


def _unusable(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path} can't be resumed from ({_first_line(error)}); remove it to start its stage again"
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
