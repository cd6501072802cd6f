"""Attributes and groups as people write them: ``glasses``, ``"blond hair"``, ``hair=blond``."""

import re
from collections.abc import Iterable

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.celeba import CELEBA
from icgan_sdk.errors import UnknownAttributeError

STEM = 4
"""Letters that must agree at the beginning: "smile" means Smiling."""

SPELLINGS = (("grey", "gray"), ("colour", "color"))
"""British and American."""

DENIED = re.compile(r"(?:no|not|without|un)[_\s-]+(.+)", re.IGNORECASE)
"""Words before what should be absent: ``no_glasses``."""

VALUES = {
    **dict.fromkeys(("yes", "on", "true", "y", "full", "present"), "1"),
    **dict.fromkeys(("no", "off", "false", "n", "absent"), "0"),
    "half": "0.5",
}
"""Shares in words."""

NO_MEMBER = "none"
"""What ``hair_color=`` takes for none of the group."""


def understand(name: str, value: str, known: AttributeSet) -> tuple[str, str]:
    """The attribute and value, or group and member, that a setting means.

    What has no meaning stays as it is, so that the model says what is wrong.

    Raises:
        UnknownAttributeError: If a word names several groups, and the value none of their members;
            or an absence, and the value no share of it.
    """
    if name in known.groups:
        return name, meant_by(value, known.groups[name]) or value
    value = number(value)
    if name in known.names:
        return name, value
    meant, there = CELEBA.words.get(_plain(name), ("", True))
    if meant in known.names:
        return meant, value if there else _opposite(name, value, meant)
    groups = [g for g in known.groups if _plain(name) and _plain(name) in _words(g)]
    groups = groups or [g for g in known.groups if _plain(name) == _plain(g)]
    members = [(g, m) for g in groups if (m := meant_by(value, known.groups[g]))]
    if len(members) == 1:
        return members[0]
    if len(groups) > 1 and not meant_by(name, known.names):
        raise _several(name, value, groups, known)
    found = meant_by(name, [*known.names, *known.groups])
    if found is None and (denied := DENIED.fullmatch(name)):
        positive, share = understand(denied[1], value, known)
        if positive in known.names:
            return positive, _opposite(name, share, positive)
    if found is None and meant:
        has = ", ".join(known.names)
        raise UnknownAttributeError(f"this model knows nothing of {name!r}; it has {has}")
    return found or name, value


def number(value: str) -> str:
    """A value that means a share in words, per cent or with a comma, as a number; others stay."""
    plain = value.strip().casefold()
    if plain in VALUES:
        return VALUES[plain]
    share = plain.replace(",", ".")
    try:
        if share.endswith("%"):
            return f"{float(share[:-1]) / 100:g}"
        float(share)
    except ValueError:
        return value
    return share


def meant_by(word: str, known: Iterable[str]) -> str | None:
    """The one name that a word means; None if there is none, or several."""
    names = list(known)
    if word in names:
        return word
    plain = _plain(word)
    same = [n for n in names if _plain(n) == plain]
    # Part of "No_Beard" would be the opposite.
    within = [n for n in names if "no" not in _words(n) and _is_part(word, n)]
    alike = [n for n in names if len(plain) >= STEM and _plain(n)[:STEM] == plain[:STEM]]
    for found in (same, within, alike):
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _is_part(word: str, name: str) -> bool:
    """Whether a word is one of a name's words, or a good part of it."""
    plain = _plain(word)
    return plain in _words(name) or (len(plain) >= STEM and plain in _plain(name))


def _opposite(name: str, value: str, positive: str) -> str:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UnknownAttributeError(f"{name}={value}: say {positive}=0, or how much of it")
    return f"{1 - share:g}"


def _several(
    name: str, value: str, groups: list[str], known: AttributeSet
) -> UnknownAttributeError:
    members = ", ".join(member for group in groups for member in known.groups[group])
    return UnknownAttributeError(
        f"{name}={value} is no {' or '.join(groups)}: say {name}= and one of {members}; or "
        f"{groups[0]}={NO_MEMBER}"
    )


def _words(name: str) -> list[str]:
    return [_plain(word) for word in name.replace("-", "_").replace(" ", "_").split("_")]


def _plain(name: str) -> str:
    plain = "".join(letter for letter in name.casefold() if letter.isalnum())
    for other, ours in SPELLINGS:
        plain = plain.replace(other, ours)
    return plain
