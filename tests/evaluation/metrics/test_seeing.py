"""Pictures are encoded, decoded and read once, whoever asks."""

import gc
import time
import weakref
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.metrics.bench import Bench, seeded
from icgan_sdk.evaluation.metrics.diversity import DiversityMetric
from icgan_sdk.evaluation.metrics.edits import EditsMetric
from icgan_sdk.evaluation.metrics.first_pictures import FirstPictures
from icgan_sdk.evaluation.metrics.measuring import batches, measure, show
from icgan_sdk.evaluation.metrics.metric import Viewer
from icgan_sdk.evaluation.metrics.metric_table import METRICS
from icgan_sdk.evaluation.metrics.seeing import GeneratedBatch, RealBatch, RealPictures
from icgan_sdk.evaluation.progress import Stopwatch
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.evaluation.report.paper_pictures import pictures_of
from icgan_sdk.evaluation.studies.study_columns import COLUMNS, measure_columns
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.training import rows as training_rows
from tests.conftest import tiny_networks

Count = Counter[str]


class Counting:
    """Counts the pictures that pass through networks, and the real ones among those read.

    Args:
        real: The real pictures.
    """

    def __init__(self, networks: IcGANNetworks, referees: dict[Any, Referee], real: Tensor) -> None:
        self.count: Count = Counter()
        known = {image.numpy().tobytes() for image in real}
        assert networks.encoder_z is not None
        assert networks.encoder_y is not None
        for name, network in (
            ("E_z", networks.encoder_z),
            ("E_y", networks.encoder_y),
            ("G", networks.generator),
        ):
            network.register_forward_pre_hook(
                lambda _, given, name=name: self.count.update({name: len(given[0])})
            )
        for name, referee in referees.items():

            def note(_: object, given: tuple[Tensor], name: str = name) -> None:
                seen = sum(image.numpy().tobytes() in known for image in given[0])
                self.count.update({f"{name} reads real": seen, f"{name} reads": len(given[0])})

            referee.blocks[0].register_forward_pre_hook(note)


@pytest.fixture
def judges(tiny_config: ModelConfig) -> dict[Any, Referee]:
    torch.manual_seed(0)
    return {
        name: Referee(name, tiny_config.attributes, 16, 3).eval().requires_grad_(False)
        for name in ("anet", "residual")
    }


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_rows, "PIXELS_AT_ONCE", 7 * 16**2)


@pytest.mark.slow
@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("detail", ["generated", "photo"])
def test_a_whole_evaluation_encodes_and_reads_each_real_picture_once(
    faces: PreparedDataset, tiny_config: ModelConfig, judges: dict[Any, Referee], detail: Any
) -> None:
    networks, test, limit = tiny_networks(tiny_config), faces.part("test", 40), 30
    bench = Bench(
        networks, RealPictures(test, judges), train=faces.part("train"), limit=limit, detail=detail
    )
    first = FirstPictures()
    seen = Counting(networks, judges, test.images(slice(None))).count
    metrics = [metric(bench) for metric in METRICS]
    figures = measure(bench, metrics, [first])
    told = sum(
        len(plan.rows)
        for metric in metrics
        if isinstance(metric, EditsMetric)
        for plan in metric._apart._plans.values()
    )
    # E_z also encodes the generated pictures of L_ez.
    assert seen["E_y"] == 40
    assert seen["E_z"] == 40 + limit
    # Diversity looks again at the few that it compares: their maps would take more memory than all
    # else together.
    compared = sum(
        len(rows)
        for metric in metrics
        if isinstance(metric, DiversityMetric)
        for rows in metric._groups
    )
    assert seen["anet reads real"] == 40
    assert seen["residual reads real"] == 40 + compared
    # Real, reconstructed, generated.
    assert seen["anet reads"] == 3 * 40
    edits, vectors = figures["edits"].mean.edits, figures["diversity"].label_vectors
    # Each edit is read once, here of no known place; memorisation reads 40 and the training images.
    others = edits + 8 * vectors + compared + 40 + 128
    assert seen["residual reads"] == 3 * 40 + others
    # Reconstructions, generated pictures, edits to be read and to be told from real pictures; then
    # L_ez, diversity, memorisation with 8 shown.
    assert seen["G"] == 40 + 40 + edits + told + limit + 8 * vectors + 40 + 8
    before = Counter(seen)
    assert set(pictures_of(networks, first.inverted())) >= {"reconstructions", "variations"}
    assert (seen["E_y"], seen["E_z"]) == (before["E_y"], before["E_z"])


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("refine", [0, 1])
def test_a_batch_is_gone_once_everybody_has_seen_it(
    faces: PreparedDataset, tiny_config: ModelConfig, judges: dict[Any, Referee], refine: int
) -> None:
    networks, test = tiny_networks(tiny_config), faces.part("test", 20)
    bench = Bench(networks, RealPictures(test, judges), refine=refine)
    batches = list[weakref.ref[object]]()

    class Watching(Viewer):
        def see_real(self, batch: RealBatch) -> None:
            assert not any(kept() is not None for kept in batches)
            assert len(batch.rebuilt.images) == len(batch.refined.images)
            batches.append(weakref.ref(batch.real.images))
            batches.append(weakref.ref(batch.refined_decoded))

        def see_generated(self, batch: GeneratedBatch) -> None:
            assert not any(kept() is not None for kept in batches)
            assert len(batch.decoded) == len(batch.generated.images)
            batches.append(weakref.ref(batch.decoded))

    gc.disable()  # counting references must be enough: memory would grow until it looks for cycles
    try:
        show(bench, [Watching()])
    finally:
        gc.enable()
    assert len(batches) == 9
    assert not any(kept() is not None for kept in batches)


