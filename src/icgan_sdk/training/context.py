"""What every stage of a run is given, and the loop they share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import LabelSampler, PreparedDataset
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.training.batches import Epochs
from icgan_sdk.training.checkpoint import (
    Stateful,
    is_complete,
    load_checkpoint,
    save_checkpoint,
)
from icgan_sdk.training.config import OptimiserConfig, TrainConfig
from icgan_sdk.training.logging import StageLog, Watcher
from icgan_sdk.training.optimisers import set_learning_rate
from icgan_sdk.training.runtime import Runtime, Stage

_Network = TypeVar("_Network", bound=nn.Module)


@dataclass(frozen=True)
class Context:
    """One run.

    Attributes:
        folder: The run folder (``config.toml``, ``checkpoints/``, ``samples/``, …).
        config: Its settings.
        model: The networks' config.
        dataset: All partitions of the prepared data.
        train: The training partition.
        labels: Samples y' and wrong y.
        runtime: Device, precision, processes, randomness.
        start: The model whose networks training begins with, if any.
        watcher: Told after each step.
    """

    folder: Path
    config: TrainConfig
    model: ModelConfig
    dataset: PreparedDataset
    train: PreparedDataset
    labels: LabelSampler
    runtime: Runtime
    start: IcGANNetworks | None = None
    watcher: Watcher | None = None

    def checkpoint(self, stage: Stage) -> Path:
        """Where a stage's state is kept."""
        return self.folder / "checkpoints" / f"{stage}.pt"

    def build(self, stage: Stage, make: Callable[[], _Network]) -> _Network:
        """Make a network with random initial weights, the same in every process."""
        with torch.random.fork_rng(devices=[]):
            seed = self.runtime.generator(stage, 0, rank=0).initial_seed()
            torch.default_generator.manual_seed(seed)  # the CPU's alone, not every GPU's
            network = make()
        return self.runtime.place(network)

    def has(self, stage: Stage) -> bool:
        """Whether a stage has run here, or the model the run starts from stands in for it."""
        return is_complete(self.checkpoint(stage)) or self._of_start(stage) is not None

    def load(self, stage: Stage, name: str, network: nn.Module) -> None:
        """Restore a stage's network, by its name in the checkpoint, or from the start instead.

        Raises:
            CheckpointError: If there is neither.
        """
        source = self._of_start(stage)
        if source is not None and not is_complete(self.checkpoint(stage)):
            network.load_state_dict(source.state_dict())
        else:
            load_checkpoint(self.checkpoint(stage), {name: network})

    def _of_start(self, stage: Stage) -> nn.Module | None:
        """What the model the run starts from has of a stage's result."""
        if self.start is None:
            return None
        networks: Mapping[Stage, nn.Module | None] = {
            "gan": self.start.generator,
            "encoder_z": self.start.encoder or self.start.encoder_z,
            "encoder_y": self.start.encoder_y,
            "painter": self.start.painter,
        }
        return networks.get(stage)

    def begin(self, network: nn.Module, part: str) -> None:
        """Give a network the weights of a part of the model the run starts from, if it does."""
        source = getattr(self.start, part, None)
        if source is not None:
            network.load_state_dict(source.state_dict())


def run_stage(
    context: Context,
    stage: Stage,
    settings: OptimiserConfig,
    parts: Mapping[str, Stateful],
    step_function: Callable[[int, Tensor], dict[str, Tensor]],
    end_of_epoch: Callable[[int], Mapping[str, float]],
) -> None:
    """Run a stage from its last checkpoint to its end.

    Args:
        context: The run.
        stage: Which stage.
        settings: Its epochs, batch size and learning rate.
        parts: Everything a checkpoint holds, by name; networks and optimisers.
        step_function: Takes the step (from 1) and the rows of its batch; returns losses.
        end_of_epoch: Takes the epoch (from 1); writes pictures and returns figures to record.
    """
    runtime, run = context.runtime, context.config.run
    networks = [p for p in parts.values() if isinstance(p, nn.Module)]
    optimisers = [p for p in parts.values() if isinstance(p, torch.optim.Optimizer)]
    epochs = Epochs(len(context.train), settings, runtime, stage)
    path = context.checkpoint(stage)
    start = load_checkpoint(path, parts, epochs.steps) if path.exists() else 0
    log = StageLog(
        context.folder,
        stage,
        start=start,
        steps=epochs.steps,
        every=run.log_every,
        images_per_step=settings.batch_size * runtime.world_size,
        runtime=runtime,
        watcher=context.watcher,
        tensorboard=run.tensorboard,
    )
    for step in range(start + 1, epochs.steps + 1):
        for optimiser in optimisers:
            set_learning_rate(optimiser, settings, step, epochs.steps)
        losses = step_function(step, epochs.batch(step))
        log.step(step, epochs.epoch(step), losses)
        if epochs.ends_epoch(step) and runtime.is_main:
            figures = end_of_epoch(epochs.epoch(step))
            if figures:
                log.write({"step": step, "epoch": epochs.epoch(step), **figures})
        if step % run.checkpoint_every == 0 or step == epochs.steps:
            runtime.average_statistics(*networks)
            if runtime.is_main:
                save_checkpoint(path, step, epochs.steps, parts)
    log.close()
    runtime.wait()
