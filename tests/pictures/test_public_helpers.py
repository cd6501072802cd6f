"""Pictures of floating-point numbers, whose range is never guessed, and sheets of pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from icgan_sdk import IcGAN, ShapeError, from_floats, sheet


@given(
    st.sampled_from([(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)]), st.sampled_from(["f2", "f4", "f8"])
)
def test_bytes_come_back(limits: tuple[float, float], kind: str) -> None:
    low, high = limits
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    floats = (pixels / 255 * (high - low) + low).astype(kind)
    found = from_floats(floats, low=low, high=high)
    assert found.dtype == np.uint8
    assert np.array_equal(found, pixels)


def test_an_edit_takes_what_it_gives(tiny_model: IcGAN) -> None:
    floats = np.random.default_rng(0).random((2, 20, 20, 3)).astype(np.float32)
    with pytest.raises(ShapeError, match=r"not float32: icgan_sdk\.from_floats makes one of it"):
        tiny_model.edit(floats, Smiling=1)
    assert len(tiny_model.edit(list(from_floats(floats)), Smiling=1)) == 2


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (np.zeros((2, 2), np.uint8), {}, "expected an array of floats, not uint8"),
        (np.full((2, 2), -0.5), {}, "-0.5 to -0.5 are outside 0 to 1: say with low and high"),
        (np.full((2, 2), 200.0), {"low": -1}, "outside -1 to 1"),
        (np.full((2, 2), np.nan), {}, "some numbers are not finite"),
        ([[0.5]], {}, "expected an array of floats, not list"),
        (np.zeros((2, 2)), {"low": 1.0, "high": 1.0}, r"white \(1.0\) must be more than black"),
    ],
)
def test_what_is_out_of_range_is_refused(
    array: np.ndarray[tuple[int, ...], np.dtype[np.generic]],
    options: dict[str, float],
    message: str,
) -> None:
    with pytest.raises(ShapeError, match=message):
        from_floats(array, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([], {}, "rows of pictures"),
        ([[]], {}, "rows of pictures"),
        ([Image.new("RGB", (2, 2))], {}, "rows of pictures"),
        ([[Image.new("RGB", (2, 2))]], {"titles": ("a", "b")}, "2 titles for 1 columns"),
        ([[Image.new("RGB", (2, 2))]], {"scale": 0}, "scale must be a whole number from 1"),
    ],
)
def test_a_sheet_of_something_else_is_refused(
    rows: object, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        sheet(rows, **options)  # type: ignore[arg-type]
