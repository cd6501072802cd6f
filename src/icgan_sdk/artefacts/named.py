"""Models named in pickles: where they were loaded from, and that they are still the same."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from icgan_sdk.artefacts.layout import ARTEFACT_FILES, weights_digest
from icgan_sdk.artefacts.resolving import bundled_names, resolve
from icgan_sdk.errors import ModelFormatError, ModelNotFoundError


class NamedModel(NamedTuple):
    """A model's folder in words that another process understands.

    Attributes:
        name: A bundled name, which lies elsewhere on another machine, or the folder's path.
        digest: Of its weights.
    """

    name: str
    digest: str

    def find(self) -> Path:
        """The folder.

        Raises:
            ModelNotFoundError: If it isn't there.
            ModelFormatError: If it holds other weights by now, or none.
        """
        bundled = self.name in bundled_names()
        folder = resolve(self.name if bundled else Path(self.name))
        if not folder.is_dir():
            raise ModelNotFoundError(f"{folder} is gone, whose model a pickle names")
        if digest_of(folder) != self.digest:
            raise ModelFormatError(
                f"{folder} holds other weights than when this was pickled: invert the picture again"
            )
        return folder


def name_model(folder: Path) -> NamedModel:
    """Name the model in a folder."""
    bundled = (name for name in bundled_names() if resolve(name) == folder)
    return NamedModel(next(bundled, str(folder.absolute())), digest_of(folder))


def digest_of(folder: Path) -> str:
    """As `weights_digest`, computed anew only if a file has changed."""
    files = [folder / name for name in ARTEFACT_FILES if (folder / name).is_file()]
    stats = tuple((f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in files)
    return _digest(folder.absolute(), stats)


@lru_cache(maxsize=16)
def _digest(folder: Path, stats: tuple[tuple[str, int, int], ...]) -> str:
    return weights_digest(folder)
