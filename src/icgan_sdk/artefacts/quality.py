"""How real each edit of a model looks, in its folder; see `Quality`. Without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from icgan_sdk.artefacts.layout import QUALITY_FILE
from icgan_sdk.errors import ModelFormatError
from icgan_sdk.files import write_text
from icgan_sdk.frozen import FrozenDict
from icgan_sdk.versioned import JsonFormat

FORMAT = JsonFormat(version=1, error=ModelFormatError, remedy="measure it again: icgan evaluate")
ADDING, TAKING_AWAY = "adding", "taking_away"

BAR = 0.3
"""Edits that go less of the way than this don't look real to people."""


@dataclass(frozen=True)
class Quality:
    """How real a model's edits of photos look, measured for each attribute.

    A value is the part of the way that an edit goes from photos to real ones that show what was
    asked for (`icgan evaluate`): 1 is like real ones, 0 no nearer than the photo as it was.
    Attributes that weren't measured have none.

    Attributes:
        adding: By attribute, when it is put on.
        taking_away: By attribute, when it is taken off.
    """

    adding: Mapping[str, float]
    taking_away: Mapping[str, float]

    def __post_init__(self) -> None:
        for name in (ADDING, TAKING_AWAY):
            object.__setattr__(self, name, FrozenDict(getattr(self, name)))

    def of(self, name: str, presence: float) -> float | None:
        """The value of the edit that asks for this presence of an attribute, if it is known."""
        return (self.adding if presence >= 0.5 else self.taking_away).get(name)

    def falls_short(self, name: str, presence: float) -> bool:
        """Whether such an edit is known not to look real, by `BAR`."""
        value = self.of(name, presence)
        return value is not None and value < BAR


def write_quality(folder: Path, quality: Quality) -> None:
    """Write the file into a model's folder.

    Raises:
        SaveError: If it can't be written.
    """
    plain = {ADDING: _rounded(quality.adding), TAKING_AWAY: _rounded(quality.taking_away)}
    write_text(folder / QUALITY_FILE, FORMAT.to_json(plain))


def read_quality(folder: Path) -> Quality | None:
    """What a model's folder says of its edits; None: nothing.

    Raises:
        ModelFormatError: If the file is damaged or of a newer format.
    """
    path = folder / QUALITY_FILE
    if not path.is_file():
        return None
    plain = FORMAT.read(path, (ADDING, TAKING_AWAY))
    for name in (ADDING, TAKING_AWAY):
        values = plain[name]
        numbers = isinstance(values, dict) and all(
            type(v) in (int, float) and 0 <= v <= 1 for v in values.values()
        )
        if not numbers:
            raise FORMAT.damaged(path, f"{name} must hold numbers from 0 to 1")
    return Quality(plain[ADDING], plain[TAKING_AWAY])


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(min(max(value, 0.0), 1.0), 2) for name, value in values.items()}
