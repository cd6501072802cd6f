from typing import Any

import pytest
import torch

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation import read_generated, read_real, read_reconstructed
from icgan_sdk.evaluation.metrics.attribute_readings import AttributeReadings, Reading
from icgan_sdk.evaluation.metrics.bench import Bench, given
from icgan_sdk.evaluation.metrics.class_confusion import ClassConfusion
from icgan_sdk.evaluation.metrics.measuring import measure
from icgan_sdk.evaluation.metrics.seeing import RealPictures
from icgan_sdk.evaluation.referees.confusion import Confusion
from icgan_sdk.evaluation.referees.referee_network import Referee
from tests.conftest import tiny_networks


def test_readings_are_those_of_the_counts() -> None:
    found = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 1, 0]]).bool()
    truth = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 0]]).bool()
    counts = Confusion.count(found, truth, ("a", "b", "never"))
    reading = Reading.of(counts, one_hot=False)
    a = reading.by_attribute["a"]
    assert (a.tp, a.fp, a.fn, a.tn) == (1, 1, 0, 1)
    assert (a.accuracy, a.f1) == pytest.approx((2 / 3, 2 / 3))
    assert reading.by_attribute["never"].f1 == 0
    assert reading.mean_f1 == pytest.approx(4 / 9)
    assert reading.class_accuracy is None


def test_what_is_read_once_is_what_each_reader_reads_alone(
    digits: PreparedDataset, digits_config: ModelConfig, digits_referee: Referee
) -> None:
    networks, test = tiny_networks(digits_config), digits.part("test")
    judges: dict[Any, Referee] = {"anet": digits_referee, "residual": digits_referee}
    draws = torch.Generator().manual_seed(3)
    bench = Bench(networks, RealPictures(test, judges), given(draws))
    readings, classes = measure(bench, [AttributeReadings(bench), ClassConfusion(bench)]).values()
    labels, again = test.all_labels(), torch.Generator().manual_seed(3)
    for kind, counts in (
        ("real", read_real(digits_referee, test)),
        ("generated", read_generated(digits_referee, networks, labels, again)),
        ("reconstructed", read_reconstructed(digits_referee, networks, test)),
    ):
        expected = Reading.of(counts, one_hot=True)
        assert readings["anet"][kind] == readings["residual"][kind] == expected
    with torch.no_grad():
        right = networks.read_y(test.images(slice(None))).argmax(1) == labels.argmax(1)
    accuracy = readings["encoder_y"]["real"].class_accuracy
    assert accuracy == pytest.approx(float(right.double().mean()))
    assert sum(classes[i][i] for i in range(3)) / 64 == pytest.approx(
        readings["residual"]["generated"].class_accuracy
    )


def test_only_the_wanted_readings(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    networks = tiny_networks(tiny_config)
    networks.encoder_y = networks.encoder_z = None  # a model that has no encoders yet
    bench = Bench(networks, RealPictures(faces.part("test"), {"anet": tiny_referee}))
    metric = AttributeReadings(bench, [("anet", "real"), ("anet", "generated")])
    (readings,) = measure(bench, [metric]).values()
    assert {reader: set(kinds) for reader, kinds in readings.items()} == {
        "anet": {"real", "generated"}
    }
