"""Saving networks as an artefact folder, and loading them.

Loading is strict: names, shapes and types of the tensors are checked against the config before
memory is allocated for them. Nothing is ever pickled.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from icgan_sdk.artefacts.export_folder import copy_graphs
from icgan_sdk.artefacts.layout import (
    ARTEFACT_FILES,
    CARD_FILE,
    CONFIG_FILE,
    STATISTICS,
    WEIGHTS_FILE,
    config_to_json,
    read_config,
    unreadable,
)
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, ModelFormatError, SaveError, list_some
from icgan_sdk.files import atomic_file, atomic_folder, check_replaceable, write_text
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.devices import plain_torch

STORED_DTYPES = frozenset({"F16", "F32"})


def save_artefact(
    networks: IcGANNetworks,
    folder: str | os.PathLike[str],
    *,
    card: str,
    dtype: torch.dtype = torch.float32,
    graphs_of: Path | None = None,
) -> None:
    """Write an artefact folder, as a whole or not at all.

    Args:
        networks: Generator and encoders, and the discriminator if they have it.
        folder: New or empty, or an artefact folder, which is replaced.
        card: Markdown of the model card.
        dtype: float16 halves the file. Batch norm's running statistics stay float32, because they
            may exceed the range of float16.
        graphs_of: The folder the model was loaded from, whose graphs come along if the weights are
            still the same.

    Raises:
        SaveError: If the folder holds other files, can't be written, or a weight is not finite.
    """
    folder = Path(folder)
    _check_replaceable(folder)
    weights = {name: _to_stored(name, t, dtype) for name, t in _stored_state(networks).items()}
    with atomic_folder(folder) as temporary:
        write_text(temporary / CONFIG_FILE, config_to_json(networks.config))
        write_text(temporary / CARD_FILE, card)
        with atomic_file(temporary / WEIGHTS_FILE) as path:
            path.write_bytes(save(weights))
        if graphs_of is not None:
            copy_graphs(graphs_of, temporary)


def load_artefact(folder: str | os.PathLike[str]) -> IcGANNetworks:
    """The networks of an artefact folder, see `open_artefact`."""
    networks, _ = open_artefact(folder)
    return networks


def open_artefact(folder: str | os.PathLike[str]) -> tuple[IcGANNetworks, torch.dtype]:
    """Read an artefact folder.

    Returns:
        The networks on the CPU, in eval mode, float32 whatever the file's precision; with a
        discriminator if the folder holds one. And that precision: float16 if all weights have it,
        else float32 (batch norm's running statistics, which are always float32, don't count).

    Raises:
        ModelNotFoundError: If there is no such folder.
        ModelFormatError: If a file is missing or damaged, tensors are missing, unknown,
            misshapen, of another type or not finite, or the config is wrong or newer.
    """
    folder = Path(folder)
    config, path = read_config(folder), folder / WEIGHTS_FILE
    # Parameters that are inference tensors would forbid refining z later.
    with torch.inference_mode(False), plain_torch():
        try:
            with safe_open(path, framework="pt") as file:
                found = set(file.keys())
                discriminator = any(name.startswith("discriminator.") for name in found)
                networks = _without_memory(config, folder / CONFIG_FILE, discriminator)
                state, dtype = _read_weights(file, path, found, _stored_state(networks))
        except (SafetensorError, OSError) as error:
            raise unreadable(path, error) from error
        counters = {name: torch.zeros((), dtype=torch.long) for name in _counters(networks)}
        networks.load_state_dict(state | counters, strict=True, assign=True)
    return networks.eval(), dtype


def copy_artefact(source: str | os.PathLike[str], folder: str | os.PathLike[str]) -> None:
    """Copy an artefact folder's files byte for byte, as a whole or not at all.

    Raises:
        SaveError: If the folder holds other files or can't be written.
        ModelNotFoundError: If there is no such source.
        ModelFormatError: If the source is damaged; nothing is then written.
    """
    source, folder = Path(source), Path(folder)
    load_artefact(source)
    _check_replaceable(folder)
    with atomic_folder(folder) as temporary:
        for name in ARTEFACT_FILES:
            if (source / name).is_file():
                shutil.copyfile(source / name, temporary / name)


def _stored_state(networks: IcGANNetworks) -> dict[str, Tensor]:
    counters = _counters(networks)
    return {name: t for name, t in networks.state_dict().items() if name not in counters}


def _counters(networks: IcGANNetworks) -> set[str]:
    # How many batches batch norm has seen. None of our networks uses it, so it isn't stored.
    return {name for name in networks.state_dict() if name.endswith(".num_batches_tracked")}


def _to_stored(name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    kept = torch.float32 if _is_statistic(name) else dtype
    stored = tensor.detach().to("cpu", kept).contiguous()
    if not bool(stored.isfinite().all()):
        raise SaveError(f"weights {name!r} are not finite as {stored.dtype}: nothing was saved")
    return stored


def _is_statistic(name: str) -> bool:
    return name.endswith(STATISTICS)


def _check_replaceable(folder: Path) -> None:
    check_replaceable(folder, ARTEFACT_FILES, marker=CONFIG_FILE, deed="saving a model")


def _without_memory(config: ModelConfig, path: Path, discriminator: bool) -> IcGANNetworks:
    try:
        with torch.device("meta"):
            return IcGANNetworks(config, discriminator=discriminator)
    except ConfigError as error:
        raise ModelFormatError(f"{path}: {error}; a newer icgan-sdk may know it") from error
    except (RuntimeError, TypeError, OverflowError) as error:
        raise ModelFormatError(f"{path}: the networks' sizes are out of range") from error


def _read_weights(
    file: safe_open, path: Path, found: set[str], expected: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], torch.dtype]:
    _check_names(path, found, set(expected))
    types, state = set(), {}
    for name, tensor in expected.items():
        header = file.get_slice(name)
        _check_header(path, name, header.get_shape(), header.get_dtype(), tensor)
        if not _is_statistic(name):
            types.add(header.get_dtype())
    for name in expected:
        # A copy, because safetensors' own tensors change with the file they are mapped from.
        state[name] = file.get_tensor(name).to(torch.float32, copy=True)
        if not _is_finite(state[name]):
            raise ModelFormatError(f"{path}: tensor {name!r} has values that are not finite")
    return state, torch.float16 if types == {"F16"} else torch.float32


def _is_finite(tensor: Tensor) -> bool:
    # A sum is much faster. It may overflow, but shows every value that is not finite.
    return bool(tensor.sum().isfinite()) or bool(tensor.isfinite().all())


def _check_names(path: Path, found: set[str], expected: set[str]) -> None:
    problems = []
    if missing := sorted(expected - found):
        problems.append(f"missing tensors: {list_some(missing)}")
    if extra := sorted(found - expected):
        problems.append(f"unknown tensors: {list_some(extra)}")
    if problems:
        raise ModelFormatError(f"{path} doesn't fit {CONFIG_FILE}: {'; '.join(problems)}")


def _check_header(path: Path, name: str, shape: list[int], dtype: str, expected: Tensor) -> None:
    if list(shape) != list(expected.shape):
        raise ModelFormatError(
            f"{path} doesn't fit {CONFIG_FILE}: tensor {name!r} has shape {list(shape)}, "
            f"expected {list(expected.shape)}"
        )
    if dtype not in STORED_DTYPES:
        raise ModelFormatError(f"{path}: tensor {name!r} is {dtype}, expected F16 or F32")
