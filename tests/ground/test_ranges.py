"""Constraints at fields, and what the checker says of values that break them."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest

from icgan_sdk.ranges import OneOf, PowerOfTwo, Range, field_problems, list_problems


@dataclass
class Example:
    count: Annotated[int, Range(1, 10)] = 1
    rate: Annotated[float, Range(0, below=1)] = 0.5
    size: Annotated[int, PowerOfTwo(8, 64)] = 8
    channels: Annotated[int, OneOf(1, 3)] = 3
    mode: Literal["a", "b"] = "a"
    flip: bool = True
    name: str = ""
    other: tuple[int, ...] = ()


def test_values_that_fit() -> None:
    assert field_problems(Example()) == {}
    assert field_problems(Example(count=10, rate=0, size=64, channels=1, mode="b")) == {}


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("count", 0, "must be at least 1, not 0"),
        ("count", 11, "must be at most 10, not 11"),
        ("count", 1.0, "must be a whole number, not 1.0"),
        ("count", True, "must be a whole number, not True"),
        ("rate", -0.5, "must not be negative: -0.5"),
        ("rate", 1.0, "must be below 1, not 1.0"),
        ("rate", math.nan, "must be finite, not nan"),
        ("rate", math.inf, "must be finite, not inf"),
        ("rate", "x", "must be a number, not 'x'"),
        ("size", 48, "must be a power of two from 8 to 64, not 48"),
        ("size", 128, "must be a power of two from 8 to 64, not 128"),
        ("channels", 2, "must be 1 or 3, not 2"),
        ("mode", "c", "must be one of a, b, not 'c'"),
        ("mode", [], "must be one of a, b, not []"),
        ("flip", 1, "must be bool, not 1"),
        ("name", None, "must be a string, not None"),
    ],
)
def test_problems(field: str, value: object, problem: str) -> None:
    example = Example()
    setattr(example, field, value)
    assert field_problems(example) == {field: problem}


def test_all_problems_are_listed() -> None:
    assert list_problems(Example(count=0, rate=2)) == [
        "count must be at least 1, not 0",
        "rate must be below 1, not 2",
    ]
