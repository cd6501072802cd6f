"""Whole runs on a tiny data set: every design, every stage alone, resumed after kill -9."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from icgan_sdk.artefacts.folder import load_artefact
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.errors import CheckpointError, ConfigError
from icgan_sdk.train import Progress, read_metrics, run, saved_config
from icgan_sdk.training.config import TrainConfig, override
from tests.training.conftest import write_bars

WEIGHTS = "artefact/model.safetensors"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("design", ["ind", "sng", "ind_cond"])
def test_every_design_trains_to_an_artefact(
    config: TrainConfig, tmp_path: Path, design: str
) -> None:
    config = override(config, [f"model.encoder_design={design}"])
    seen: list[Progress] = []
    artefact = run(config, tmp_path / "run", watcher=seen.append, command="icgan train x")
    networks = load_artefact(artefact)
    assert networks.config.encoder_design == design
    assert networks.config.attributes.groups == {"side": ("left", "right")}
    z, y = networks.encode(torch.zeros(2, 1, 8, 8))
    assert networks.decode(z, y).isfinite().all()
    assert "icgan train x" in (artefact / "README.md").read_text()
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
        assert grid.size == (3 * 10 + 2, 8 * 10 + 2)


def test_same_seed_same_weights(config: TrainConfig, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(config, tmp_path / name)
    run(override(config, ["run.seed=1"]), tmp_path / "c")
    assert digest(tmp_path / "a" / WEIGHTS) == digest(tmp_path / "b" / WEIGHTS)
    assert digest(tmp_path / "a" / WEIGHTS) != digest(tmp_path / "c" / WEIGHTS)


def test_stages_one_by_one_equal_the_whole(config: TrainConfig, tmp_path: Path) -> None:
    run(config, tmp_path / "whole")
    with pytest.raises(CheckpointError, match="encoder_z builds on stage generated"):
        run(config, tmp_path / "parts", stages=["encoder_z"])
    for stage in ("encoder_y", "gan", "generated", "encoder_z"):
        assert not (tmp_path / "parts" / WEIGHTS).exists()
        run(config, tmp_path / "parts", stages=[stage])
    assert digest(tmp_path / "whole" / WEIGHTS) == digest(tmp_path / "parts" / WEIGHTS)


def test_modes(config: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no run"):
        run(config, tmp_path / "run", mode="resume")
    run(config, tmp_path / "run")
    first = digest(tmp_path / "run" / WEIGHTS)
    with pytest.raises(CheckpointError, match="already holds gan"):
        run(config, tmp_path / "run")
    run(config, tmp_path / "run", mode="resume")
    assert digest(tmp_path / "run" / WEIGHTS) == first
    changed = override(config, ["encoder_z.learning_rate=0.01"])
    with pytest.raises(CheckpointError, match=r"encoder_z\.learning_rate"):
        run(changed, tmp_path / "run", mode="resume")
    run(changed, tmp_path / "run", stages=["encoder_z"], mode="restart")
    assert digest(tmp_path / "run" / WEIGHTS) != first
    assert saved_config(tmp_path / "run") == changed
    run(config, tmp_path / "run", stages=["gan"], mode="restart")
    assert not (tmp_path / "run/checkpoints/generated.pt").exists()


def test_longer_training_goes_on_from_the_end_only_after_restart(
    config: TrainConfig, tmp_path: Path
) -> None:
    run(config, tmp_path / "run", stages=["gan"])
    with pytest.raises(CheckpointError, match=r"gan\.epochs"):
        run(override(config, ["gan.epochs=3"]), tmp_path / "run", mode="resume")


@pytest.mark.parametrize(
    "settings",
    [
        ["encoder_z.pixel_weight=5", "encoder_z.shift=1", "encoder_z.flip=true"],
        ["encoder_y.source=generated"],
        ["model.encoder_design=sng", "encoder_y.source=generated"],
        ["gan.label_sampling=kde", "gan.noise=uniform"],
        ["gan.label_sampling=interpolation", "gan.schedule=cosine"],
        ["run.precision=bfloat16", "model.generator_fc=6"],
        ["run.channels_last=false", "gan.adam=torch7", "gan.ema_decay=0"],
    ],
)
def test_options(config: TrainConfig, tmp_path: Path, settings: list[str]) -> None:
    plain = tmp_path / "plain"
    run(config, plain)
    artefact = run(override(config, settings), tmp_path / "run")
    assert all(p.isfinite().all() for p in load_artefact(artefact).parameters())
    assert digest(artefact / "model.safetensors") != digest(plain / WEIGHTS)


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


def start(arguments: Sequence[str]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "icgan_sdk.cli.main", "train", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def finish(process: "subprocess.Popen[bytes]") -> None:
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()


def kill_after(process: "subprocess.Popen[bytes]", run_folder: Path, lines: int) -> None:
    """kill -9 once the run has written so many lines of metrics."""
    deadline = time.monotonic() + 120
    while len(read_metrics(run_folder)) < lines:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_killed_and_resumed_equals_uninterrupted(config: TrainConfig, tmp_path: Path) -> None:
    """Killed in the GAN, in E_z and in E_y; then also the checkpoints' metrics agree."""
    # Checkpoints at other steps than the epochs' ends, and long enough to be caught in each stage.
    config = override(
        config,
        [
            "gan.epochs=30",
            "encoder_z.epochs=30",
            "encoder_y.epochs=30",
            "run.log_every=1",
            "run.checkpoint_every=7",
            "run.precision=auto",
        ],
    )
    toml = tmp_path / "tiny.toml"
    toml.write_text(config.to_toml())
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(start([str(toml), "--out", str(whole)]))
    total = len(read_metrics(whole))
    kill_after(start([str(toml), "--out", str(broken)]), broken, 60)
    for share in (0.45, 0.8):
        resumed = start(["--resume", "--out", str(broken)])
        kill_after(resumed, broken, int(total * share))
    finish(start(["--resume", "--out", str(broken)]))
    assert digest(whole / WEIGHTS) == digest(broken / WEIGHTS)
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


def flatten(state: object) -> object:
    """A checkpoint in plain types, tensors as digests of their bytes."""
    if isinstance(state, torch.Tensor):
        return hashlib.sha256(state.contiguous().numpy().tobytes()).hexdigest()
    if isinstance(state, dict):
        return {str(k): flatten(v) for k, v in state.items()}
    if isinstance(state, (list, tuple)):
        return [flatten(v) for v in state]
    return state
