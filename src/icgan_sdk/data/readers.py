"""Readers of data sets that plug-ins bring, for ``icgan data prepare with``."""

from pathlib import Path
from typing import Protocol

from icgan_sdk.data.writing import PrepareReport
from icgan_sdk.errors import ConfigError, did_you_mean
from icgan_sdk.extensions import load_plugins


class Reader(Protocol):
    """Prepares a data set of some kind."""

    def __call__(
        self, source: Path, out: Path, *, image_size: int, overwrite: bool
    ) -> PrepareReport:
        """Write the prepared data set, by `write_arrays` or `write_prepared`.

        Args:
            source: The original files.
            out: The folder of the prepared data set.
            image_size: Side of its pictures.
            overwrite: Whether an earlier prepared data set may be replaced.
        """
        ...


READERS: dict[str, Reader] = {}
"""The readers by name."""


def find_reader(name: str) -> Reader:
    """The reader of a name.

    Raises:
        ConfigError: If there is none.
    """
    load_plugins()
    if name not in READERS:
        known = f"; {did_you_mean(name, READERS)}" if READERS else ": no plug-in brings one"
        raise ConfigError(f"no reader of data sets {name!r}{known}")
    return READERS[name]
