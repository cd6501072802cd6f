import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from icgan_sdk.celeba import CELEBA
from icgan_sdk.config import CELEBA_CROP, PAPER_CROP, Crop
from icgan_sdk.photo.placement import box_matrix, cut, face_matrix, similarity
from icgan_sdk.pictures.arrays import resample

FACE = np.array(CELEBA.landmarks)


@given(
    st.floats(0.05, 40), st.floats(-math.pi, math.pi), st.floats(-5e3, 5e3), st.floats(-5e3, 5e3)
)
def test_similarity_is_found(scale: float, angle: float, x: float, y: float) -> None:
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    matrix = np.array([[cos, -sin, x], [sin, cos, y]])
    moved = FACE @ matrix[:, :2].T + matrix[:, 2]
    found = similarity(FACE, moved)
    assert found is not None
    np.testing.assert_allclose(found, matrix, rtol=1e-6, atol=1e-6)


def test_similarity_never_mirrors() -> None:
    found = similarity(FACE, FACE * [-1, 1])
    assert found is not None
    assert np.linalg.det(found[:, :2]) > 0


def test_points_that_coincide_give_no_face() -> None:
    assert face_matrix(np.full((5, 2), 7.0), CELEBA, CELEBA_CROP) is None


@pytest.mark.parametrize("crop", [CELEBA_CROP, PAPER_CROP])
def test_an_aligned_face_is_cut_as_training_pictures_are(crop: Crop) -> None:
    matrix = face_matrix(FACE, CELEBA, crop)
    assert matrix is not None
    np.testing.assert_allclose(matrix, box_matrix(crop.box), atol=1e-9)
    doubled = face_matrix(2 * FACE, CELEBA, crop)
    assert doubled is not None
    np.testing.assert_allclose(doubled, 2 * matrix, atol=1e-9)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_an_upright_square_is_cut_as_by_resizing(portrait: Image.Image, mode: str) -> None:
    picture, box = portrait.convert(mode), (40.0, 60.0, 232.0, 252.0)
    expected = resample(picture, (64, 64), box)
    result = cut(picture, box_matrix(box), 64)
    assert result.mode == mode
    apart = np.abs(np.asarray(result, float) - np.asarray(expected, float))
    assert apart.mean() < 1
    assert apart.max() < 12


def test_a_turned_square_is_turned_back(portrait: Image.Image) -> None:
    """The same part of a picture and of the picture turned by a right angle."""
    box = np.array([[100.0, 0.0, 50.0], [0.0, 100.0, 80.0]])
    turned = portrait.transpose(Image.Transpose.ROTATE_90)
    # (x, y) comes to lie at (y, width − x).
    onto = np.array([[0.0, 100.0, 80.0], [-100.0, 0.0, portrait.width - 50.0]])
    a, b = (np.asarray(p, float) for p in (cut(portrait, box, 32), cut(turned, onto, 32)))
    assert np.abs(a - b).mean() < 1


def test_beyond_the_edge_the_photo_goes_on_as_there() -> None:
    picture = Image.new("RGB", (20, 20), (200, 10, 30))
    result = np.asarray(cut(picture, box_matrix((-30.0, -30.0, 60.0, 60.0)), 16))
    assert (result == (200, 10, 30)).all()


def test_small_details_are_averaged_not_sampled() -> None:
    stripes = np.zeros((512, 512), np.uint8)
    stripes[:, ::2] = 255
    matrix = np.array([[400.0, -40.0, 60.0], [40.0, 400.0, 40.0]])
    result = np.asarray(cut(Image.fromarray(stripes), matrix, 16), float)
    assert np.abs(result - 127.5).max() < 20
