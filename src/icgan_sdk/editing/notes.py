"""What is worth saying of an edit: it asks for what is there already, or won't look real."""

from collections.abc import Mapping

from icgan_sdk.artefacts.quality import Quality
from icgan_sdk.errors import warn_of_photo

ALREADY_READ = "the model reads this already"
"""How the warning of an edit that changes nothing begins."""

ALREADY = 0.1
"""How near to what is asked for a score has to be for a picture to show it already."""


def already_there(scores: Mapping[str, float], presences: Mapping[str, float]) -> tuple[str, ...]:
    """What an edit asks for of a picture with such scores that shows it already."""
    return tuple(name for name, asked in presences.items() if abs(scores[name] - asked) < ALREADY)


def not_real_yet(quality: Quality | None, presences: Mapping[str, float]) -> tuple[str, ...]:
    """What an edit asks for that is known not to look real."""
    if quality is None:
        return ()
    return tuple(name for name, asked in presences.items() if quality.falls_short(name, asked))


def warn_of_quality(quality: Quality | None, presences: Mapping[str, float]) -> None:
    """Warn of what is known not to look real yet, where that was measured."""
    if short := not_real_yet(quality, presences):
        changes = ", ".join(f"{name}={presences[name]:g}" for name in short)
        warn_of_photo(f"this model can't make it look real yet: {changes} (see model.quality)")


def warn_unchanged(scores: Mapping[str, float], presences: Mapping[str, float]) -> None:
    """Warn if a picture with such scores is what an edit asks for already, in everything."""
    same = already_there(scores, presences)
    if same and len(same) == len(presences):
        read = ", ".join(f"{name} ({scores[name]:.2f})" for name in same)
        warn_of_photo(f"{ALREADY_READ}: {read}; hardly anything changes")
