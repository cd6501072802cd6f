"""What goes wrong in training: it stops in time, says why, and goes on from where it was."""

import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.data import LabelSampler
from icgan_sdk.errors import (
    CheckpointError,
    ConfigError,
    DatasetError,
    DataWarning,
    DivergedError,
    ResourceError,
)
from icgan_sdk.train import override, run
from icgan_sdk.training.logging import Progress
from icgan_sdk.training.run_folder import only_one
from icgan_sdk.training.shortages import naming_shortages
from icgan_sdk.training.train_config import TrainConfig


def is_finite(checkpoint: Path) -> bool:
    state = torch.load(checkpoint, weights_only=True)
    return all(t.isfinite().all() for t in state["G"].values() if t.is_floating_point())


def test_a_lost_training_stops_and_goes_on_with_a_lower_rate(
    config: TrainConfig, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    config = override(config, ["run.checkpoint_every=1", "run.log_every=1"])
    calm = override(config, ["gan.epochs=3"])
    stop_in_step_2(calm, out)
    lost = override(calm, ["gan.learning_rate=1e20"])
    with pytest.raises(DivergedError) as caught:
        run(lost, out, stages=["gan"], mode="resume")
    assert "gan.learning_rate 1e+20" in str(caught.value)
    assert "--set gan.learning_rate=5e+19" in str(caught.value)
    assert is_finite(out / "checkpoints" / "gan.pt")
    for line in (out / "metrics.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    run(calm, out, stages=["gan"], mode="resume")
    assert is_finite(out / "checkpoints" / "gan.pt")


def stop_in_step_2(config: TrainConfig, out: Path) -> None:
    def watch(progress: Progress) -> None:
        if progress.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(config, out, stages=["gan"], watcher=watch)


def test_a_lost_first_step_leaves_no_checkpoint(config: TrainConfig, tmp_path: Path) -> None:
    lost = override(config, ["gan.learning_rate=1e38"])
    with pytest.raises(DivergedError, match="there is no checkpoint yet"):
        run(lost, tmp_path / "run", stages=["gan"])


def test_settings_that_count_the_steps_stay(config: TrainConfig, tmp_path: Path) -> None:
    config = override(config, ["run.log_every=1", "run.checkpoint_every=1"])
    stop_in_step_2(config, tmp_path / "run")
    for setting in ("gan.epochs=9", "gan.batch_size=3", "gan.adam=torch7", "model.z_dim=4"):
        with pytest.raises(CheckpointError, match=setting.split("=")[0]):
            run(override(config, [setting]), tmp_path / "run", stages=["gan"], mode="resume")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["gan.batch_size=1"], "batch_size must be at least 2"),
        (["encoder_y.batch_size=1"], "batch_size must be at least 2"),
        (["gan.method=joint", "gan.batch_size=4"], "at least 5 for joint training, not 4"),
    ],
)
def test_batches_that_are_too_small_are_refused_at_once(
    config: TrainConfig, tmp_path: Path, settings: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run(override(config, settings), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("method", ["matching", "joint"])
@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_labels_that_never_vary_are_refused_at_once(
    config: TrainConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    value: float,
) -> None:
    as_read = LabelSampler.__init__

    def all_alike(self: LabelSampler, labels: Tensor, *rest: object, **options: object) -> None:
        as_read(self, torch.full_like(labels, value), *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(LabelSampler, "__init__", all_alike)
    with (
        pytest.warns(DataWarning, match="labelled alike in"),
        pytest.raises(DatasetError, match="all training labels are the same"),
    ):
        run(override(config, [f"gan.method={method}"]), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_constant_attributes_are_named() -> None:
    labels = torch.tensor([[1.0, -1.0, 1.0], [1.0, -1.0, -1.0]])
    sampler = LabelSampler(labels, AttributeSet(("always", "never", "some")))
    assert sampler.constant() == ("always", "never")


def _hold(folder: Path, ready: Callable[[], None], go: Callable[[], bool]) -> None:
    with only_one(folder):
        ready()
        go()


def test_one_process_trains_in_a_folder(config: TrainConfig, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, go = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "run", ready.set, go.wait))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(CheckpointError, match="another process is training in"):
            run(config, tmp_path / "run")
    finally:
        other.kill()  # which frees the lock
        other.join()
    run(config, tmp_path / "run", stages=["gan"])


def raise_out_of_memory() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory.")


@pytest.mark.parametrize(
    "allocate",
    [lambda: torch.empty(2**55), lambda: np.empty(2**55, np.uint8), raise_out_of_memory],
)
def test_too_little_memory_is_said_in_one_line(allocate: Callable[[], object]) -> None:
    with (
        pytest.raises(ResourceError, match=r"gan\.batch_size.*model\.generator_width"),
        naming_shortages("gan"),
    ):
        allocate()
    with pytest.raises(RuntimeError, match="something else"), naming_shortages("gan"):
        raise RuntimeError("something else")


def test_no_compiler_names_the_setting() -> None:
    # What torch.compile raises; its own types lie in private modules that take seconds to import.
    missing = type("InvalidCxxCompiler", (RuntimeError,), {})("No working C++ compiler found")
    with pytest.raises(ResourceError, match=r"leave out run\.compile"), naming_shortages("gan"):
        raise RuntimeError("backend failed") from missing
