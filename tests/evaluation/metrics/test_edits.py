import json
from dataclasses import asdict, replace

import pytest
import torch

from icgan_sdk.celeba import CELEBA_ATTRIBUTES
from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError
from icgan_sdk.evaluation.metrics.edit_judging import recognised
from icgan_sdk.evaluation.metrics.edits import measure_edits
from icgan_sdk.evaluation.metrics.identification import measure_identification
from icgan_sdk.evaluation.metrics.making_edits import MEN_ONLY
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.evaluation.referees.referee_readings import read_real
from icgan_sdk.training import rows
from tests.conftest import tiny_networks
from tests.evaluation.painter import Painter


def test_perfect_edits(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    test = faces.part("test")
    found = measure_edits(Painter(tiny_config), test, tiny_referee)
    assert found.images == 64
    positives = test.positives()
    for name in test.attributes.names:
        assert found.adding[name].edits == 64 - positives[name]
        assert found.removing[name].edits == positives[name]
    assert found.mean.hit is not None
    assert found.mean.hit > 0.95
    assert found.mean.relative is not None
    assert found.mean.preservation is not None
    assert found.mean.preservation > 0.95
    assert found.mean.relative >= found.mean.hit
    assert found.mean.edits == 64 * 4
    assert json.loads(json.dumps(asdict(found))) == asdict(found)


@pytest.mark.parametrize("detail", ["generated", "photo"])
def test_a_model_that_ignores_y_changes_nothing(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee, detail: str
) -> None:
    found = measure_edits(
        Painter(tiny_config, obeys=False),
        faces.part("test"),
        tiny_referee,
        detail=detail,  # type: ignore[arg-type]
    )
    assert found.mean.hit is not None
    assert found.mean.hit < 0.1
    assert found.mean.preservation == 1
    assert found.mean.identity == pytest.approx(1)
    assert found.mean.change_outside == 0
    if detail == "photo":
        assert found.mean.recognised == 1  # each is its original


def test_photos_are_painted_by_models_with_a_painter(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    config = replace(tiny_config, painter_size=2 * tiny_config.image_size, painter_width=2)
    networks = tiny_networks(config)
    painted = measure_edits(networks, faces.part("test"), tiny_referee, limit=20, detail="photo")
    assert networks.painter is not None
    for weight in networks.painter.parameters():
        weight.data.zero_()
    unpainted = measure_edits(networks, faces.part("test"), tiny_referee, limit=20, detail="photo")
    assert unpainted.mean.recognised == 1
    assert painted.mean != unpainted.mean


def test_a_photo_keeps_more_than_a_generated_picture(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    networks = tiny_networks(tiny_config)
    generated, photo = (
        measure_edits(networks, faces.part("test"), tiny_referee, limit=20, detail=detail)
        for detail in ("generated", "photo")
    )
    assert generated.mean != photo.mean
    refined = measure_edits(networks, faces.part("test"), tiny_referee, limit=20, refine=3)
    assert refined.mean != generated.mean


def test_relative_to_the_referees_own_rate(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    test = faces.part("test")
    referee = Referee("residual", tiny_config.attributes, 16, 3).eval().requires_grad_(False)
    referee.load_state_dict(tiny_referee.state_dict())
    with torch.no_grad():
        scores = referee(test.images(slice(None)))[:, 1]
    # Now it misses half of all smiles, but none as wide as this model's.
    referee.thresholds[1] = scores[test.all_labels()[:, 1] > 0].median()
    found = measure_edits(Painter(tiny_config, mouth=130), test, referee)
    real = read_real(referee, test)
    rate = float(real.tp[1] / (real.tp[1] + real.fn[1]))
    adding = found.adding["Smiling"]
    assert adding.hit is not None
    assert rate < 0.6 < adding.hit
    assert adding.relative == 1
    for name, tn, fp in zip(real.names, real.tn.tolist(), real.fp.tolist(), strict=True):
        hit = found.removing[name].hit
        assert hit is not None
        assert found.removing[name].relative == pytest.approx(min(1, hit * (tn + fp) / tn))


def test_only_where_chooses_the_pictures(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    test, networks = faces.part("test"), Painter(tiny_config)
    y = test.all_labels() > 0
    only = {"Smiling": "Male", "Black_Hair": "Bearded"}
    found = measure_edits(networks, test, tiny_referee, only_where=only)
    assert found.adding["Smiling"].edits == int((~y[:, 1] & y[:, 0]).sum())
    assert found.removing["Smiling"].edits == int(y[:, 1].sum())
    assert found.adding["Black_Hair"].edits == int((~y[:, 2]).sum())
    nowhere = measure_edits(networks, test, tiny_referee, only_where={"Smiling": "Smiling"})
    assert nowhere.adding["Smiling"].hit is None
    assert nowhere.adding["Smiling"].edits == 0
    assert nowhere.mean_adding.hit is not None
    assert set(MEN_ONLY) < set(CELEBA_ATTRIBUTES)


def test_classes_are_only_added(
    digits: PreparedDataset, digits_config: ModelConfig, digits_referee: Referee
) -> None:
    test = digits.part("test")
    found = measure_edits(tiny_networks(digits_config), test, digits_referee)
    assert found.removing == {}
    assert found.mean_removing.edits == 0
    assert found.mean_removing.hit is None
    assert [f.edits for f in found.adding.values()] == [64 - n for n in test.positives().values()]
    assert all(f.preservation is None for f in found.adding.values())
    assert found.mean == found.mean_adding


def test_what_concerns_the_attribute_is_no_change_outside(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    aligned = Painter(replace(tiny_config, crop=CELEBA_CROP))
    found = measure_edits(aligned, faces.part("test"), tiny_referee)
    anywhere = measure_edits(Painter(tiny_config), faces.part("test"), tiny_referee)
    for name in ("Smiling", "Black_Hair", "Blond_Hair"):
        assert found.adding[name].change_outside == 0
        assert (anywhere.adding[name].change_outside or 0) > 0.001
        assert found.adding[name].identity == anywhere.adding[name].identity
    assert (found.adding["Male"].change_outside or 0) > 0.001


def test_chunks_and_repetition_change_nothing(
    faces: PreparedDataset,
    tiny_config: ModelConfig,
    tiny_referee: Referee,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    networks, test = tiny_networks(tiny_config), faces.part("test")
    found = measure_edits(networks, test, tiny_referee, limit=30)
    assert found == measure_edits(networks, test, tiny_referee, limit=30)
    assert found.images == 30
    monkeypatch.setattr(rows, "PIXELS_AT_ONCE", 7 * 16**2)
    in_chunks = measure_edits(networks, test, tiny_referee, limit=30)
    assert in_chunks.told_apart is not None
    for chunked, whole in (
        (asdict(in_chunks.mean), asdict(found.mean)),
        (asdict(in_chunks.told_apart), asdict(found.told_apart)),  # type: ignore[arg-type]
    ):
        there = {name: value for name, value in whole.items() if value is not None}
        assert {name: chunked[name] for name in there} == pytest.approx(there, rel=1e-4)


def test_the_referee_must_fit(
    faces: PreparedDataset, digits_config: ModelConfig, tiny_referee: Referee
) -> None:
    with pytest.raises(ConfigError, match="referee"):
        measure_edits(tiny_networks(digits_config), faces, tiny_referee)
    with pytest.raises(ConfigError, match="referee"):
        measure_identification(tiny_networks(digits_config), faces, tiny_referee)


def test_recognised_seeks_among_the_hundred_a_picture_belongs_to() -> None:
    originals = torch.eye(250)
    rows = torch.tensor([0, 99, 100, 249])
    assert recognised(originals[rows], originals, rows).tolist() == [1, 1, 1, 1]
    # The nearest original is another's: in the same hundred, or in another, which doesn't count.
    seen = 0.1 * originals[rows] + originals[torch.tensor([1, 100, 0, 160])]
    assert recognised(seen, originals, rows).tolist() == [0, 1, 1, 0]
    few = torch.eye(7)
    assert recognised(few, few, torch.arange(7)).sum() == 7
