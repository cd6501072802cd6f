"""Studies, run for real on tiny networks."""

import json
from pathlib import Path

import pytest

from icgan_sdk.errors import CheckpointError, ConfigError
from icgan_sdk.evaluation.metrics import encoder_errors
from icgan_sdk.evaluation.reproduce import reproduce
from icgan_sdk.evaluation.studies.study import StudyName, StudyResult
from icgan_sdk.evaluation.studies.study_catalogue import STUDIES
from icgan_sdk.evaluation.studies.study_columns import COLUMNS
from icgan_sdk.evaluation.studies.study_report import study_report
from icgan_sdk.evaluation.studies.study_variants import SMALL, effective_settings
from icgan_sdk.train import load_config
from tests.training.conftest import write_bars

TINY = (
    "model.z_dim=3",
    "model.generator_width=4",
    "model.generator_fc=0",
    "model.discriminator_width=4",
    "model.encoder_width=2",
    "model.encoder_y_fc=8",
    "model.encoder_z_fc=8",
    "gan.epochs=1",
    "gan.batch_size=8",
    "generated.images=20",
    "encoder_z.epochs=1",
    "encoder_z.batch_size=8",
    "encoder_y.epochs=1",
    "encoder_y.batch_size=8",
    "run.precision=float32",
)


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bars(tmp_path_factory.mktemp("data") / "bars")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studies")


@pytest.fixture(autouse=True)
def few_generated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_errors, "GENERATED_IMAGES", 64)


def test_a_study_of_larger_pictures_says_so(bars: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"needs 64×64: .* --size 64; theirs is 8"):
        run("table3", bars, tmp_path)


def run(name: StudyName, bars: Path, out: Path) -> StudyResult:
    return reproduce(name, bars, out, scale="small", settings=TINY, device="cpu")


@pytest.mark.slow
def test_studies_share_their_models_and_resume(bars: Path, out: Path) -> None:
    first = run("encoders", bars, out)
    runs = {path.name: (path / "run.json").stat().st_mtime_ns for path in (out / "runs").iterdir()}
    work: set[str] = set()
    reproduce(
        "ey-source",
        bars,
        out,
        scale="small",
        settings=TINY,
        device="cpu",
        watcher=lambda part, done, total: work.add(part),
    )
    assert set(runs) <= {path.name for path in (out / "runs").iterdir()}
    # "real images" is IND, and is there.
    trained = {part for part in work if part.startswith("training")}
    assert trained == {"training generated images, encoder_y"}
    assert run("encoders", bars, out).figures == first.figures


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["encoders", "ey-source", "sampling", "poster", "ingredients", "ingredients128"]
)
def test_study_trains_measures_and_reports(name: StudyName, bars: Path, out: Path) -> None:
    result = run(name, bars, out)
    study = STUDIES[name]
    assert list(result.figures) == [v.name for v in study.variants]
    for variant in study.variants:
        missing = set(study.columns) - set(result.figures[variant.name])
        assert not missing
    report = (out / f"{name}.md").read_text()
    assert report.startswith(f"# {study.title}\n")
    assert "small scale" in report
    assert report.count("`gan.epochs=") == 1  # the setting that holds, not the one it replaced
    for line in report.splitlines():
        if line.startswith("!["):
            assert (out / line.partition("(")[2].rstrip(")")).is_file()
    saved = json.loads((out / f"{name}.json").read_text())
    assert saved["figures"] == result.figures


def test_forked_encoders_invert_the_same_generator(bars: Path, out: Path) -> None:
    run("encoders", bars, out)
    saved = {(path / "checkpoints/generated.pt").read_bytes() for path in (out / "runs").iterdir()}
    designs = [p for p in (out / "runs").iterdir() if "sng" in (p / "config.toml").read_text()]
    assert len(designs) == 1
    assert len(saved) < len(list((out / "runs").iterdir()))


