"""Allowed values of a config's fields: declared at the fields, checked by one function.

```python
@dataclass(frozen=True)
class Example:
    epochs: Annotated[int, Range(1)] = 25
    schedule: Literal["constant", "cosine"] = "constant"

    def __post_init__(self) -> None:
        raise_all(list_problems(self), "example")
```
"""

import math
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, Protocol, get_args, get_origin

_TYPES: dict[type, str] = {int: "a whole number", float: "a number", str: "a string", bool: "bool"}


class Constraint(Protocol):
    """A condition on a value beyond its type."""

    def problem(self, value: Any) -> str:
        """What is wrong with a value, as "must be …"; "" if it fits."""
        ...


@dataclass(frozen=True)
class Range:
    """A finite number from `least` to `most`, both included, that is below `below`."""

    least: float
    most: float = math.inf
    below: float = math.inf

    def problem(self, value: Any) -> str:
        """What is wrong with a number; "" if it fits."""
        if not -math.inf < value < math.inf:
            return f"must be finite, not {value!r}"
        if value < self.least:
            bound = f"be at least {self.least}, not" if self.least else "not be negative:"
            return f"must {bound} {value!r}"
        if value > self.most:
            return f"must be at most {self.most}, not {value!r}"
        return "" if value < self.below else f"must be below {self.below}, not {value!r}"


@dataclass(frozen=True)
class PowerOfTwo:
    """A power of two from `least` to `most`, both included."""

    least: int
    most: int

    def problem(self, value: Any) -> str:
        """What is wrong with a whole number; "" if it fits."""
        if self.least <= value <= self.most and not value & (value - 1):
            return ""
        return f"must be a power of two from {self.least} to {self.most}, not {value}"


@dataclass(frozen=True, init=False)
class OneOf:
    """One of a few values."""

    values: tuple[Any, ...]

    def __init__(self, *values: Any) -> None:
        object.__setattr__(self, "values", values)

    def problem(self, value: Any) -> str:
        """What is wrong with a value; "" if it fits."""
        names = " or ".join(map(str, self.values))
        return "" if value in self.values else f"must be {names}, not {value!r}"


def field_problems(config: object) -> dict[str, str]:
    """What is wrong with each field of a dataclass, by name, as "must be …".

    Fields annotated ``Literal``, ``int``, ``float``, ``str`` or ``bool`` are checked for their
    type, those annotated ``Annotated[…, Range(…)]`` also for the constraint. Fields of other types
    are not checked.
    """
    found = {f.name: _problem(f.type, getattr(config, f.name)) for f in fields(config)}  # type: ignore[arg-type]
    return {name: problem for name, problem in found.items() if problem}


def list_problems(config: object) -> list[str]:
    """The problems of `field_problems` as a list of texts that each begin with the field's name."""
    return [f"{name} {problem}" for name, problem in field_problems(config).items()]


def _problem(annotation: Any, value: Any) -> str:
    constraints: tuple[Constraint, ...] = ()
    if get_origin(annotation) is Annotated:
        annotation, *rest = get_args(annotation)
        constraints = tuple(rest)
    if get_origin(annotation) is Literal:
        allowed = get_args(annotation)
        names = ", ".join(map(str, allowed))
        return "" if value in allowed else f"must be one of {names}, not {value!r}"
    if annotation not in _TYPES:
        return ""
    allowed_types = (int, float) if annotation is float else (annotation,)
    if type(value) not in allowed_types:
        return f"must be {_TYPES[annotation]}, not {value!r}"
    return next(filter(None, (c.problem(value) for c in constraints)), "")
