"""Choosing the device that networks run on, and bringing tensors to it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from icgan_sdk.errors import ConfigError


def find_device(device: str | torch.device | None) -> torch.device:
    """The device of a name; "auto" or None is cuda if there is one, else mps, else cpu.

    Raises:
        ConfigError: If there is no such device here.
    """
    if device is None or device == "auto":
        kinds = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        return torch.device(next((kind for kind, there in kinds.items() if there), "cpu"))
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ConfigError(f"unknown device {device!r}: give auto, cpu, cuda or mps") from error
    available = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }
    if (found.index or 0) >= available.get(found.type, 0):
        raise ConfigError(f"there is no device {str(found)!r} here: give auto, cpu, cuda or mps")
    return found


def device_of(network: nn.Module) -> torch.device:
    """The device of a network's parameters."""
    return next(network.parameters()).device


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device; a GPU gets it without anybody waiting for the copy."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()  # only from there a copy runs beside the computation
    return tensor.to(device, non_blocking=True)


@contextmanager
def plain_torch() -> Iterator[None]:
    """Compute as usual, whatever autocast or default device the caller has set for own work."""
    with ExitStack() as stack:
        for kind in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield
