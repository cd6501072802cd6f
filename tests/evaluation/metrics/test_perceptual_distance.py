import pytest
import torch
from torch.testing import assert_close

from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.metrics.perceptual_distance import perceptual_distance
from icgan_sdk.evaluation.referees.referee_network import Referee


def test_perceptual_distance_of_known_maps() -> None:
    a = torch.zeros(1, 2, 4, 4)
    a[:, 0] = 3.0
    b = torch.zeros(1, 2, 4, 4)
    b[:, 1] = 0.5
    assert float(perceptual_distance([a], [5 * a])) == pytest.approx(0, abs=1e-12)
    assert float(perceptual_distance([a], [b])) == pytest.approx(2)
    half = torch.cat([a[:, :, :2], b[:, :, 2:]], dim=2)
    assert float(perceptual_distance([a], [half])) == pytest.approx(1)
    assert float(perceptual_distance([a, a], [half, a])) == pytest.approx(0.5)
    above = torch.zeros(8, 8)
    above[:4] = 1.0
    assert float(perceptual_distance([a], [half], above)) == pytest.approx(0, abs=1e-12)
    assert float(perceptual_distance([a], [half], 1 - above)) == pytest.approx(2)
    assert_close(perceptual_distance([a], [half], above * 0 + 7), torch.ones(1))
    assert bool(perceptual_distance([a], [half], above * 0).isnan())


def test_perceptual_distance_is_symmetric(faces: PreparedDataset, tiny_referee: Referee) -> None:
    a, b = (tiny_referee.maps(faces.images(slice(i, i + 9))) for i in (0, 9))
    assert_close(perceptual_distance(a, b), perceptual_distance(b, a))
    assert bool(((perceptual_distance(a, b) > 0) & (perceptual_distance(a, b) < 2)).all())
    assert_close(perceptual_distance(a, a), torch.zeros(9))
