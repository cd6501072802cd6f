"""Checks of the options users pass: whole numbers, devices, sources of randomness."""

import operator
from typing import SupportsIndex, cast

import torch

from icgan_sdk.errors import ConfigError


def check_whole(name: str, value: object, least: int) -> int:
    """Raise ConfigError unless `value` is a whole number from `least`; it as an int.

    NumPy's integers count, bools don't.
    """
    try:
        whole = operator.index(cast(SupportsIndex, value))
    except TypeError:
        whole = least - 1
    if isinstance(value, bool) or whole < least:
        raise ConfigError(f"{name} must be a whole number from {least}, not {value!r}")
    return whole


def find_device(device: str | torch.device | None) -> torch.device:
    """The device of a name; "auto" or None is cuda where there is one, then mps, then cpu.

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


def random_source(seed: int | None, generator: torch.Generator | None) -> torch.Generator:
    """The given generator, or one of its own on the CPU; the global one stays untouched.

    Raises:
        ConfigError: If both are given, or the seed is out of range.
    """
    if generator is not None:
        if not isinstance(generator, torch.Generator):
            raise ConfigError(f"generator must be a torch.Generator, not {generator!r}")
        if seed is not None:
            raise ConfigError("give a seed or a generator, not both")
        return generator
    source = torch.Generator()
    if seed is None:
        source.seed()
        return source
    seed = check_whole("seed", seed, 0)
    if seed >= 2**63:
        raise ConfigError(f"seed must be below 2**63, not {seed}")
    return source.manual_seed(seed)
