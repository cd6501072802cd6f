"""Whole runs on a tiny data set: every design, every stage alone, resumed after kill -9."""

import csv
import hashlib
import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import typer
from PIL import Image
from torch import nn

from icgan_sdk.artefacts.layout import weights_digest
from icgan_sdk.artefacts.store import load_artefact
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.cli.train import parse_duration
from icgan_sdk.errors import CheckpointError, ConfigError
from icgan_sdk.train import (
    Progress,
    Stage,
    fork,
    is_finished,
    read_metrics,
    run,
    saved_config,
)
from icgan_sdk.training import context as context_module
from icgan_sdk.training import pipeline
from icgan_sdk.training.recipe_files import override
from icgan_sdk.training.run_folder import Mode
from icgan_sdk.training.train_config import TrainConfig
from tests.training.conftest import SECTIONS, write_bars


@pytest.mark.parametrize("design", ["ind", "sng", "ind_cond"])
def test_every_design_trains_to_an_artefact(
    config: TrainConfig, tmp_path: Path, design: str
) -> None:
    data = tmp_path / "donn\udce9es"  # a name in Latin-1
    shutil.copytree(config.data, data)
    config = replace(override(config, [f"model.encoder_design={design}"]), data=str(data))
    seen: list[Progress] = []
    command = f"icgan train x --data {data}"
    artefact = run(config, tmp_path / "run", watcher=seen.append, command=command)
    networks = load_artefact(artefact)
    assert networks.config.encoder_design == design
    assert networks.config.attributes.groups == {"side": ("left", "right")}
    z, y = networks.encode(torch.zeros(2, 1, 8, 8))
    assert networks.decode(z, y).isfinite().all()
    card = (artefact / "README.md").read_text()
    assert "icgan train x" in card
    assert "# run: an IcGAN model" in card
    assert "bars: pictures of 8×8, 48 (train) and 16 (test)." in card
    assert "Fill in: a licence" in card
    with (artefact.parent / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    losses = [row["d"] for row in rows if row["stage"] == "gan"]
    assert losses
    assert all(float(loss) > 0 for loss in losses)
    assert {"stage", "step", "epoch", "d", "g"} <= set(rows[0])
    assert r"donn\udce9es" in card
    assert saved_config(tmp_path / "run") == config
    stages = ["gan", "generated", "encoder_z"] + ([] if design == "sng" else ["encoder_y"])
    assert list(dict.fromkeys(p.stage for p in seen)) == stages
    assert [p.step for p in seen if p.stage == "gan"] == list(range(1, 13))
    records = read_metrics(tmp_path / "run")
    gan = [r for r in records if r["stage"] == "gan"]
    assert [r["step"] for r in gan] == [2, 4, 6, 8, 10, 12]
    assert all({"d", "g", "images_per_second", "epoch"} <= set(r) for r in gan)
    assert any("generated_z" in r for r in records)
    with Image.open(tmp_path / "run/samples/gan-0002.png") as grid:
        assert grid.width == 3 * 10 + 2
        assert grid.height > 8 * 10 + 2  # titles above


def test_same_seed_same_weights(config: TrainConfig, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(config, tmp_path / name)
    run(override(config, ["run.seed=1"]), tmp_path / "c")
    assert weights_digest(tmp_path / "a" / "artefact") == weights_digest(
        tmp_path / "b" / "artefact"
    )
    assert weights_digest(tmp_path / "a" / "artefact") != weights_digest(
        tmp_path / "c" / "artefact"
    )


def test_stages_one_by_one_equal_the_whole(config: TrainConfig, tmp_path: Path) -> None:
    run(config, tmp_path / "whole")
    with pytest.raises(CheckpointError, match="encoder_z builds on stage generated"):
        run(config, tmp_path / "parts", stages=["encoder_z"])
    for stage in ("encoder_y", "gan", "generated", "encoder_z"):
        assert not (tmp_path / "parts" / "artefact").exists()
        run(config, tmp_path / "parts", stages=[stage])
    assert weights_digest(tmp_path / "whole" / "artefact") == weights_digest(
        tmp_path / "parts" / "artefact"
    )


def test_modes(config: TrainConfig, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(CheckpointError, match="holds no run"):
        run(config, folder, mode="resume")
    run(config, folder, command="first")
    first = weights_digest(folder / "artefact")
    with pytest.raises(CheckpointError, match="already holds gan"):
        run(config, folder)
    (folder / "checkpoints" / ".gan.99.tmp.pt").write_bytes(b"half")  # as a kill leaves it
    run(config, folder, mode="resume", command="second")
    assert weights_digest(folder / "artefact") == first
    changed = override(config, ["encoder_z.learning_rate=0.01"])
    with pytest.raises(CheckpointError, match=r"encoder_z\.learning_rate"):
        run(changed, folder, mode="resume")
    run(changed, folder, stages=["encoder_z"], mode="restart", command="third")
    assert weights_digest(folder / "artefact") != first
    assert "first\nthird\n" in (folder / "artefact/README.md").read_text()
    assert saved_config(folder) == changed
    run(config, folder, stages=["gan"], mode="restart")
    left = {p.name for p in folder.iterdir()}
    records = {"metrics.jsonl", "metrics.csv", "run.json"}
    assert left == {".lock", "checkpoints", "config.toml", "samples"} | records
    assert {p.name for p in (folder / "checkpoints").iterdir()} == {"gan.pt", "encoder_y.pt"}


@pytest.mark.parametrize(
    ("setting", "mode"),
    [
        ("gan.epochs=3", "resume"),
        ("gan.label_sampling=kde", "new"),  # of a stage that is there already
        ("run.seed=1", "new"),
        ("run.channels_last=false", "resume"),  # would scramble the optimiser's moments
        ("model.z_dim=4", "restart"),
    ],
)
def test_settings_of_stages_that_stay_are_fixed(
    config: TrainConfig, tmp_path: Path, setting: str, mode: Mode
) -> None:
    folder = tmp_path / "run"
    run(config, folder, stages=["gan"])
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    stages: list[Stage] = ["gan"] if mode == "resume" else ["generated"]
    with pytest.raises(CheckpointError, match=setting.partition("=")[0]):
        run(override(config, [setting]), folder, stages=stages, mode=mode)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_other_data_are_refused(config: TrainConfig, tmp_path: Path) -> None:
    run(config, tmp_path / "run", stages=["gan"])
    same = write_bars(tmp_path / "moved")
    run(replace(config, data=str(same)), tmp_path / "run", stages=["gan"], mode="resume")
    other = write_bars(tmp_path / "other", seed=1)
    with pytest.raises(CheckpointError, match="is not the data set"):
        run(replace(config, data=str(other)), tmp_path / "run", mode="resume")


def test_another_number_of_steps_is_refused(config: TrainConfig, tmp_path: Path) -> None:
    """As when a run is resumed with another number of processes."""
    run(config, tmp_path / "run", stages=["gan"])
    path = tmp_path / "run/checkpoints/gan.pt"
    state = torch.load(path, weights_only=True)
    torch.save({**state, "steps": 6}, path)
    with pytest.raises(CheckpointError, match="as many processes"):
        run(config, tmp_path / "run", mode="resume")


def test_unknown_stages_and_modes(config: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no stage 'gam'"):
        run(config, tmp_path / "run", stages=["gam"])
    with pytest.raises(ConfigError, match="mode must be one of"):
        run(config, tmp_path / "run", mode="again")  # type: ignore[arg-type]
    sng = override(config, ["model.encoder_design=sng"])
    with pytest.raises(ConfigError, match="no stage 'encoder_y'"):
        run(sng, tmp_path / "run", stages=["encoder_y"])
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def digest_with(
    bars: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Sequence[str]], str]:
    """The weights that a run with some settings ends with; each run is made once."""
    plain = TrainConfig.from_dict({"data": str(bars), **SECTIONS})
    found: dict[tuple[str, ...], str] = {}

    def run_once(settings: Sequence[str]) -> str:
        key = tuple(settings)
        if key not in found:
            artefact = run(override(plain, settings), tmp_path_factory.mktemp("option") / "run")
            assert all(p.isfinite().all() for p in load_artefact(artefact).parameters())
            found[key] = weights_digest(artefact)
        return found[key]

    return run_once


@pytest.mark.parametrize(
    "settings",
    [
        ["encoder_z.pixel_weight=5"],
        ["images.shift=0"],
        ["images.flip=false"],
        ["encoder_y.source=generated"],
        ["model.encoder_design=sng"],
        ["model.encoder_design=sng", "encoder_y.source=generated"],
        ["gan.label_sampling=kde"],
        ["gan.label_sampling=interpolation"],
        ["model.noise=uniform"],
        ["gan.schedule=cosine"],
        ["gan.adam=torch7"],
        ["gan.ema_decay=0"],
        ["generated.smooth_output=true"],
        ["model.generator_fc=6"],
        ["run.precision=bfloat16"],
    ],
)
def test_options(digest_with: Callable[[Sequence[str]], str], settings: list[str]) -> None:
    """Each option takes effect: the run without the last one ends otherwise."""
    assert digest_with(settings[:-1]) != digest_with(settings)


def test_plain_dcgan(config: TrainConfig, tmp_path: Path) -> None:
    data = write_bars(tmp_path / "data", AttributeSet())
    artefact = run(replace(config, data=str(data)), tmp_path / "run")
    networks = load_artefact(artefact)
    assert networks.encoder_y is None
    assert networks.config.n_attributes == 0


def test_one_hot_classes_with_interpolated_labels(config: TrainConfig, tmp_path: Path) -> None:
    classes = AttributeSet.classes("kind", ("a", "b"))
    import numpy as np

    from icgan_sdk.data import write_arrays

    labels = np.eye(2, dtype=np.uint8)[np.arange(32) % 2]
    images = np.random.default_rng(0).integers(0, 255, (32, 8, 8, 1), np.uint8)
    write_arrays(tmp_path / "data", images, labels, classes, {"train": 32})
    config = override(config, ["gan.label_sampling=interpolation"])
    artefact = run(replace(config, data=str(tmp_path / "data")), tmp_path / "run")
    assert load_artefact(artefact).config.attributes.one_hot


def test_too_few_images(config: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"set gan\.batch_size lower"):
        run(override(config, ["gan.batch_size=49"]), tmp_path / "run")


def test_damaged_checkpoint(config: TrainConfig, tmp_path: Path) -> None:
    run(config, tmp_path / "run", stages=["gan"])
    path = tmp_path / "run/checkpoints/gan.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="remove it"):
        run(config, tmp_path / "run", mode="resume")


def test_tensorboard(config: TrainConfig, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run(override(config, ["run.tensorboard=true"]), tmp_path / "run", stages=["gan"])
    assert list((tmp_path / "run/tensorboard").glob("events.*"))


KILLER = """
import os, signal, sys, time
from pathlib import Path
import torch._dynamo  # optimisers import it; here it is imported once for all children
from icgan_sdk import train

config, folder = train.load_config(sys.argv[1]), Path(sys.argv[2])
for lines in map(int, sys.argv[3:]):
    child = os.fork()
    if not child:
        try:
            train.run(config, folder, mode="resume" if folder.exists() else "new")
        finally:
            os._exit(1)
    while len(train.read_metrics(folder)) < lines:
        assert os.waitpid(child, os.WNOHANG) == (0, 0), "the run ended before it could be killed"
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
train.run(config, folder, mode="resume")
"""
"""Starts a run, kills it with -9 once it has written so many lines of metrics, and goes on."""


@pytest.mark.slow
def test_killed_and_resumed_equals_uninterrupted(config: TrainConfig, tmp_path: Path) -> None:
    """Killed in the GAN, in E_z and in E_y; then also the checkpoints' metrics agree."""
    # Checkpoints at other steps than the epochs' ends, and long enough to be caught in each stage.
    settings = [f"{stage}.epochs=5" for stage in ("gan", "encoder_z", "encoder_y")]
    settings += ["run.log_every=1", "run.checkpoint_every=7", "run.precision=auto"]
    config = override(config, settings)
    toml = tmp_path / "tiny.toml"
    toml.write_text(config.to_toml())
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(config, whole)
    total = len(read_metrics(whole))
    kills = [str(int(total * share)) for share in (0.1, 0.45, 0.8)]
    command = [sys.executable, "-c", KILLER, str(toml), str(broken), *kills]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert weights_digest(whole / "artefact") == weights_digest(broken / "artefact")
    for stage in ("gan", "encoder_z", "encoder_y"):
        a, b = (
            torch.load(f / f"checkpoints/{stage}.pt", weights_only=True) for f in (whole, broken)
        )
        assert json.dumps(flatten(a)) == json.dumps(flatten(b))
    timeless = [
        [{k: v for k, v in r.items() if k not in {"images_per_second", "seconds"}} for r in records]
        for records in (read_metrics(whole), read_metrics(broken))
    ]
    assert timeless[0] == timeless[1]


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock for deadlines that moves on by a second each time it is read."""
    ticks = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: next(ticks))
    monkeypatch.setattr(context_module, "time", clock)
    monkeypatch.setattr(pipeline, "time", clock)


@pytest.mark.usefixtures("ticking")
def test_stopped_and_resumed_equals_uninterrupted(config: TrainConfig, tmp_path: Path) -> None:
    config = override(config, ["run.log_every=100", "run.checkpoint_every=100"])
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    run(config, whole)
    stops = []
    for attempt in range(20):
        artefact = run(config, stopped, mode="resume" if attempt else "new", stop_after=9.0)
        begun = {path.stem for path in (stopped / "checkpoints").iterdir()}
        last = read_metrics(stopped)[-1]
        stops.append((len(begun), last["stage"], last["step"]))
        if (artefact / "config.json").exists():
            break
        assert not artefact.exists()
    # A step for each second but those in which stages were looked at.
    assert stops[:2] == [(1, "gan", 8), (3, "encoder_z", 2)]
    assert len(stops) > 4
    assert weights_digest(whole / "artefact") == weights_digest(stopped / "artefact")


@pytest.mark.usefixtures("ticking")
def test_no_start_model_stands_in_for_a_stage_that_was_stopped(
    config: TrainConfig, tmp_path: Path
) -> None:
    first = run(config, tmp_path / "first")
    started = TrainConfig.from_dict({**config.to_dict(), "start": str(first)})
    stopped = tmp_path / "stopped"
    artefact = run(started, stopped, stages=["encoder_y"], stop_after=5.0)
    assert (stopped / "checkpoints/encoder_y.pt").exists()
    assert not is_finished(stopped, ["encoder_y"])
    assert not artefact.exists()
    artefact = run(started, stopped, stages=["encoder_y"], mode="resume")
    assert is_finished(stopped, ["encoder_y"])
    assert artefact.exists()


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_times_to_stop_after_that_are_refused(
    config: TrainConfig, tmp_path: Path, seconds: float
) -> None:
    with pytest.raises(ConfigError, match="stop_after must be a number of seconds above 0"):
        run(config, tmp_path / "other", stop_after=seconds)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("14m", 840), ("2h", 7200), ("1h30m5s", 5405)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0m", "14", "m", "5d", "1m2h", "-3s", "1.5h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="give a duration such as"):
        parse_duration(text)


def flatten(state: object) -> object:
    """A checkpoint in plain types, tensors as digests of their bytes."""
    if isinstance(state, torch.Tensor):
        return hashlib.sha256(state.contiguous().numpy().tobytes()).hexdigest()
    if isinstance(state, dict):
        return {str(k): flatten(v) for k, v in state.items()}
    if isinstance(state, (list, tuple)):
        return [flatten(v) for v in state]
    return state


def test_fork_trains_the_encoders_of_the_uninterrupted_run(
    config: TrainConfig, tmp_path: Path
) -> None:
    run(config, tmp_path / "whole")
    other = override(config, ["encoder_z.epochs=1", "model.encoder_width=3"])
    fork(tmp_path / "whole", tmp_path / "other", other)
    assert not (tmp_path / "other" / "artefact").exists()
    run(other, tmp_path / "other", mode="resume")
    fork(tmp_path / "whole", tmp_path / "same", config)
    run(config, tmp_path / "same", mode="resume")
    first, second = (weights_digest(tmp_path / name / "artefact") for name in ("whole", "same"))
    assert first == second
    fork(tmp_path / "whole", tmp_path / "half", override(config, ["encoder_y.epochs=3"]))
    kept = {path.stem for path in (tmp_path / "half" / "checkpoints").iterdir()}
    assert kept == {"gan", "generated", "encoder_z"}
    stages = [record["stage"] for record in read_metrics(tmp_path / "same")]
    assert sorted(set(stages)) == ["encoder_y", "encoder_z", "gan"]


def test_fork_refuses_what_does_not_fit(config: TrainConfig, tmp_path: Path) -> None:
    run(config, tmp_path / "run", stages=["gan"])
    with pytest.raises(CheckpointError, match="no complete stage generated"):
        fork(tmp_path / "run", tmp_path / "fork", config)
    run(config, tmp_path / "run", stages=["generated"])
    with pytest.raises(CheckpointError, match=r"gan\.epochs"):
        fork(tmp_path / "run", tmp_path / "fork", override(config, ["gan.epochs=3"]))
    with pytest.raises(CheckpointError, match=r"model\.z_dim"):
        fork(tmp_path / "run", tmp_path / "fork", override(config, ["model.z_dim=4"]))
    with pytest.raises(CheckpointError, match="exists"):
        fork(tmp_path / "run", tmp_path / "run", config)
    assert not (tmp_path / "fork").exists()


def test_every_trained_network_is_compiled_on_request(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []
    really_compile = nn.Module.compile

    def compile_noted(network: nn.Module) -> None:
        compiled.append(type(network).__name__)
        really_compile(network)

    monkeypatch.setattr(nn.Module, "compile", compile_noted)
    run(config, tmp_path / "plain")
    assert not compiled
    with torch.compiler.set_stance("force_eager"):  # a real compilation takes minutes
        run(override(config, ["run.compile=true"]), tmp_path / "compiled")
    assert compiled == ["Generator", "Discriminator", "Encoder", "Generator", "Encoder"]
    first, second = (weights_digest(tmp_path / name / "artefact") for name in ("plain", "compiled"))
    assert first == second


def test_fork_of_one_encoder_minds_both_its_sections(config: TrainConfig, tmp_path: Path) -> None:
    sng = override(config, ["model.encoder_design=sng"])
    run(sng, tmp_path / "sng")
    other = override(sng, ["encoder_y.source=generated"])
    fork(tmp_path / "sng", tmp_path / "other", other)
    assert not (tmp_path / "other/checkpoints/encoder_z.pt").exists()
    with pytest.raises(CheckpointError, match=r"encoder_y\.source"):
        run(other, tmp_path / "sng", mode="resume")
