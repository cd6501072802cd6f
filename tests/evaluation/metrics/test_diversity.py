import json
from dataclasses import asdict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.metrics.diversity import measure_diversity
from icgan_sdk.evaluation.metrics.memorisation import measure_memorisation, nearest_features
from icgan_sdk.evaluation.metrics.perceptual_distance import perceptual_distance
from icgan_sdk.evaluation.referees.referee import Referee
from icgan_sdk.training import batches
from tests.conftest import tiny_networks
from tests.evaluation.painter import Copier, Painter


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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


def test_a_generator_that_ignores_z_has_no_diversity(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    found = measure_diversity(Painter(tiny_config), faces, tiny_referee, seeded())
    assert found.label_vectors == 12
    assert found.generated == pytest.approx(0, abs=1e-6)
    assert found.generated_pixels == pytest.approx(0, abs=1e-6)
    assert found.real is not None
    assert found.real > 1e-4
    assert found.real_pixels is not None
    # Every pixel is drawn from 40 values, of equal variance in both images of a pair.
    assert 0.02 < found.real_pixels < (2 * 40**2 / 12) ** 0.5 / 255
    assert json.loads(json.dumps(asdict(found))) == asdict(found)


def test_diversity_is_the_mean_over_pairs(
    digits: PreparedDataset, digits_config: ModelConfig, digits_referee: Referee
) -> None:
    networks, draws = tiny_networks(digits_config), seeded(4)
    found = measure_diversity(networks, digits, digits_referee, draws, label_vectors=1, samples=3)
    assert found == measure_diversity(
        networks, digits, digits_referee, seeded(4), label_vectors=1, samples=3
    )
    draws = seeded(4)
    first = int(torch.randperm(len(digits), generator=draws)[0])
    y = digits.labels(slice(first, first + 1)).expand(3, -1)
    with torch.no_grad():
        images = networks.decode(torch.randn(3, 4, generator=draws), y)
    expected = [
        float(((images[i] - images[j])[:, 2:-2, 2:-2] / 2).square().mean().sqrt())
        for i, j in ((0, 1), (0, 2), (1, 2))
    ]
    assert found.generated_pixels == pytest.approx(sum(expected) / 3, rel=1e-5)


def test_labels_that_no_two_images_share(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    lonely = faces.part("test")
    lonely._pixels, lonely._presence = lonely._pixels[:1], lonely._presence[:1]
    found = measure_diversity(tiny_networks(tiny_config), lonely, tiny_referee, seeded())
    assert (found.label_vectors, found.generated, found.real) == (0, None, None)


def test_copies_are_found(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    train, test = faces.part("train"), faces.part("test")
    copier = Copier(tiny_config, train.images(slice(None)))
    copied, found = measure_memorisation(copier, train, test, tiny_referee, seeded(), shown=6)
    assert (copied.images, copied.training_images) == (64, 128)
    assert copied.ratio == pytest.approx(0, abs=0.01)
    assert copied.real > 0
    assert found.rows.shape == (6, 5)
    for image, row in zip(found.images, found.rows[:, 0].tolist(), strict=True):
        assert torch.equal(image, train.images(slice(row, row + 1))[0])
    new = Copier(tiny_config, faces.part("validation").images(slice(None)))
    fair, _ = measure_memorisation(new, train, test, tiny_referee, seeded())
    assert fair.ratio is not None
    assert 0.5 < fair.ratio < 2
    assert json.loads(json.dumps(asdict(fair))) == asdict(fair)


def test_held_out_images_that_are_no_such_thing(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    train = faces.part("train")
    own, _ = measure_memorisation(
        tiny_networks(tiny_config), train, train, tiny_referee, seeded(), images=10
    )
    assert own.real == pytest.approx(0, abs=1e-6)
    assert own.ratio is None or own.ratio > 100


def test_memorisation_in_chunks(
    faces: PreparedDataset,
    tiny_config: ModelConfig,
    tiny_referee: Referee,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train, test, networks = faces.part("train"), faces.part("test"), tiny_networks(tiny_config)
    found, near = measure_memorisation(networks, train, test, tiny_referee, seeded())
    monkeypatch.setattr(batches, "PIXELS_AT_ONCE", 9 * 16**2)
    in_chunks, near_too = measure_memorisation(networks, train, test, tiny_referee, seeded())
    assert asdict(in_chunks) == pytest.approx(asdict(found), rel=1e-3)
    assert_close(near_too.images, near.images)


@given(
    n=st.integers(1, 5),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    count=st.integers(1, 8),
)
@settings(deadline=None)
def test_nearest_features(n: int, sizes: list[int], count: int) -> None:
    draws = seeded(len(sizes))
    queries = torch.randn(n, 3, generator=draws)
    known = torch.randn(sum(sizes), 3, generator=draws)
    distances, rows = nearest_features(queries, torch.split(known, sizes), count)
    every = 1 - torch.cosine_similarity(queries[:, None], known[None], dim=2)
    expected = every.sort(dim=1).values[:, :count]
    assert_close(distances, expected, rtol=1e-4, atol=1e-5)
    assert_close(every.gather(1, rows), expected, rtol=1e-4, atol=1e-5)
