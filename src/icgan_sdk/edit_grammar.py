"""The grammar of edits: what users may ask for, and which presences of attributes it means.

Presence runs from 0 (absent) to 1 (present), and up to 2 (exaggerated).
"""

from collections.abc import Collection, Mapping
from numbers import Real

from icgan_sdk.attributes import MAX_PRESENCE, AttributeSet
from icgan_sdk.errors import AttributeValueError, UnknownAttributeError, closest, did_you_mean


def resolve_edit(
    known: AttributeSet,
    attributes: Mapping[str, object] | None,
    named: Mapping[str, object],
    options: Collection[str] = (),
) -> dict[str, float]:
    """Presences by attribute name of an edit's two parts, see `merge_edits`.

    Args:
        known: The model's.
        attributes: Changes by name.
        named: Changes that came as keywords, and so may be mistyped options.
        options: The keywords that stand beside them.

    Raises:
        UnknownAttributeError: If there is no such attribute, group or member.
        AttributeValueError: If a value is not a number from 0 to 2, or the parts don't go together.
    """
    names = (*known.names, *known.groups)
    for name in named:
        if name not in names and (near := closest(name, (*options, *names))) in options:
            raise UnknownAttributeError(
                f"there is no option and no attribute {name!r}; did you mean the option {near}?"
            )
    return resolve(known, merge_edits(attributes, named))


def merge_edits(
    attributes: Mapping[str, object] | None, named: Mapping[str, object]
) -> dict[str, object]:
    """Join an edit's two parts, a mapping and keywords.

    Raises:
        AttributeValueError: If the first is no mapping, or a name is in both.
    """
    given = {} if attributes is None else attributes
    if not isinstance(given, Mapping):
        raise AttributeValueError(f"attributes must be a mapping by name, not {given!r}")
    if twice := sorted(given.keys() & named.keys()):
        raise AttributeValueError(f"named twice: {', '.join(twice)}")
    return {**given, **named}


def resolve(known: AttributeSet, edits: Mapping[str, object]) -> dict[str, float]:
    """Turn an edit's names and values into presences by attribute name.

    A key is either an attribute, whose value is a number from 0 to 2 (or a bool), or a group,
    whose value names the member that becomes present (``hair_color="Blond_Hair"``,
    ``digit=7``), or is None, and all its members become absent.

    Args:
        known: The model's attributes.
        edits: What is asked for.

    Raises:
        UnknownAttributeError: If there is no such attribute, group or member.
        AttributeValueError: If a value is not a number from 0 to 2, or several members of a
            group should be present.
    """
    presences: dict[str, float] = {}
    for key, value in edits.items():
        if key in known.groups and value is None:
            asked = dict.fromkeys(known.groups[key], 0.0)
        else:
            asked = dict([_resolve_one(known, key, value)])
        for name, presence in asked.items():
            if presences.get(name, presence) != presence:
                raise AttributeValueError(f"{name!r} is asked for with two values")
            presences[name] = presence
    for group, members in known.groups.items():
        asked_for = [name for name in members if presences.get(name, 0.0) >= 1.0]
        if len(asked_for) > 1:
            names = " and ".join(asked_for)
            raise AttributeValueError(
                f"{names} exclude each other ({group}): ask for one, or for fractions"
            )
    return presences


def _resolve_one(known: AttributeSet, key: str, value: object) -> tuple[str, float]:
    if key in known.groups:
        member = str(value)
        if member not in known.groups[key]:
            hint = did_you_mean(member, known.groups[key])
            raise UnknownAttributeError(f"group {key!r} has no member {member!r}; {hint}")
        return member, 1.0
    if key not in known.names:
        hint = did_you_mean(str(key), (*known.names, *known.groups))
        raise UnknownAttributeError(f"unknown attribute {key!r}; {hint}")
    if isinstance(value, str):
        raise AttributeValueError(f"{key}={value!r} is no number: give 0 (absent) to 1 (present)")
    if not isinstance(value, Real) or not 0 <= float(value) <= MAX_PRESENCE:
        raise AttributeValueError(
            f"{key}={value!r} is out of range: give a number from 0 (absent) over 1 (present) "
            f"to {MAX_PRESENCE:g} (exaggerated)"
        )
    return key, float(value)
