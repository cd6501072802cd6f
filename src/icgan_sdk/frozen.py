"""A mapping as a value of frozen dataclasses."""

from typing import NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dict that refuses changes.

    Unlike a `types.MappingProxyType` it can be copied, pickled, written as JSON and taken by
    `dataclasses.asdict`, and so can what holds it.
    """

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this can't be changed: change a copy, dict(…)")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[object, ...]:
        # A dict's own way sets one item after the other.
        return FrozenDict, (dict(self),)