@pytest.mark.usefixtures("small_batches")
def test_refinement_starts_from_what_was_encoded(
    faces: PreparedDataset, tiny_config: ModelConfig, judges: dict[Any, Referee]
) -> None:
    networks, test = tiny_networks(tiny_config), faces.part("test", 20)
    bench = Bench(networks, RealPictures(test, judges), refine=2)
    seen = Counting(networks, judges, test.images(slice(None))).count
    measure(bench, [EditsMetric(bench)], [FirstPictures()])
    assert seen["E_y"] == seen["E_z"] == seen["residual reads real"] == 20


@pytest.mark.slow
@pytest.mark.usefixtures("small_batches")
def test_referees_read_the_real_pictures_once_for_all_models_of_a_study(
    faces: PreparedDataset, tiny_config: ModelConfig, judges: dict[Any, Referee]
) -> None:
    test = faces.part("test", 40)
    pictures, found = RealPictures(test, judges), []
    for number in range(3):
        networks = tiny_networks(replace(tiny_config, z_dim=4 + number))
        seen = Counting(networks, judges, test.images(slice(None))).count
        bench = Bench(networks, pictures, limit=20)
        found.append(measure_columns(bench, set(COLUMNS), [], lambda *_: None))
        assert seen["E_y"] == 40
        once = 40 if number == 0 else 0
        assert (seen["anet reads real"], seen["residual reads real"]) == (once, once)
    values, real = found[0]
    assert set(values) == set(COLUMNS)
    assert real == found[1][1] == found[2][1]
    assert values != found[1][0]


def test_pictures_are_not_kept(
    faces: PreparedDataset, tiny_config: ModelConfig, judges: dict[Any, Referee]
) -> None:
    pictures = RealPictures(faces.part("test"), judges)
    bench = Bench(tiny_networks(tiny_config), pictures)
    measure(bench, [EditsMetric(bench, limit=10)])
    kept = [part for known in pictures._known.values() for read in known.values() for part in read]
    # Bits and features of the residual referee, a kilobyte for each picture.
    assert {part.shape[1] for part in kept} == {4, 256}
    assert sum(len(part) for part in kept) == 2 * 64


def test_batches_are_cut_at_limits(
    faces: PreparedDataset, tiny_config: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tiny_networks(tiny_config), RealPictures(faces.part("test"), {}))
    assert list(batches(bench, [None])) == [slice(0, 64)]
    assert list(batches(bench, [100, 64, 10])) == [slice(0, 10), slice(10, 64)]
    monkeypatch.setattr(training_rows, "PIXELS_AT_ONCE", 30 * 16**2)
    found = [(at.start, at.stop) for at in batches(bench, [40, None, 40])]
    assert found == [(0, 30), (30, 40), (40, 64)]


def test_randomness_follows_from_seed_and_name() -> None:
    def draw(seed: int, name: str) -> list[float]:
        drawn: list[float] = torch.rand(3, generator=seeded(seed)(name)).tolist()
        return drawn

    assert draw(0, "fidelity") == draw(0, "fidelity")
    assert len({tuple(draw(s, n)) for s in (0, 1) for n in ("fidelity", "diversity", "a")}) == 6


def test_a_stopwatch_counts_for_the_innermost_part() -> None:
    clock = Stopwatch()
    with clock.part("outer"):
        with clock.part("inner"):
            time.sleep(0.02)
        with clock.part("inner"):
            time.sleep(0.02)
    with pytest.raises(ValueError, match="x"), clock.part("outer"):
        raise ValueError("x")
    assert list(clock.seconds) == ["outer", "inner"]
    assert clock.seconds["inner"] >= 0.04
    assert clock.seconds["outer"] < 0.02
