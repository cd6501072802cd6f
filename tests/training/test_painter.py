"""The painter's stage: which edits it is trained on, its losses, and whole runs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.testing import assert_close

from icgan_sdk.artefacts.critic import find_critic
from icgan_sdk.artefacts.layout import weights_digest
from icgan_sdk.artefacts.store import load_artefact
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.errors import CheckpointError, ConfigError
from icgan_sdk.train import read_metrics, run
from icgan_sdk.training.edits import Edits, PlausibleEdits
from icgan_sdk.training.painter_batches import MatchedRows, PainterBatch
from icgan_sdk.training.painter_losses import (
    _lenience,
    brightness_change,
    change_penalties,
    cycle_loss,
    ease_of,
    reading_loss,
)
from icgan_sdk.training.recipe_files import load_config, override
from icgan_sdk.training.settings import PainterConfig
from icgan_sdk.training.train_config import TrainConfig
from tests.training.conftest import SECTIONS, KilledError, killed_at, write_bars

HAIR = AttributeSet(
    ("bald", "black", "blond", "male", "beard"), {"hair": ("bald", "black", "blond")}
)
PAINTER = [
    "model.painter_size=16",
    "model.painter_width=4",
    "painter.alone=true",
    "painter.epochs=2",
    "painter.batch_size=8",
    "painter.critic_width=2",
    "painter.warmup=3",
]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def people(count: int = 4000) -> Tensor:
    """Labels: hair is bald, black, blond or none of them; women are neither bald nor bearded."""
    draws = np.random.default_rng(0)
    labels = -np.ones((count, 5), np.float32)
    hair, male = draws.integers(0, 4, count), draws.integers(0, 2, count) > 0
    labels[male, 3] = 1
    labels[male & (draws.integers(0, 2, count) > 0), 4] = 1
    for column in range(3):
        labels[(hair == column) & (male | (column > 0)), column] = 1
    return torch.from_numpy(labels)


def test_edits_clear_siblings_and_ask_for_at_most_three_changes() -> None:
    y = people()
    edits = PlausibleEdits(y, HAIR).draw(y, seeded())
    assert set(edits.y.flatten().tolist()) == {-1.0, 1.0}
    assert ((edits.y[:, :3] > 0).sum(1) <= 1).all()
    changed = edits.y != y
    asked = edits.direction != 0
    assert not (changed & ~edits.touched & asked).any()
    real = asked & changed
    assert_close(edits.direction[real], edits.y[real])
    coming = (edits.direction > 0) & changed
    assert (coming[:, :3].any(1).float() + coming[:, 3] + coming[:, 4]).max() <= 3
    grown = coming[:, 1]
    assert (edits.touched[grown, 0] & edits.touched[grown, 2]).all()


def test_edits_leave_out_what_the_labels_do_not_hold() -> None:
    y = people()
    edits = PlausibleEdits(y, HAIR).draw(y, seeded())
    male, beard, bald = edits.y[:, 3] > 0, edits.y[:, 4] > 0, edits.y[:, 0] > 0
    assert not (beard & ~male).any()
    assert not (bald & ~male).any()
    # A bald man becomes a woman by growing hair, unasked: groups give way. Bearded men stay men.
    became = (y[:, 3] > 0) & ~male & (y[:, 0] > 0)
    assert became.any()
    assert (edits.direction[became & ((edits.y[:, :3] < 0).all(1)), 0] <= 0).all()


def test_some_edits_ask_for_what_is_there() -> None:
    y = people()
    edits = PlausibleEdits(y, HAIR).draw(y, seeded())
    same = (edits.y == y).all(1)
    assert 0.07 < float(same.float().mean()) < 0.2
    asked = edits.direction[same]
    assert ((asked != 0).sum(1) == 1).all()
    assert_close(asked[asked != 0], y[same][asked != 0])
    assert (edits.touched[same] == (asked != 0)).all()


def test_edits_of_classes_change_the_class() -> None:
    digits = AttributeSet.classes("digit", ("0", "1", "2", "3"))
    y = 2 * torch.eye(4).repeat(100, 1) - 1
    edits = PlausibleEdits(y, digits).draw(y, seeded())
    assert ((edits.y > 0).sum(1) == 1).all()
    moved = (edits.y != y).any(1)
    assert moved.float().mean() > 0.8
    assert_close(edits.direction[moved], (edits.y - y)[moved] / 2)


def test_labels_that_never_vary_ask_for_what_is_there() -> None:
    y = torch.ones(8, 2)
    edits = PlausibleEdits(y, AttributeSet(("a", "b"))).draw(y, seeded())
    assert torch.equal(edits.y, y)


def test_reading_is_a_hinge_with_emphasis() -> None:
    logits = torch.tensor([[2.0, 0.5, -1.0]])
    y = torch.tensor([[1.0, 1.0, 1.0]])
    touched = torch.tensor([[True, False, True]])
    assert_close(reading_loss(logits / 1.5, y, touched), torch.tensor((0 + 1.0 + 10 * 2.5) / 1.5))


def test_penalties_are_light_until_the_edit_is_read() -> None:
    y, asked = torch.tensor([[1.0, -1.0]] * 2), torch.tensor([[True, False]] * 2)
    ease = ease_of(torch.tensor([[-20.0, 0.0], [20.0, 0.0]]), y, asked)
    assert_close(ease, torch.tensor([0.2, 1.0]))
    change, mask = torch.full((2, 3, 4, 4), -0.5), torch.full((2, 1, 4, 4), 0.25)
    assert_close(change_penalties(change, mask, ease), torch.tensor(0.6 * (0.125 + 1.0)))
    mask[:, :, :, 2:] = 1.25
    assert_close(change_penalties(change, mask, torch.zeros(2)), torch.tensor(1 / 3))


def test_penalties_are_light_where_something_is_taken_away() -> None:
    y = torch.tensor([[1.0], [-1.0]])
    batch = batch_of(y_edited=y, direction=y)
    lenience = _lenience(torch.tensor([[20.0], [-20.0]]), batch)
    assert_close(lenience, torch.tensor([1.0, 0.4]))


def batch_of(**given: Tensor) -> PainterBatch:
    empty = torch.zeros(0)
    return PainterBatch(**{name: given.get(name, empty) for name in PainterBatch._fields})


def test_skin_keeps_its_brightness_where_it_is_to() -> None:
    change, skin = torch.zeros(3, 3, 4, 4), torch.zeros(4, 4)
    skin[:2] = 1 / 8
    change[0, :, :2] = 0.2  # brighter
    change[1, :, 0], change[1, :, 1] = 0.2, -0.2  # stained
    change[2] = 1.0  # not asked to stay
    kept = torch.tensor([True, True, False])
    assert_close(brightness_change(change, skin, kept), torch.tensor((0.3 + 0.1) / 2))
    change[:, :, :2] = 0.0  # elsewhere it doesn't count
    assert float(brightness_change(change, skin, kept)) == 0
    assert float(brightness_change(change, 0 * skin, torch.zeros(3, dtype=torch.bool))) == 0


def test_what_is_taken_off_again_counts_most_where_it_was_painted() -> None:
    bare = torch.zeros(1, 3, 4, 4)
    worn = bare.clone()
    worn[..., 0, 0] = 0.8  # sixteen times the mean
    left, elsewhere = bare.clone(), bare.clone()
    left[..., 0, 0] = elsewhere[..., 3, 3] = 0.16
    assert_close(cycle_loss(left, bare, worn), torch.tensor(0.01 * 3.5))
    assert_close(cycle_loss(elsewhere, bare, worn), torch.tensor(0.01 * 0.5))
    nothing = torch.zeros(0, 3, 4, 4, requires_grad=True)
    assert float(cycle_loss(nothing, nothing, nothing).detach()) == 0


def test_matched_photos_show_what_is_asked_for() -> None:
    y = people()
    edits = PlausibleEdits(y, HAIR).draw(y[:500], seeded())
    matched = y[MatchedRows(y, [name == "male" for name in HAIR.names]).find(edits, seeded())]
    assert (matched == edits.y)[edits.touched].float().mean() > 0.98
    assert (matched == edits.y)[:, 3].float().mean() > 0.98
    assert (matched == edits.y).all(1).float().mean() > 0.8
    # Without the matching, half of them would be of the other sex.
    assert not torch.equal(matched, y[:500])


def test_photos_are_matched_even_if_none_shows_what_is_asked_for() -> None:
    y = -torch.ones(4, 2)
    edits = Edits(torch.tensor([[1.0, -1.0]]), torch.tensor([[1.0, 0.0]]), torch.eye(2)[:1] > 0)
    assert 0 <= int(MatchedRows(y, [False, False]).find(edits, seeded())) < 4


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """A run over a model of 8×8, on pictures of 16×16."""
    folder = tmp_path_factory.mktemp("painter")
    small = write_bars(folder / "small")
    first = run(TrainConfig.from_dict({"data": str(small), **SECTIONS}), folder / "first")
    large = write_bars(folder / "large", side=16)
    plain = TrainConfig.from_dict({**SECTIONS, "data": str(large), "start": str(first)})
    model = {**plain.model, "image_size": 8, "painter_size": 16}
    config = TrainConfig.from_dict({**plain.to_dict(), "model": model, "painter": {}})
    return override(config, PAINTER)


def test_a_painter_is_trained_over_a_finished_model(
    started: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icgan_sdk.training.painter.SAMPLE_EVERY", 5)
    artefact = run(started, tmp_path / "run")
    networks, before = load_artefact(artefact), load_artefact(Path(started.start))
    assert networks.painter is not None
    assert networks.config.painter_size == 16
    ours = dict(networks.named_parameters())
    for name, weight in before.named_parameters():
        assert_close(ours[name], weight.half().float())
    assert len(list((tmp_path / "run/samples").glob("painter-*.png"))) == 2
    records = read_metrics(tmp_path / "run")
    assert any("asked" in r and "mask" in r for r in records)
    assert any("added" in r and "kept" in r for r in records)


def test_a_painter_is_trained_in_bfloat16(started: TrainConfig, tmp_path: Path) -> None:
    artefact = run(override(started, ["run.precision=bfloat16"]), tmp_path / "run")
    assert load_artefact(artefact).painter is not None


def test_a_painter_is_resumed_bit_by_bit(started: TrainConfig, tmp_path: Path) -> None:
    whole = run(started, tmp_path / "whole")
    with pytest.raises(KilledError):
        run(started, tmp_path / "cut", watcher=killed_at("painter", 7))
    assert weights_digest(run(started, tmp_path / "cut", mode="resume")) == weights_digest(whole)


PROJECTED = [
    "painter.critic=projected",
    "painter.put_on=bright, left",
    "painter.filters=true",
    "images.shift=1",
]


def test_a_painter_meets_the_projected_critic(started: TrainConfig, tmp_path: Path) -> None:
    config = override(started, PROJECTED)
    whole = run(config, tmp_path / "whole")
    records = [r for r in read_metrics(tmp_path / "whole") if "cycle" in r]
    assert any(float(r["cycle"]) > 0 for r in records)
    with pytest.raises(KilledError):
        run(config, tmp_path / "cut", watcher=killed_at("painter", 7))
    assert weights_digest(run(config, tmp_path / "cut", mode="resume")) == weights_digest(whole)
    # Its critic is there to go on with.
    stored = find_critic(whole)
    assert stored is not None
    assert stored.kind == "projected"
    again = TrainConfig.from_dict({**config.to_dict(), "start": str(whole)})
    still = override(again, ["painter.learning_rate=0", "painter.epochs=1", "run.seed=1"])
    more = find_critic(run(still, tmp_path / "more"))
    assert more is not None
    first, second = (load_file(critic.path) for critic in (stored, more))
    learnt = [name for name in first if name.endswith("original")]
    assert len(learnt) > 10
    for name in learnt:
        assert_close(second[name], first[name], rtol=0, atol=0)
    # Another kind of critic begins anew.
    other = override(again, ["painter.critic=own", "painter.epochs=1"])
    new = find_critic(run(other, tmp_path / "other"))
    assert new is not None
    assert new.kind == "own"


def test_what_is_put_on_must_be_in_the_data(started: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"painter\.put_on: no attribute 'lefd'.*left"):
        run(override(started, ["painter.put_on=lefd"]), tmp_path / "run")


def test_a_painter_in_a_whole_run(config: TrainConfig, tmp_path: Path) -> None:
    model = {**config.model, "painter_size": 8}
    config = TrainConfig.from_dict({**config.to_dict(), "model": model, "painter": {}})
    config = override(config, [s for s in PAINTER if "size=16" not in s and "alone" not in s])
    with pytest.raises(CheckpointError, match="painter builds on stage encoder_y"):
        run(config, tmp_path / "run", stages=["painter"])
    assert load_artefact(run(config, tmp_path / "run")).painter is not None


def test_a_run_goes_on_with_the_start_models_painter(started: TrainConfig, tmp_path: Path) -> None:
    first = run(started, tmp_path / "first")
    again = TrainConfig.from_dict({**started.to_dict(), "start": str(first)})
    still = override(again, ["painter.learning_rate=0", "run.seed=1", "painter.epochs=1"])
    second = run(still, tmp_path / "second")
    before, after = (dict(load_artefact(a).named_parameters()) for a in (first, second))
    for name, weight in before.items():
        assert_close(after[name], weight, rtol=0, atol=0)
    assert "has a painter" in (second / "README.md").read_text("utf-8")
    wider = override(again, ["model.painter_width=8"])
    with pytest.raises(ConfigError, match="painter_width differ"):
        run(wider, tmp_path / "wider")


def test_the_critic_meets_a_trained_painter_before_it_judges(
    started: TrainConfig, tmp_path: Path
) -> None:
    first = run(started, tmp_path / "first")
    plain = {**started.to_dict(), "start": str(first)}
    warm = override(TrainConfig.from_dict(plain), ["painter.warmup=5", "run.log_every=1"])
    losses: list[list[float]] = []
    for config, name in ((override(started, ["painter.warmup=5"]), "new"), (warm, "more")):
        run(override(config, ["run.log_every=1"]), tmp_path / name)
        steps = [
            r for r in read_metrics(tmp_path / name) if "critic" in r and float(r["step"]) <= 5
        ]
        losses.append([float(r["critic"]) for r in steps])
        assert not any("score" in r for r in steps)
    # Hinge losses of real and wrong ones begin near 1.5; with painted ones and parts, near 4.5.
    assert max(losses[0]) < 2.5 < min(losses[1])


def test_a_run_without_painter_starts_from_a_model_with_one(
    config: TrainConfig, tmp_path: Path
) -> None:
    model = {**config.model, "painter_size": 8}
    painted = TrainConfig.from_dict({**config.to_dict(), "model": model, "painter": {}})
    painted = override(painted, [s for s in PAINTER if "size=16" not in s and "alone" not in s])
    first = run(painted, tmp_path / "first")
    plain = TrainConfig.from_dict({**config.to_dict(), "start": str(first)})
    assert load_artefact(run(plain, tmp_path / "second")).painter is None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_painter_is_trained_on_cuda(started: TrainConfig, tmp_path: Path) -> None:
    artefact = run(override(started, ["run.device=cuda", "run.precision=auto"]), tmp_path / "run")
    assert load_artefact(artefact).painter is not None


def test_what_does_not_fit_is_refused(
    started: TrainConfig, config: TrainConfig, tmp_path: Path
) -> None:
    for wrong, message in (
        (TrainConfig.from_dict({**started.to_dict(), "start": ""}), "needs a model to start from"),
        (override(started, ["painter.alone=false"]), "data of its own size first"),
        (override(started, ["model.painter_size=32"]), "painter_size must be the side"),
    ):
        with pytest.raises(ConfigError, match=message):
            run(wrong, tmp_path / "run")
    with pytest.raises(ConfigError, match="image_size follows from the data"):
        override(config, ["model.image_size=8"])
    for lone in (["painter.epochs=2"], ["model.painter_size=8"]):
        with pytest.raises(ConfigError, match="painter_size and the section painter need each"):
            override(config, lone)
    assert load_config("celeba_painter").section("painter", PainterConfig).alone
