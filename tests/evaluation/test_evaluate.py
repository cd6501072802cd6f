import itertools
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from icgan_sdk.artefacts.quality import read_quality
from icgan_sdk.artefacts.store import copy_artefact, save_artefact
from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError, DatasetError, IcGANError, ModelNotFoundError, SaveError
from icgan_sdk.evaluation import (
    ARCHITECTURES,
    Evaluation,
    evaluate,
    load_referee,
    read_real,
)
from icgan_sdk.evaluation.evaluate import _draw
from icgan_sdk.evaluation.metrics.attribute_readings import AttributeReadings, Reading
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.edits import EditsMetric
from icgan_sdk.evaluation.metrics.first_pictures import FirstPictures
from icgan_sdk.evaluation.metrics.measuring import measure
from icgan_sdk.evaluation.metrics.memorisation import MemorisationMetric
from icgan_sdk.evaluation.metrics.metric_table import METRICS
from icgan_sdk.evaluation.metrics.seeing import RealPictures
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.evaluation.referees.training_features import FEATURES_FILE, kept_features
from tests.conftest import tiny_networks
from tests.evaluation.made_up import made_up
from tests.evaluation.painter import Painter

PLOTS = {"attributes", "confusion", "edits"}
REAL_PICTURES = {"reconstructions", "variations", "interpolation", "swap", "neighbours"}


