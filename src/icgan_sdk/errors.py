"""Every error the package raises on bad input, each saying what was wrong and what to do.

IcGANError
├── AttributeValueError (ValueError)      an attribute's value is out of range or not a number
├── CheckpointError (RuntimeError)        a run folder can't be resumed as asked
├── ConfigError (ValueError)              a configuration is inconsistent; lists all problems
├── DatasetError (ValueError)             a data set's files are missing, damaged or inconsistent
├── DivergedError (ArithmeticError)       training was stopped: a loss is no longer finite
├── DownloadError (OSError)               weights or data can't be fetched, or pushed
├── ImageError (ValueError)               a file is missing, not an image, or damaged
├── ModelFormatError (ValueError)         an artefact folder is damaged or of another format
├── ModelNotFoundError (FileNotFoundError)   no model of that name or folder
├── NoFaceFoundError (ValueError)         a photo shows no face, or not the one asked for
├── ResourceError (RuntimeError)          this machine lacks memory, or a compiler
├── SaveError (OSError)                   a file could not be written; nothing half-written is left
├── ShapeError (ValueError)               an array or tensor has the wrong shape, type or range
└── UnknownAttributeError (KeyError)      the model has no attribute or group of that name

UserWarning
├── DataWarning      something in a data set is hardly meant so, but can be worked with
├── FontWarning      no font has the characters of a name that a picture should show
└── PhotoWarning     a photo is edited, but not as well as it could be
"""

import sys
import warnings
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

MAX_LISTED = 3


class IcGANError(Exception):
    """Base of every error this package raises on purpose."""

    def __str__(self) -> str:
        # KeyError would show the repr of its message, with quotes and escapes.
        return str(self.args[0]) if self.args else ""


class AttributeValueError(IcGANError, ValueError):
    """An attribute's value is out of range or not a number."""


class CheckpointError(IcGANError, RuntimeError):
    """A run folder can't be resumed as asked."""


class ConfigError(IcGANError, ValueError):
    """A configuration is inconsistent; the message lists all problems at once."""


class DatasetError(IcGANError, ValueError):
    """A data set's files are missing, damaged or inconsistent."""


class DivergedError(IcGANError, ArithmeticError):
    """A training stage was stopped because a loss or a weight is no longer finite."""


class DownloadError(IcGANError, OSError):
    """Weights or data can't be fetched from, or pushed to, the network."""


class ImageError(IcGANError, ValueError):
    """A picture's file is missing, not an image, or damaged."""


class ModelFormatError(IcGANError, ValueError):
    """An artefact folder is damaged, incomplete or of another format."""


class ModelNotFoundError(IcGANError, FileNotFoundError):
    """No model of that name, and no such folder."""


class NoFaceFoundError(IcGANError, ValueError):
    """A photo shows no face, or fewer than the number asked for."""


class SaveError(IcGANError, OSError):
    """A file could not be written; nothing half-written is left behind."""


class ResourceError(IcGANError, RuntimeError):
    """This machine lacks what a setting needs: memory, or a compiler."""


class ShapeError(IcGANError, ValueError):
    """An array or tensor has the wrong shape, type or range."""


class UnknownAttributeError(IcGANError, KeyError):
    """The model has no attribute or group of that name."""


class PhotoWarning(UserWarning):
    """A photo is edited, but not as well as it could be: no face was found in it, for instance."""


class DataWarning(UserWarning):
    """Something in a data set can't be what its maker wants, but can be worked with."""


class FontWarning(UserWarning):
    """No font has the characters of a name that a picture should show."""


def warn_of_photo(message: str) -> None:
    """Give a PhotoWarning that points at the line outside the package which led to it."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("icgan_sdk."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, PhotoWarning, stacklevel=level)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint for a misspelt name: the nearest known one, or else the whole list."""
    known = list(known)
    if near := closest(name, known):
        return f"did you mean {near!r}?"
    return f"known: {', '.join(known)}" if known else "there are none"


def closest(name: str, known: Iterable[str]) -> str:
    """The known name that a misspelt one most likely means; empty if none is near."""
    plain = {one.casefold(): one for one in known}
    return next((plain[near] for near in get_close_matches(name.casefold(), list(plain), n=1)), "")


def list_some(names: Iterable[str]) -> str:
    """The first names of a list, and how many more there are."""
    names = list(names)
    rest = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + rest


def raise_where_different(pairs: Mapping[str, tuple[object, object]], subject: str) -> None:
    """Raise ConfigError naming every pair whose two values differ."""
    raise_all(
        [
            f"{name} {ours} against {theirs}"
            for name, (ours, theirs) in pairs.items()
            if ours != theirs
        ],
        subject,
    )


def raise_all(problems: list[str], subject: str) -> None:
    """Raise one ConfigError that lists every problem found, if there is any."""
    if problems:
        raise ConfigError(f"{subject}: " + "; ".join(problems))
