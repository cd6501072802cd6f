"""Checks of options that users pass, and of optional packages."""

import operator
from typing import SupportsIndex, cast

from icgan_sdk.errors import ConfigError


def check_whole(name: str, value: object, least: int) -> int:
    """Return `value` as an int.

    Raises:
        ConfigError: If it is no whole number of at least `least`. NumPy's integers are accepted,
            bools are not.
    """
    try:
        whole = operator.index(cast(SupportsIndex, value))
    except TypeError:
        whole = least - 1
    if isinstance(value, bool) or whole < least:
        raise ConfigError(f"{name} must be a whole number from {least}, not {value!r}")
    return whole


def import_problem(error: ImportError, package: str, need: str) -> ConfigError:
    """The error to raise where an optional package can't be imported.

    Args:
        error: What the import raised.
        package: The package's name.
        need: What to say where the package itself is missing.
    """
    if isinstance(error, ModuleNotFoundError) and error.name == package:
        return ConfigError(need)
    return ConfigError(f"{package} is installed, but can't be imported: {error}")
