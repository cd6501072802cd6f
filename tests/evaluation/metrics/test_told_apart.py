"""What a model makes is told from real pictures as far as it differs from them."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.metrics import edits_apart
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.edits_apart import EditsApart, EditsToldApart
from icgan_sdk.evaluation.metrics.making_edits import MEN_ONLY, editable
from icgan_sdk.evaluation.metrics.measuring import batches, measure_alone
from icgan_sdk.evaluation.metrics.picture_pools import real_pixels
from icgan_sdk.evaluation.metrics.seeing import RealPictures
from icgan_sdk.evaluation.metrics.told_apart import ToldApartMetric
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.compositing import Detail
from tests.conftest import tiny_networks
from tests.evaluation.painter import Copier, Painter


class Faithful(IcGANNetworks):
    """Hides the picture in z, and gives it back whatever y says."""

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.flatten(1), x.new_zeros(len(x), self.config.n_attributes)

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        return z.view(len(z), 3, 16, 16) if z.shape[1] == 3 * 16 * 16 else super().decode(z, y)


def bench(networks: IcGANNetworks, data: PreparedDataset, detail: Detail = "generated") -> Bench:
    return Bench(networks.eval(), RealPictures(data, {}), detail=detail)


@torch.inference_mode()
def edits(on: Bench) -> EditsToldApart:
    metric = EditsApart(on, MEN_ONLY)
    for at in batches(on, [None]):
        metric.see_real(on.real(at))
    return metric.figures()


@pytest.mark.slow
def test_generated_pictures_and_reconstructions(
    faces: PreparedDataset, tiny_config: ModelConfig
) -> None:
    train = faces.part("train")
    found = measure_alone(ToldApartMetric(bench(Faithful(tiny_config), train)))
    assert found.learning == 45
    assert found.generated is not None
    assert found.generated.auc > 0.95  # an untrained network's
    assert found.reconstructed is not None
    assert abs(found.reconstructed.auc - 0.5) < 3 * found.reconstructed.error
    copies = Copier(tiny_config, faces.part("validation").images(slice(None)))
    copied = measure_alone(ToldApartMetric(bench(copies, train)))
    assert copied.generated is not None
    assert abs(copied.generated.auc - 0.5) < 3 * copied.generated.error
    assert measure_alone(ToldApartMetric(bench(copies, train))) == copied


def test_edits_that_do_nothing_are_not_told(
    faces: PreparedDataset, tiny_config: ModelConfig
) -> None:
    found = edits(bench(Faithful(tiny_config), faces.part("train"), "photo"))
    assert found.learning == 45
    assert found.all is not None
    assert abs(found.all.auc - 0.5) < 3 * found.all.error
    assert found.all.pictures == found.all.real == 19
    smooth = edits(bench(Painter(tiny_config), faces.part("train")))
    assert smooth.all is not None
    assert smooth.all.auc > 0.95  # the real pictures have noise
    told = [figure.auc for figure in smooth.each.values() if figure is not None]
    assert told
    assert min(told) > 0.9
    assert edits(bench(Painter(tiny_config), faces.part("train"))) == smooth


def test_edits_are_compared_with_real_pictures_that_have_the_attribute(
    faces: PreparedDataset, tiny_config: ModelConfig
) -> None:
    train, on = faces.part("train"), bench(Painter(tiny_config), faces.part("train"))
    metric, labels = EditsApart(on, MEN_ONLY), train.all_labels()
    for plan in metric._plans.values():
        for row, number in zip(plan.rows.tolist(), plan.edits.tolist(), strict=True):
            edit = metric._edits[number]
            assert editable(labels[row : row + 1], train.attributes, edit).all()
    real_held = labels[metric._roles.real_held]
    for at in batches(on, [None]):
        metric.see_real(on.real(at))
    figures = metric.figures().each
    assert any(figures.values())
    for (name, adding), told in figures.items():
        column = train.attributes.names.index(name)
        alike = int(((real_held[:, column] > 0) == adding).sum())
        assert told is None or told.real == alike


def test_too_few_pictures_have_no_figure(faces: PreparedDataset, tiny_config: ModelConfig) -> None:
    on = bench(Painter(tiny_config), faces.part("test", 2))
    assert measure_alone(ToldApartMetric(on)).generated is None
    found = edits(on)
    assert found.all is None
    assert set(found.each.values()) == {None}


def test_classes(digits: PreparedDataset, digits_config: ModelConfig) -> None:
    on = bench(tiny_networks(digits_config), digits.part("train"))
    found = edits(on)
    assert found.all is not None
    assert found.all.auc > 0.95
    assert list(found.each) == [(name, True) for name in digits.attributes.names]
    told = measure_alone(ToldApartMetric(on))
    assert told.reconstructed is not None
    assert real_pixels(on, torch.arange(3), 12).shape == (3, 12, 12, 1)  # without padding


@pytest.mark.parametrize("detail", ["generated", "photo"])
def test_photos_are_told_apart_at_their_own_side(
    faces: PreparedDataset, tiny_config: ModelConfig, detail: Detail
) -> None:
    config = replace(tiny_config, image_size=8, painter_size=16, painter_width=2)
    on = bench(tiny_networks(config), faces.part("train"), detail)
    assert on.config.image_size == 16
    metric = EditsApart(on, MEN_ONLY)
    with torch.inference_mode():
        metric.see_real(on.real(slice(0, 128)))
    assert metric._pools["held"].all().shape[1] == (16 if detail == "photo" else 8)
    assert metric.figures().all is not None
    assert measure_alone(ToldApartMetric(on)).generated is not None
    assert real_pixels(on, torch.arange(3), 8).shape == (3, 8, 8, 3)


def test_held_out_edits_are_bounded(
    faces: PreparedDataset, tiny_config: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edits_apart, "HELD_EDITS", 2)
    metric = EditsApart(bench(Painter(tiny_config), faces.part("train")), MEN_ONLY)
    assert len(metric._plans["learning"].rows) == 45
    assert len(metric._plans["held"].rows) == 19 + 2 * 8
