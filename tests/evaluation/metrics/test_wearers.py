"""The way left to real photos."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from icgan_sdk.artefacts.quality import Quality
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.data import PreparedDataset, write_arrays
from icgan_sdk.evaluation.metrics import wearers
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.paired_samples import chance, matched, probe, squared_distance
from icgan_sdk.evaluation.metrics.seeing import RealPictures
from icgan_sdk.evaluation.metrics.wearers import WayLeft, WearersMetric
from icgan_sdk.model import IcGANNetworks
from tests.conftest import tiny_networks

ATTRIBUTES = AttributeSet(("Male", "bright"))


def features(count: int, seed: int, shift: float = 0.0) -> Tensor:
    return torch.randn(count, 20, generator=torch.Generator().manual_seed(seed)) + shift


def test_the_distance_of_two_draws_is_about_zero_and_grows() -> None:
    same = squared_distance(features(200, 0), features(200, 1))
    near, far = (squared_distance(features(200, 0), features(200, 1, by)) for by in (0.5, 1.0))
    assert abs(same) < 0.05
    assert same < near < far
    a = features(50, 0)
    assert squared_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_partners_that_are_alike_are_no_nearer_than_chance() -> None:
    found = []
    for seed in range(40):
        shared = 2 * features(60, 1000 + seed)
        pair = shared + features(60, seed), shared + features(60, 2000 + seed)
        found.append(squared_distance(*pair) / chance(*pair))
    shares = torch.tensor(found)
    assert abs(float(shares.mean())) < 0.5
    assert 0.7 < float(shares.std()) < 1.3
    assert squared_distance(features(60, 0), features(60, 1, 1.0)) > 3 * chance(
        features(60, 0), features(60, 1, 1.0)
    )


def test_each_row_has_a_column_of_its_own() -> None:
    differences = torch.tensor([[0.0, 1.0, 5.0], [0.0, 2.0, 3.0], [9.0, 9.0, 9.0]])[:2]
    rows, columns = matched(differences, 80)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [0, 1])
    assert [len(found) for found in matched(differences, 1)] == [1, 1]
    assert [len(found) for found in matched(differences[:0], 80)] == [0, 0]


def test_people_are_edited_who_are_like_those_that_show_it(
    networks: IcGANNetworks, tmp_path: Path
) -> None:
    labels = np.zeros((200, 2), np.uint8)
    labels[:100, 0] = 1  # half are men, and all that is bright
    labels[:30, 1] = 1
    write_arrays(tmp_path, np.zeros((200, 16, 16, 3), np.uint8), labels, ATTRIBUTES, {"test": 200})
    data = PreparedDataset.open(tmp_path, "test")
    networks.config = replace(networks.config, crop=CELEBA_CROP)
    metric = WearersMetric(Bench(networks, RealPictures(data, {}), detail="photo"))
    rows, others = metric._pairs(("bright", True))
    assert len(rows) == 30
    assert (data.labels(rows)[:, 0] == data.labels(others)[:, 0]).all()


def test_a_share_of_what_chance_may_give_is_no_figure(
    networks: IcGANNetworks, dataset: PreparedDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wearers, "CLEAR", 1e9)
    found = _figures(networks, dataset)
    assert found.adding == {"Male": None, "bright": None}
    assert found.told_adding["bright"] is not None


def test_a_probe_tells_what_differs() -> None:
    assert 0.35 < probe(features(100, 0), features(100, 1)) < 0.65
    assert probe(features(100, 0), features(100, 1, 1.0)) > 0.95


@pytest.fixture
def dataset(tmp_path: Path) -> PreparedDataset:
    """Dark and bright pictures of two kinds of people, who differ in colour."""
    draws = np.random.default_rng(0)
    labels = draws.integers(0, 2, (120, 2)).astype(np.uint8)
    images = draws.integers(0, 30, (120, 16, 16, 3)).astype(np.uint8)
    images += (labels[:, 1] * 150)[:, None, None, None].astype(np.uint8)
    images[..., 0] += (labels[:, 0] * 60)[:, None, None].astype(np.uint8)
    write_arrays(tmp_path / "data", images, labels, ATTRIBUTES, {"test": 120})
    return PreparedDataset.open(tmp_path / "data", "test")


@pytest.fixture
def networks(tiny_config: ModelConfig) -> IcGANNetworks:
    config = replace(tiny_config, attributes=ATTRIBUTES, painter_size=16, painter_width=4)
    return tiny_networks(config)


class Painting(WearersMetric):
    """Edits that are made without a network."""

    amount = 0

    def _edited(self, rows: Tensor, edit: tuple[str, bool]) -> Tensor:
        name, adding = edit
        images = self.bench.pictures.dataset.images(rows).clone()
        if name == "bright":
            images += (1 if adding else -1) * self.amount / 127.5
        return images.clamp(-1, 1)


def way_left(networks: IcGANNetworks, dataset: PreparedDataset, amount: int) -> WayLeft:
    metric = Painting(Bench(networks, RealPictures(dataset, {}), detail="photo"))
    metric.amount = amount
    figures = metric.figures()
    assert set(metric.pictures()) == {"wearers"}
    return figures


def test_doing_nothing_leaves_the_whole_way_and_a_true_edit_none(
    networks: IcGANNetworks, dataset: PreparedDataset
) -> None:
    nothing, half, all_ = (way_left(networks, dataset, amount) for amount in (0, 75, 150))
    for found, least, most in ((nothing, 1.0, 1.0), (half, 0.02, 0.95), (all_, 0.0, 0.1)):
        for left in (found.adding["bright"], found.taking_away["bright"]):
            assert left is not None
            assert least - 1e-9 <= left <= most + 1e-9
    assert nothing.told_adding["bright"] == 1.0
    told = all_.told_adding["bright"]
    assert told is not None
    assert told < 0.8
    assert all_.quality().adding["bright"] > 0.9
    assert nothing.quality().taking_away["bright"] == 0.0


def test_each_photo_has_a_real_one_of_the_same_kind_of_person(
    networks: IcGANNetworks, dataset: PreparedDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks.config = replace(networks.config, crop=CELEBA_CROP)
    metric = WearersMetric(Bench(networks, RealPictures(dataset, {}), detail="photo"))
    monkeypatch.setattr(wearers, "MOST", 25)
    rows, others = metric._pairs(("bright", True))
    assert len(rows) == len(others) == 25
    assert len(set(others.tolist())) == 25
    y, shown = dataset.labels(rows), dataset.labels(others)
    assert (y[:, 1] < 0).all()
    assert (shown[:, 1] > 0).all()
    assert (y[:, 0] == shown[:, 0]).float().mean() > 0.9


def test_too_few_photos_give_no_figure(
    networks: IcGANNetworks, dataset: PreparedDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wearers, "FEWEST", 1000)
    found = _figures(networks, dataset)
    assert found.adding == {"Male": None, "bright": None}
    assert found.quality() == Quality({}, {})
    assert WearersMetric.summary(found, networks.config) == []


def _figures(networks: IcGANNetworks, dataset: PreparedDataset) -> WayLeft:
    return WearersMetric(Bench(networks, RealPictures(dataset, {}), detail="photo")).figures()


def test_models_of_every_kind_are_judged(
    networks: IcGANNetworks, dataset: PreparedDataset, tiny_config: ModelConfig
) -> None:
    plain = tiny_networks(replace(tiny_config, attributes=ATTRIBUTES))
    for model in (networks, plain):
        for detail in ("photo", "generated"):
            metric = WearersMetric(Bench(model, RealPictures(dataset, {}), detail=detail))
            left = metric.figures().adding["bright"]
            assert left is not None
            assert left >= 0
    section = WearersMetric.section(metric.figures(), plain.config, {})
    assert section is not None


def test_without_the_features_it_says_what_is_missing(
    networks: IcGANNetworks, dataset: PreparedDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icgan_sdk.model.image_features.find_spec", lambda name: None)
    found = _figures(networks, dataset)
    assert found == WayLeft()
    section = WearersMetric.section(found, networks.config, {})
    assert section is not None
    assert "icgan-sdk[features]" in str(section)