@pytest.fixture(scope="module")
def model(tiny_config: ModelConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_artefact(tiny_networks(tiny_config), folder, card="# Tiny\n")
    return folder


Judged = tuple[Path, Evaluation, list[tuple[str, float]]]


@pytest.fixture(scope="module")
def judged(
    model: Path,
    faces: PreparedDataset,
    quick_judges: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Judged:
    """The model's report on 16 pictures, its result, and what the watcher was told."""
    told = []
    out = tmp_path_factory.mktemp("judged") / "report"
    result = evaluate(
        model,
        faces.folder,
        out,
        referees=quick_judges / "faces",
        limit=16,
        device="cpu",
        watcher=lambda part, done, total: told.append((part, done / total)),
    )
    return out, result, told


def strict(text: str) -> dict[str, Any]:
    """JSON without NaN and infinities."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    plain: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return plain


def written(out: Path) -> dict[str, Any]:
    return strict((out / "evaluation.json").read_text("utf-8"))


def images(out: Path) -> set[str]:
    return {path.stem for path in (out / "images").iterdir()}


def test_faces(judged: Judged, faces: PreparedDataset) -> None:
    out, result, told = judged
    assert written(out) == strict(result.to_json())
    assert list(written(out)) == ["format", "subject", "referees", *result.figures, "seconds"]
    assert list(result.figures) == [metric.name for metric in METRICS]
    assert written(out)["format"] == 2
    assert (result.subject.model, result.subject.images) == ("tiny", 16)
    assert result.subject.fingerprint == faces.fingerprint()
    assert {reader: set(kinds) for reader, kinds in result.attributes.items()} == {
        "anet": {"real", "generated", "reconstructed"},
        "residual": {"real", "generated", "reconstructed"},
        "encoder_y": {"real"},
    }
    assert result.classes is None
    assert result.inversion.generated == result.fidelity.images == result.edits.images == 16
    assert result.memorisation.training_images == 128
    assert set(result.edits.removing) == set(faces.attributes.names)
    assert result.referees["anet"]["settings"]["epochs"] == 1
    parts = [part for part, share in told if share == 1]
    shared = ["real pictures", "generated pictures"]
    by_cost = [[m.name for m in METRICS if m.round == number] for number in range(3)]
    rounds = [[*shared, *names] for names in by_cost]
    assert parts == [*itertools.chain(*rounds), "pictures"]
    assert set(result.seconds) == {*shared, *result.figures}
    assert images(out) == PLOTS | REAL_PICTURES | {"samples"}
    report = (out / "report.md").read_text("utf-8")
    assert all(f"(images/{name}.png)" in report for name in images(out))
    with Image.open(out / "images" / "reconstructions.png") as sheet:
        assert sheet.size == (4 * (8 * 18 + 2), 4 * (4 * 18 + 2))  # pictures of 16, fourfold


@pytest.mark.slow
def test_digits(
    digits: PreparedDataset, digits_config: ModelConfig, quick_judges: Path, tmp_path: Path
) -> None:
    save_artefact(tiny_networks(digits_config), tmp_path / "model", card="")
    result = evaluate(
        tmp_path / "model",
        digits.folder,
        tmp_path / "out",
        referees=quick_judges / "digits",
        partition="validation",
        device="cpu",
    )
    labels = digits.part("validation").all_labels()
    assert result.subject.images == 64
    assert result.classes is not None
    assert [sum(row) for row in result.classes] == (labels > 0).sum(0).tolist()
    # The plotted images are those of Table 3.
    right = sum(result.classes[i][i] for i in range(3)) / 64
    assert result.attributes["residual"]["generated"].class_accuracy == pytest.approx(right)
    assert result.edits.removing == {}
    assert "# Changing the class" in (tmp_path / "out" / "report.md").read_text("utf-8")


@pytest.mark.slow
def test_the_same_seed_gives_the_same(
    judged: Judged, model: Path, faces: PreparedDataset, quick_judges: Path, tmp_path: Path
) -> None:
    folder, first, _ = judged
    again, other = (
        evaluate(
            model,
            faces.folder,
            tmp_path / str(seed),
            referees=quick_judges / "faces",
            limit=16,
            seed=seed,
            pictures="generated",
            device="cpu",
        )
        for seed in (0, 1)
    )
    assert replace(first, seconds={}) == replace(again, seconds={})
    assert first.fidelity != other.fidelity
    assert first.attributes["anet"]["real"] == other.attributes["anet"]["real"]
    sheets = [
        (out / "images" / "samples.png").read_bytes()
        for out in (folder, tmp_path / "0", tmp_path / "1")
    ]
    assert sheets[0] == sheets[1] != sheets[2]


@pytest.mark.parametrize(("pictures", "shown"), [("generated", {"samples"}), ("none", set())])
def test_fewer_pictures_replace_those_of_before(
    judged: Judged,
    model: Path,
    faces: PreparedDataset,
    quick_judges: Path,
    tmp_path: Path,
    pictures: Any,
    shown: set[str],
) -> None:
    out = tmp_path / "out"
    shutil.copytree(judged[0], out)
    assert "left out" not in (out / "report.md").read_text("utf-8")
    given: Any = {"referees": quick_judges / "faces", "limit": 2, "device": "cpu"}
    evaluate(model, faces.folder, out, pictures=pictures, **given)
    assert images(out) == PLOTS | shown
    assert {p.name for p in out.iterdir()} == {"evaluation.json", "report.md", "images"}
    assert "left out" in (out / "report.md").read_text("utf-8")


@pytest.mark.parametrize("count", [2, 3, 9])
def test_pictures_of_a_small_partition(
    count: int, faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    part = RealPictures(faces.part("test", count), {"residual": tiny_referee})
    bench = Bench(tiny_networks(tiny_config), part, train=faces.part("train"))
    first, metric = FirstPictures(), MemorisationMetric(bench)
    measure(bench, [metric], [first])
    sheets = _draw(bench, "all", [metric], first)
    assert set(sheets) == REAL_PICTURES | {"samples"}
    assert sheets["reconstructions"].width == 18 * min(count, 8) + 2
    assert sheets["swap"].height > 18 * (count // 2)


def test_a_run_shows_its_losses(
    model: Path, faces: PreparedDataset, quick_judges: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.toml").write_text("")
    given: Any = {
        "referees": quick_judges / "faces",
        "pictures": "none",
        "limit": 2,
        "device": "cpu",
    }
    with pytest.raises(ModelNotFoundError, match="icgan train --resume"):
        evaluate(run, faces.folder, tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()
    shutil.copytree(model, run / "artefact")
    (run / "metrics.jsonl").write_text('{"stage": "gan", "step": 1, "epoch": 1, "d": 0.5}\n')
    result = evaluate(run, faces.folder, tmp_path / "out", **given)
    assert result.subject.model == "run"
    assert images(tmp_path / "out") == PLOTS | {"losses"}


def test_a_quick_evaluation_trains_no_referee(
    model: Path, faces: PreparedDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "out"
    result = evaluate(model, faces.folder, out, quick=True, device="cpu", pictures="none")
    assert set(result.figures) == {"told_apart", "way_left", "same_person", "inversion"}
    assert result.referees == {}
    assert not (tmp_path / "cache" / "icgan_sdk").exists()
    assert "being measured" not in (out / "report.md").read_text("utf-8")
    with pytest.raises(ConfigError, match="need referees"):
        evaluate(model, faces.folder, out, quick=True, metrics=["edits"])


def test_what_costs_least_is_reported_first(
    model: Path, faces: PreparedDataset, quick_judges: Path, tmp_path: Path
) -> None:
    out, seen = tmp_path / "out", []

    def watch(part: str, done: int, total: int) -> None:
        if (out / "report.md").exists():
            seen.append((out / "report.md").read_text("utf-8"))
            assert set(written(out)) - {"format", "subject", "referees", "seconds"}

    evaluate(
        model,
        faces.folder,
        out,
        referees=quick_judges / "faces",
        metrics=["inversion", "identification"],
        pictures="none",
        limit=8,
        device="cpu",
        watcher=watch,
    )
    assert "Still being measured: `identification`" in seen[0]
    assert "being measured" not in (out / "report.md").read_text("utf-8")


def test_features_of_training_pictures_are_kept(
    faces: PreparedDataset, tiny_referee: Referee, tmp_path: Path
) -> None:
    train = faces.part("train")
    made = []

    def features(images: Tensor) -> Tensor:
        made.append(len(images))
        return tiny_referee.features(images)

    first = kept_features(tmp_path, tiny_referee, train, features)
    again = kept_features(tmp_path, tiny_referee, train, features)
    assert torch.equal(first, again)
    assert sum(made) == len(train)
    kept_features(tmp_path, tiny_referee, faces.part("test"), features)  # of other data: made again
    assert sum(made) == len(train) + len(faces.part("test"))
    (tmp_path / FEATURES_FILE).write_bytes(b"cut off")
    assert torch.equal(kept_features(tmp_path, tiny_referee, train, features), first)


@pytest.mark.slow
def test_missing_referees_are_trained(
    model: Path, faces: PreparedDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    told: set[str] = set()
    out = tmp_path / "out"
    evaluate(
        model,
        faces.folder,
        out,
        pictures="none",
        limit=2,
        device="cpu",
        watcher=lambda part, done, total: told.add(part),
    )
    assert {part for part in told if part.startswith("referee")} == {
        "referee anet",
        "referee residual",
    }
    for name in ARCHITECTURES:
        kept = tmp_path / "cache/icgan_sdk/referees" / faces.fingerprint()[:16] / name
        assert load_referee(kept).architecture == name


@pytest.fixture
def painted(faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee) -> Any:
    """Measures a Painter that obeys or not, by the first so many test pictures."""

    def paint(obeys: bool) -> Any:
        judges: dict[Any, Referee] = {"anet": tiny_referee, "residual": tiny_referee}
        bench = Bench(
            Painter(tiny_config, obeys=obeys), RealPictures(faces.part("test", 40), judges)
        )
        return measure(bench, [AttributeReadings(bench), EditsMetric(bench)])

    return paint


def test_a_perfect_model_and_one_that_ignores_y(
    painted: Any, faces: PreparedDataset, tiny_referee: Referee
) -> None:
    good, bad = painted(True), painted(False)
    real = Reading.of(read_real(tiny_referee, faces.part("test", 40)), one_hot=False)
    (right, edits), (wrong, no_edits) = good.values(), bad.values()
    assert right["residual"]["real"] == wrong["residual"]["real"] == real
    assert right["encoder_y"]["real"].mean_f1 == 1
    assert right["residual"]["generated"].mean_f1 > 0.9
    assert wrong["residual"]["generated"].mean_f1 < 0.6
    assert right["residual"]["reconstructed"].mean_f1 > 0.9
    assert wrong["residual"]["reconstructed"].mean_f1 > 0.9
    assert edits.mean.hit > 0.9
    assert no_edits.mean.hit < 0.2


def test_json_has_null_for_what_is_no_number(tiny_config: ModelConfig) -> None:
    result = made_up(tiny_config)
    assert strict(result.to_json())["fidelity"]["fid"] == 12.5
    diverged = replace(result.fidelity, fid=float("nan"), kid=float("inf"))
    broken = replace(result, figures=result.figures | {"fidelity": diverged})
    plain = strict(broken.to_json())["fidelity"]
    assert (plain["fid"], plain["kid"], plain["kid_std"]) == (None, None, 0)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"partition": "tset"}, DatasetError, "has no partition 'tset'; did you mean 'test'"),
        ({"partition": "holdout"}, DatasetError, "known: train, validation, test"),
        ({"pictures": "some"}, ConfigError, "pictures must be one of all, generated, none"),
        ({"detail": "fine"}, ConfigError, "detail must be one of auto, generated, photo"),
        ({"limit": 1}, ConfigError, "limit must be a whole number from 2"),
        ({"refine": -1}, ConfigError, "refine must be a whole number from 0"),
        ({"seed": -1}, ConfigError, "seed must be a whole number from 0"),
        ({"device": "tpu"}, ConfigError, "device"),
        ({"data": "nowhere"}, DatasetError, "nowhere is not a prepared data set"),
        ({"model": "nothing"}, ModelNotFoundError, "no model named 'nothing'"),
    ],
)
def test_errors_come_before_any_work(
    model: Path,
    faces: PreparedDataset,
    tmp_path: Path,
    options: dict[str, Any],
    error: type[IcGANError],
    message: str,
) -> None:
    given = {"model": model, "data": faces.folder, "out": tmp_path / "out", **options}
    with pytest.raises(error, match=message):
        evaluate(**given)
    assert not (tmp_path / "out").exists()


def test_a_model_of_other_data(model: Path, digits: PreparedDataset, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        evaluate(model, digits.folder, tmp_path / "out", device="cpu")
    message = str(raised.value)
    for difference in (
        "attributes ['Male', 'Smiling', 'Black_Hair', 'Blond_Hair'] against ['0', '1', '2']",
        "one_hot False against True",
        "padding 0 against 2",
        "channels 3 against 1",
    ):
        assert difference in message
    assert "image_size" not in message


def test_other_files_are_left_alone(model: Path, faces: PreparedDataset, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "images").mkdir(parents=True)
    (out / "images" / "mine.png").write_text("mine")
    with pytest.raises(SaveError, match=r"holds other files \(images\)"):
        evaluate(model, faces.folder, out, device="cpu")
    assert [p.name for p in out.rglob("*")] == ["images", "mine.png"]


@pytest.mark.parametrize("package", ["matplotlib", "torchmetrics"])
def test_a_missing_package_is_named_first(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # as if not installed
    with pytest.raises(ConfigError, match=rf"{package}: pip install 'icgan-sdk\[evaluation\]'"):
        evaluate("mnist", "nowhere", tmp_path / "out")


def test_what_a_killed_evaluation_left_is_no_other_file(
    model: Path, faces: PreparedDataset, quick_judges: Path, tmp_path: Path
) -> None:
    script = """
import os, sys
from pathlib import Path
from icgan_sdk.files import atomic_file
with atomic_file(sys.argv[1]) as temporary:
    temporary.write_text("{")
    os._exit(0)
"""
    out = tmp_path / "out"
    subprocess.run([sys.executable, "-c", script, str(out / "evaluation.json")], check=True)
    assert len(list(out.iterdir())) == 1
    evaluate(model, faces.folder, out, referees=quick_judges / "faces", limit=8, device="cpu")
    assert {path.name for path in out.iterdir()} == {"evaluation.json", "images", "report.md"}


def test_quality_goes_into_the_models_folder(
    model: Path, faces: PreparedDataset, tmp_path: Path
) -> None:
    own = tmp_path / "model"
    copy_artefact(model, own)
    with pytest.raises(ConfigError, match="keep_quality needs the metric 'way_left'"):
        evaluate(own, faces.folder, tmp_path / "out", metrics=["inversion"], keep_quality=True)
    result = evaluate(
        own,
        faces.folder,
        tmp_path / "out",
        metrics=["way_left"],
        keep_quality=True,
        pictures="none",
        device="cpu",
    )
    assert read_quality(own) is not None
    assert set(result.figures["way_left"].adding) == set(faces.attributes.names)
