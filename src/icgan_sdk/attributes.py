"""Attribute names, their exclusive groups, and how an edit changes the attribute vector y.

Presence runs from 0 (absent) to 1 (present). The networks see y = 2·presence − 1, so that labels
are −1 and 1 as in the paper.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import category

from icgan_sdk.celeba import CELEBA_ATTRIBUTES, CELEBA_GROUPS, PAPER_ATTRIBUTES
from icgan_sdk.errors import (
    ConfigError,
    UnknownAttributeError,
    did_you_mean,
    raise_all,
)
from icgan_sdk.frozen import FrozenDict

MAX_PRESENCE = 2.0
"""Largest presence that an edit may ask for. 1 is present; more exaggerates."""

UNSTORABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of control characters, line ends, and what no encoding can hold."""


@dataclass(frozen=True)
class AttributeSet:
    """The attributes of a model or data set, in the order of the vector y.

    Attributes:
        names: Distinct names.
        groups: Exclusive groups: group name to its members, each an attribute in one group only.
        one_hot: Whether exactly one attribute is present in every label vector (class labels).

    Raises:
        ConfigError: If names repeat, or a group names an unknown or already grouped attribute.
    """

    names: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    one_hot: bool = False

    def __post_init__(self) -> None:
        problems = []
        if not all(isinstance(n, str) and n for n in self.names):
            problems.append("attribute names must be non-empty strings")
        elif len(set(self.names)) != len(self.names):
            repeated = sorted({n for n in self.names if self.names.count(n) > 1})
            problems.append(f"attribute names repeat: {', '.join(repeated)}")
        members = [m for group in self.groups.values() for m in group]
        problems += [
            f"group member {m!r} is not an attribute" for m in members if m not in self.names
        ]
        problems += [
            f"{m!r} is in several groups" for m in sorted(set(members)) if members.count(m) > 1
        ]
        problems += [
            f"{g!r} names a group and an attribute" for g in self.groups if g in self.names
        ]
        if self.one_hot and tuple(self.names) not in self.groups.values():
            problems.append("one-hot attributes must form one group of them all, in order")
        raise_all(problems, "attributes")
        object.__setattr__(self, "names", tuple(self.names))
        groups = FrozenDict({g: tuple(m) for g, m in self.groups.items()})
        object.__setattr__(self, "groups", groups)

    def __len__(self) -> int:
        return len(self.names)

    def __hash__(self) -> int:
        return hash((self.names, tuple(self.groups.items()), self.one_hot))

    @classmethod
    def celeba(cls, names: Sequence[str] = PAPER_ATTRIBUTES) -> "AttributeSet":
        """A selection of CelebA's attributes, with the members it has of the paper's groups."""
        for name in names:
            if name not in CELEBA_ATTRIBUTES:
                raise UnknownAttributeError(
                    f"CelebA has no attribute {name!r}; {did_you_mean(name, CELEBA_ATTRIBUTES)}"
                )
        cut = {g: tuple(m for m in members if m in names) for g, members in CELEBA_GROUPS.items()}
        return cls(tuple(names), {g: m for g, m in cut.items() if len(m) > 1})

    @classmethod
    def classes(cls, group: str, names: Sequence[str]) -> "AttributeSet":
        """One-hot class labels: all names form one exclusive group."""
        return cls(tuple(names), {group: tuple(names)}, one_hot=True)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "AttributeSet":
        """The inverse of `to_dict`; keys left out are empty or false.

        Raises:
            ConfigError: If a value has the wrong type, or the values don't fit together.
        """
        try:
            names = tuple(plain.get("attributes", ()))
            groups = {g: tuple(members) for g, members in plain.get("groups", {}).items()}
            return cls(names, groups, bool(plain.get("one_hot", False)))
        except (TypeError, AttributeError) as error:
            raise ConfigError(f"attributes: a value has the wrong type ({error})") from error

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON or TOML types under the keys attributes, groups and one_hot."""
        return {
            "attributes": list(self.names),
            "groups": {g: list(m) for g, m in self.groups.items()},
            "one_hot": self.one_hot,
        }

    def check_storable(self) -> None:
        """Raise ConfigError if a name can't be written to files, or not within one line."""
        raise_all(
            [
                f"the name {name!r} has characters that can't be stored: rename it"
                for name in (*self.names, *self.groups)
                if any(category(character) in UNSTORABLE for character in name)
            ],
            "attributes",
        )

    def group_of(self, name: str) -> tuple[str, ...]:
        """The members of the exclusive group `name` belongs to, itself included; () if none."""
        return next((m for m in self.groups.values() if name in m), ())

    def resolve(self, edits: Mapping[str, object]) -> dict[str, float]:
        """Presences by attribute name, see `icgan_sdk.edit_grammar.resolve`."""
        from icgan_sdk.edit_grammar import resolve

        return resolve(self, edits)

    def apply(self, y: Sequence[float], presences: Mapping[str, float]) -> list[float]:
        """The attribute vector after an edit.

        A named attribute takes its value. Members of its exclusive group that are not named move
        towards absent: fully if the attribute becomes present (1 or more), in proportion to a
        fraction, not at all for 0. All other attributes keep their values.

        Args:
            y: Current vector, [n_attributes] in [-1, 1] units.
            presences: What `resolve` returned.

        Returns:
            The new vector, [n_attributes].
        """
        new = dict(zip(self.names, y, strict=True))
        for name, presence in presences.items():
            for sibling in self.group_of(name):
                if sibling not in presences:
                    new[sibling] -= min(presence, 1.0) * (new[sibling] + 1.0)
        new.update({name: 2.0 * presence - 1.0 for name, presence in presences.items()})
        return list(new.values())

    def variations(self, y: Sequence[float], inverted: Collection[str] = ()) -> list[list[float]]:
        """One vector for each attribute, with it set and the others of its group cleared.

        As in the original code, y is first rounded to −1 or 1.

        Args:
            y: Current vector, [n_attributes] in [-1, 1] units.
            inverted: Attributes that are inverted instead of set (`FaceProfile.inverted`).

        Returns:
            The vectors, [n_attributes, n_attributes] of −1 and 1.
        """
        signs = [1.0 if value > 0 else -1.0 for value in y]
        return [
            self.apply(signs, {name: 0.0 if name in inverted and sign > 0 else 1.0})
            for name, sign in zip(self.names, signs, strict=True)
        ]

    def opposites(self, y: Sequence[float]) -> dict[str, dict[str, float]]:
        """An edit for each attribute that turns it round, by what it does: "Bald", "not Male".

        Of classes, the one that is there already has none.

        Args:
            y: Current vector, [n_attributes] in [-1, 1] units.

        Returns:
            Presences as `apply` takes them, in the attributes' order.
        """
        present = {name: value > 0 for name, value in zip(self.names, y, strict=True)}
        return {
            f"not {name}" if there else name: {name: 0.0 if there else 1.0}
            for name, there in present.items()
            if not (there and self.one_hot)
        }
