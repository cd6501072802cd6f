"""Attributes and groups as people write them: ``glasses``, ``"blond hair"``, ``hair=blond``."""

from collections.abc import Iterable

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.errors import UnknownAttributeError

STEM = 4
"""Letters that must agree at the beginning: "smile" means Smiling."""

OPPOSITES = {"female": "Male", "woman": "Male"}
"""Words for the absence of an attribute."""


def understand(name: str, value: str, known: AttributeSet) -> tuple[str, str]:
    """The attribute and value, or group and member, that a setting means.

    What has no meaning stays as it is, so that the model says what is wrong.

    Raises:
        UnknownAttributeError: If a word names several groups, and the value none of their members.
    """
    members = [(g, m) for g in _groups(name, known) if (m := closest(value, known.groups[g]))]
    if name not in known.names and len(members) == 1:
        return members[0]
    if (positive := OPPOSITES.get(_plain(name))) in known.names and value in ("0", "1"):
        return positive, "1" if value == "0" else "0"
    groups = [group for group in known.groups if name.casefold() in group.casefold().split("_")]
    if len(groups) > 1 and not closest(name, known.names):
        example = f"{name}={known.groups[groups[0]][0]}"
        raise UnknownAttributeError(
            f"{name!r} may mean {' or '.join(groups)}: say what it should be, as in {example}"
        )
    return closest(name, [*known.names, *known.groups]) or name, value


def closest(word: str, known: Iterable[str]) -> str | None:
    """The one name that a word means; None if there is none, or several."""
    names = list(known)
    if word in names:
        return word
    plain = _plain(word)
    same = [n for n in names if _plain(n) == plain]
    within = [n for n in names if plain and plain in _plain(n)]
    alike = [n for n in names if len(plain) >= STEM and _plain(n)[:STEM] == plain[:STEM]]
    for found in (same, within, alike):
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _groups(name: str, known: AttributeSet) -> list[str]:
    """The groups that a word may mean: ``hair`` is the colour or the texture."""
    return [group for group in known.groups if _plain(name) and _plain(name) in _plain(group)]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
