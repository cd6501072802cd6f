"""Networks in safetensors files: written whole, read strictly.

Names, shapes and types of the tensors are checked before memory is allocated for them. Nothing is
ever pickled.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from icgan_sdk.artefacts.layout import CONFIG_FILE, STATISTICS, unreadable
from icgan_sdk.errors import ModelFormatError, SaveError, list_some
from icgan_sdk.files import atomic_file

STORED_DTYPES = frozenset({"F16", "F32"})


def stored_state(network: nn.Module) -> dict[str, Tensor]:
    """The part of a network's state that files hold."""
    counters = _counters(network)
    return {name: t for name, t in network.state_dict().items() if name not in counters}


def load_state(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give a network, which may be on the meta device, the whole of its `stored_state`."""
    counters = {name: torch.zeros((), dtype=torch.long) for name in _counters(network)}
    network.load_state_dict({**state, **counters}, strict=True, assign=True)


def _counters(network: nn.Module) -> set[str]:
    # How many batches batch norm has seen. None of our networks uses it, so it isn't stored.
    return {name for name in network.state_dict() if name.endswith(".num_batches_tracked")}


def write_tensors(
    path: Path,
    state: Mapping[str, Tensor],
    dtype: torch.dtype,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a file, as a whole or not at all.

    Args:
        path: The file.
        state: Its tensors by name.
        dtype: float16 halves the file. Batch norm's running statistics stay float32, because they
            may exceed the range of float16.
        metadata: Goes into the file's header.

    Raises:
        SaveError: If the file can't be written, or a number is not finite.
    """
    stored = {name: _to_stored(name, tensor, dtype) for name, tensor in state.items()}
    with atomic_file(path) as temporary:
        temporary.write_bytes(save(stored, None if metadata is None else dict(metadata)))


def read_tensors(path: Path, expected: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], set[str]]:
    """Read a file whose tensors must have the names and shapes of others.

    Returns:
        The tensors, float32, on the CPU; and the types that the file's parameters have, "F16" or
        "F32".

    Raises:
        ModelFormatError: If the file can't be read, or tensors are missing, unknown, misshapen, of
            another type or not finite.
    """
    try:
        with safe_open(path, framework="pt") as file:
            _check_names(path, set(file.keys()), set(expected))
            types = {}
            for name, tensor in expected.items():
                header = file.get_slice(name)
                types[name] = header.get_dtype()
                _check_header(path, name, header.get_shape(), types[name], tensor)
            # Copies, because safetensors' own tensors change with the file they are mapped from.
            state = {n: file.get_tensor(n).to(torch.float32, copy=True) for n in expected}
    except (SafetensorError, OSError) as error:
        raise unreadable(path, error) from error
    for name, tensor in state.items():
        if not _is_finite(tensor):
            raise ModelFormatError(f"{path}: tensor {name!r} has values that are not finite")
    return state, {kind for name, kind in types.items() if not _is_statistic(name)}


def _to_stored(name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    kept = torch.float32 if _is_statistic(name) else dtype
    stored = tensor.detach().to("cpu", kept).contiguous()
    if not bool(stored.isfinite().all()):
        raise SaveError(f"weights {name!r} are not finite as {stored.dtype}: nothing was saved")
    return stored


def _is_statistic(name: str) -> bool:
    return name.endswith(STATISTICS)


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
