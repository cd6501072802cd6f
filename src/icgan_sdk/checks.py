"""Checks of the options users pass."""

import operator
from typing import SupportsIndex, cast

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