def test_other_settings_are_other_models(bars: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        reproduce("sampling", bars, tmp_path, scale="small", settings=TINY, seed=seed, device="cpu")
    assert len(list((tmp_path / "runs").iterdir())) == 2 * len(STUDIES["sampling"].variants)


def test_bad_requests(bars: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="table3"):
        reproduce("table4", bars, tmp_path, scale="small")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="scale must be one of full, small, not 'Small'"):
        reproduce("sampling", bars, tmp_path, scale="Small")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="widht"):
        reproduce("sampling", bars, tmp_path, scale="small", settings=("gan.widht=3",))
    with pytest.raises(ConfigError, match="discriminator_y_layer"):  # 8×8 has no layer 4
        reproduce("table3", bars, tmp_path, scale="full", settings=TINY)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_damaged_base_is_no_silent_start(bars: Path, tmp_path: Path) -> None:
    run("encoders", bars, tmp_path)
    base = next(
        p
        for p in (tmp_path / "runs").iterdir()
        if "encoder_design" not in (p / "config.toml").read_text()
    )
    (base / "checkpoints" / "gan.pt").write_bytes(b"junk")
    with pytest.raises(CheckpointError):
        run("ey-source", bars, tmp_path)


@pytest.mark.parametrize("name", list(STUDIES))
def test_plans_are_consistent(name: StudyName) -> None:
    study = STUDIES[name]
    names = [v.name for v in study.variants]
    assert len(set(names)) == len(names)
    assert set(study.columns) <= set(COLUMNS)
    for i, variant in enumerate(study.variants):
        if variant.shares:  # a GAN can be taken over only where its settings are the same
            base = study.variants[names[:i].index(variant.shares)]
            mine, theirs = (
                {s for s in v.settings if not s.startswith(("model.encoder_", "encoder_"))}
                for v in (variant, base)
            )
            assert mine == theirs
        assert set(variant.paper) <= set(study.columns)
        load_config(variant.recipe, (*SMALL, *variant.small, *variant.settings))
    for ordering in study.orderings:
        assert ordering.column in study.columns
        assert set(ordering.best_first) <= set(names)


def test_the_best_places_of_y_are_one_model() -> None:
    variants = {v.name: v for v in STUDIES["table3"].variants}
    assert len(variants) == 10
    assert variants["D: layer 1"].settings == variants["G: input"].settings == ()
    assert len({v.settings for v in variants.values()}) == 9


def test_verdict_counts_pairs_in_the_papers_order() -> None:
    study = STUDIES["encoders"]
    errors = {"IND": 0.3, "IND-COND": 0.2, "SNG": 0.5}
    result = StudyResult(
        name="encoders",
        scale="full",
        data="faces",
        seed=0,
        settings=(),
        own_settings={"SNG": ("model.encoder_design=sng",)},
        real={},
        figures={name: {"z_error": error} for name, error in errors.items()},
    )
    report = study_report(study, result, {})
    assert "IND-COND (0.2000) > IND (0.3000) > SNG (0.5000)" in report
    assert "2 of 3 pairs are in the claimed order" in report
    assert "| IND | 0.3000 |" in report
    assert "- SNG: recipe `paper` with `model.encoder_design=sng`" in report
    assert "0.4290 |" in report  # the paper's own figure beside ours


def test_settings_that_hold_are_reported_once() -> None:
    found = effective_settings(STUDIES["poster"], "small", ("gan.epochs=1",))
    common, own = found["settings"], found["own_settings"]
    assert "gan.epochs=1" in common
    assert "gan.epochs=3" not in common
    assert not any(s.startswith("model.discriminator_width") for s in common)
    assert "model.discriminator_width=64" in own["poster"]
    assert own["paper's model"] == ("model.discriminator_width=32",)
    users = effective_settings(STUDIES["poster"], "small", ("model.discriminator_width=8",))
    assert "model.discriminator_width=8" in users["settings"]
    assert own["poster"] != users["own_settings"]["poster"] == ("model.generator_fc=512",)
