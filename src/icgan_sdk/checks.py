"""Checks of options that users pass, and of optional packages."""

import importlib
import operator
from typing import SupportsIndex, cast

from icgan_sdk.errors import ConfigError

_OTHER_NUMPY = "it was made for another NumPy: install newer releases of it and of numpy"
CURES = {
    "DLL load failed": "on Windows install the Microsoft Visual C++ runtime, or reinstall it",
    "_ARRAY_API": _OTHER_NUMPY,
    "multiarray": _OTHER_NUMPY,
    "compiled using NumPy": _OTHER_NUMPY,
    "dtype size changed": _OTHER_NUMPY,
    "executable stack": "this system forbids it; install a newer release of it",
}
"""What helps, by words of the error that a broken package raises."""


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


def require(module: str, need: str, without: str = "", package: str = "") -> None:
    """Import a module, to be used after; whatever that raises becomes a ConfigError.

    A package that is installed may fail in any way as it is loaded: libraries that are missing or
    of another release raise errors of many kinds.

    Args:
        module: The module's name.
        need: What to say where its package is missing.
        without: What can be done where the package is broken, beside repairing it.
        package: The package, where it isn't the first part of the module's name.

    Raises:
        ConfigError: If it can't be imported.
    """
    package = package or module.partition(".")[0]
    try:
        importlib.import_module(package)
        importlib.import_module(module)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == package:
            raise ConfigError(need) from error
        raise ConfigError(broken(package, error, without)) from error


def broken(package: str, error: BaseException, without: str = "") -> str:
    """What to say of a package that is installed and can't be imported.

    Args:
        package: The package's name.
        error: What the import raised.
        without: What can be done without it.
    """
    reason = " ".join(str(error).split()) or type(error).__name__
    repair = next((cure for sign, cure in CURES.items() if sign in reason), "reinstall it")
    hint = f" (pip install --force-reinstall {package})" if repair == "reinstall it" else ""
    rest = f"; {without}" if without else ""
    return f"{package} is installed, but can't be loaded: {reason}: {repair}{hint}{rest}"
