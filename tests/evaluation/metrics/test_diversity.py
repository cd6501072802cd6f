import json
from dataclasses import asdict

import pytest
import torch

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.metrics.diversity import measure_diversity
from icgan_sdk.evaluation.referees.referee_network import Referee
from tests.conftest import tiny_networks
from tests.evaluation.painter import Painter


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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
