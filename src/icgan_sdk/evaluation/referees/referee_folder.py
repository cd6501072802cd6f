"""A referee's folder: saved whole, loaded strictly.

It holds ``config.json`` (what the referee reads, and how it was trained) and
``model.safetensors``. Nothing is ever pickled.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.errors import IcGANError, ModelFormatError, ModelNotFoundError
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.files import atomic_file, atomic_folder, check_replaceable, write_text
from icgan_sdk.model.devices import find_device
from icgan_sdk.versioned import JsonFormat

CONFIG_FORMAT = JsonFormat(version=1, error=ModelFormatError, remedy="train the referee again")
"""The format of config.json. Its version counts for the whole folder."""
REQUIRED = ("architecture", "image_size", "channels", "attributes", "groups", "one_hot")

CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"


def check_referee_replaceable(folder: str | os.PathLike[str]) -> None:
    """Raise SaveError if a folder holds files that saving a referee there would remove."""
    files = (CONFIG_FILE, WEIGHTS_FILE)
    check_replaceable(folder, files, marker=CONFIG_FILE, deed="saving a referee")


def save_referee(
    referee: Referee, folder: str | os.PathLike[str], record: Mapping[str, Any]
) -> None:
    """Write a referee's folder. If that fails, nothing is left of it.

    Args:
        referee: On any device.
        folder: New or empty, or a referee's, which is replaced.
        record: How the referee was trained, in JSON's types. `read_record` returns it.

    Raises:
        SaveError: If the folder holds other files or can't be written.
    """
    check_referee_replaceable(folder)
    plain = {
        "architecture": referee.architecture,
        "image_size": referee.image_size,
        "channels": referee.channels,
        **referee.attributes.to_dict(),
        "record": dict(record),
    }
    weights = {n: t.detach().cpu().contiguous() for n, t in referee.state_dict().items()}
    with atomic_folder(folder) as temporary:
        write_text(temporary / CONFIG_FILE, CONFIG_FORMAT.to_json(plain))
        with atomic_file(temporary / WEIGHTS_FILE) as path:
            path.write_bytes(save(weights))


def load_referee(folder: str | os.PathLike[str], device: str | torch.device = "cpu") -> Referee:
    """Read a referee's folder.

    Returns:
        The referee on the device, in eval mode, its parameters without gradients.

    Raises:
        ConfigError: If there is no such device.
        ModelNotFoundError: If the folder holds no referee.
        ModelFormatError: If a file is damaged, of a newer format, or they don't fit together.
    """
    folder = Path(folder)
    plain = _read_config(folder)
    try:
        attributes = AttributeSet.from_dict(plain)
        with torch.device("meta"):
            referee = Referee(
                plain["architecture"], attributes, plain["image_size"], plain["channels"]
            )
    except (IcGANError, TypeError, ValueError, AttributeError) as error:
        raise CONFIG_FORMAT.damaged(folder / CONFIG_FILE, repr(error)) from error
    _load_weights(referee, folder / WEIGHTS_FILE)
    # In this layout a CPU convolves twice as fast.
    referee = referee.to(find_device(device)).to(memory_format=torch.channels_last)
    return referee.requires_grad_(False).eval()


def read_record(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """How a saved referee was trained: the record that `save_referee` wrote.

    Raises:
        ModelNotFoundError: If the folder holds no referee.
        ModelFormatError: If its config is damaged or of a newer format.
    """
    path = Path(folder) / CONFIG_FILE
    record = _read_config(Path(folder)).get("record")
    if not isinstance(record, dict):
        raise CONFIG_FORMAT.damaged(path, "there is no record of the training")
    return record


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise ModelNotFoundError(
            f"{folder} holds no referee (no {CONFIG_FILE}): train one with `icgan referee`"
        )
    return CONFIG_FORMAT.read(path, REQUIRED)


def _load_weights(referee: Referee, path: Path) -> None:
    """Load weights into a referee on the meta device; refuse any that don't fit exactly."""
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelFormatError(f"{path} can't be read, it may be damaged: {error}") from error
    wrong = [
        name
        for name, tensor in referee.state_dict().items()
        if name in state
        and (state[name].dtype != tensor.dtype or not bool(state[name].isfinite().all()))
    ]
    if wrong:
        raise ModelFormatError(f"{path}: {wrong[0]!r} is of another type, or not finite")
    try:
        # Copied: the tensors of safetensors are mapped from the file and would change with it.
        referee.to_empty(device="cpu").load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ModelFormatError(f"{path} doesn't fit {CONFIG_FILE}: {error}") from error
