"""Checkpoints by the clock, beside those by steps."""

from pathlib import Path

import pytest

from icgan_sdk.train import override, run
from icgan_sdk.training import loop
from icgan_sdk.training.checkpoint import load_checkpoint
from icgan_sdk.training.logging import Progress
from icgan_sdk.training.train_config import TrainConfig


@pytest.mark.parametrize(("seconds", "saved"), [(0.0, 6), (1e9, 0)])
def test_checkpoints_are_written_every_few_minutes(
    seconds: float,
    saved: int,
    config: TrainConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An epoch has six steps, the next one is logged last."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", seconds)
    rare = override(config, ["run.checkpoint_every=500", "run.log_every=500"])

    def kill(progress: Progress) -> None:
        if progress.step == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(rare, tmp_path / "run", stages=["gan"], watcher=kill)
    path = tmp_path / "run" / "checkpoints" / "gan.pt"
    assert (load_checkpoint(path, {}) if path.exists() else 0) == saved
