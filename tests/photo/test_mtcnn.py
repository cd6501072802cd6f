"""The face detector."""

import numpy as np
import pytest
from PIL import Image

from icgan_sdk.photo import find_faces
from icgan_sdk.photo.mtcnn import Boxes, _best, detect
from tests.photo.conftest import PORTRAIT, blank

FOUND = (
    [[93.3, 150.8, 257.0, 360.8]],
    [[[137.1, 224.8], [218.8, 227.9], [178.6, 276.8], [134.6, 298.3], [217.9, 300.3]]],
)


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    with Image.open(PORTRAIT) as picture:
        return picture.convert("RGB")


def test_it_finds_what_the_library_it_is_made_of_finds(portrait: Image.Image) -> None:
    """facenet-pytorch 2.5.3, with the same thresholds."""
    boxes, points = detect(portrait, 32)
    np.testing.assert_allclose(boxes.corners, FOUND[0], atol=3)
    np.testing.assert_allclose(points, FOUND[1], atol=3)


@pytest.mark.parametrize("size", [(40, 500), (33, 33), (12, 12)])
def test_there_may_be_nothing(size: tuple[int, int]) -> None:
    boxes, points = detect(blank(*size), 32)
    assert boxes.corners.shape == (0, 4)
    assert points.shape == (0, 5, 2)


def test_faces_at_the_edges_are_found(portrait: Image.Image) -> None:
    left, top, right, bottom = detect(portrait, 32)[0].corners[0]
    cut = portrait.crop((round(left) + 8, round(top) + 8, round(right) - 8, round(bottom) - 2))
    assert len(detect(cut, 32)[1]) == 1


@pytest.mark.parametrize("turn", [turn for turn in Image.Transpose if "ROTATE" in turn.name])
def test_faces_of_turned_photos_are_found(portrait: Image.Image, turn: Image.Transpose) -> None:
    (upright,) = find_faces(portrait)
    turned = portrait.transpose(turn)
    (found,) = find_faces(turned)
    # Where pictures of single pixels say that the points went.
    for before, after in zip(upright.points, found.points, strict=True):
        spot = Image.new("L", portrait.size)
        spot.putpixel((round(before[0]), round(before[1])), 255)
        y, x = np.argwhere(np.asarray(spot.transpose(turn)))[0]
        np.testing.assert_allclose(after, (x, y), atol=6)
    assert found.width == pytest.approx(upright.width, rel=0.1)


def test_boxes_that_overlap_a_better_one_are_dropped() -> None:
    corners = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [2, 2, 4, 4]], np.float64)
    boxes = Boxes(corners, np.array([0.8, 0.9, 0.5, 0.4]), np.zeros((4, 4)))
    assert list(_best(boxes, 0.5)) == [1, 2, 3]
    assert list(_best(boxes, 0.5, within=True)) == [1, 2]
