"""JSON files that record the version of their format."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icgan_sdk.errors import IcGANError


@dataclass(frozen=True)
class JsonFormat:
    """A format of JSON files: one object whose first key is the format's version.

    Attributes:
        version: The newest version, which is written. Older ones are read, newer ones refused.
        error: What is raised for files that can't be read.
        remedy: How to make a damaged file anew, like "prepare the data again"; "": unknown.
        key: The key of the version.
    """

    version: int
    error: type[IcGANError]
    remedy: str = ""
    key: str = "format_version"

    def to_json(self, plain: Mapping[str, Any]) -> str:
        """The text of a file with the version and these values."""
        return json.dumps({self.key: self.version, **plain}, indent=2) + "\n"

    def read(self, path: Path, required: Iterable[str] = ()) -> dict[str, Any]:
        """Read a file.

        Args:
            path: The file.
            required: Keys that it must have.

        Returns:
            Its values without the version.

        Raises:
            IcGANError: `error`, if the file can't be read, holds no JSON object, lacks a key or
                is of a newer version.
        """
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise self.error(f"{path} can't be read: {error}") from error
        except (ValueError, RecursionError) as error:
            raise self.damaged(path, f"it is not valid JSON ({error})") from error
        if not isinstance(plain, dict):
            raise self.damaged(path, f"it must hold a JSON object, not {type(plain).__name__}")
        self._check_version(path, plain.pop(self.key, None))
        if missing := [name for name in required if name not in plain]:
            raise self.damaged(path, f"{', '.join(missing)} missing")
        return plain

    def damaged(self, path: Path, reason: object) -> IcGANError:
        """The error that tells of a damaged file; for what `read` can't check."""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return self.error(f"{path} is damaged: {reason}{remedy}")

    def _check_version(self, path: Path, version: object) -> None:
        if type(version) is not int or version < 1:
            raise self.damaged(path, f"{self.key} must be a whole number, not {version!r}")
        if version > self.version:
            remedy = f", or {self.remedy}" if self.remedy else ""
            raise self.error(
                f"{path} has format version {version}, this icgan-sdk reads up to {self.version}; "
                f"upgrade it: pip install -U icgan-sdk{remedy}"
            )
