import json
from dataclasses import asdict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.metrics.memorisation import measure_memorisation, nearest_features
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.training import rows
from tests.conftest import tiny_networks
from tests.evaluation.painter import Copier


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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
    monkeypatch.setattr(rows, "PIXELS_AT_ONCE", 9 * 16**2)
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
