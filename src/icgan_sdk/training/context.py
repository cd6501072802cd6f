"""What a stage of a run is, the table of all stages, and what every stage is given."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from icgan_sdk.artefacts.critic import StoredCritic, TrainedCritic
from icgan_sdk.config import ModelConfig
from icgan_sdk.data import LabelSampler, PreparedDataset
from icgan_sdk.errors import ConfigError
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.training.checkpoint import is_complete, load_checkpoint
from icgan_sdk.training.logging import Watcher
from icgan_sdk.training.runtime import Runtime
from icgan_sdk.training.settings import OptimiserConfig
from icgan_sdk.training.train_config import OPTIONAL_SECTIONS, TrainConfig

_Network = TypeVar("_Network", bound=nn.Module)


@dataclass(frozen=True)
class Stage:
    """One stage of a run: everything the rest of the training knows about it.

    `register_stage` makes it part of every run that wants it.

    Attributes:
        name: Names its checkpoint, its lines in ``metrics.jsonl`` and the option ``--stage``.
        seed: Number that goes into all its random draws. Each stage has its own; changing it
            changes the results of the stage.
        run: Runs the stage from its last checkpoint to its end.
        needs: The stages it builds on directly. They also decide the order of a run.
        sections: The sections of the config that its result depends on; () stands for the one of
            its own name.
        takes_part: Whether a run with this config and model has the stage.
        alone: Whether it is the only stage of a run with this config, in which the start model
            stands in for all others; asked only if it takes part.
        check: Raises ConfigError if the run can't have the stage with its settings.
        stand_in: The network of the model a run starts from that replaces the stage's result, if
            the stage did not run here.
        leaves: Folders it writes into the run folder. A stage that needs them needs this stage
            to have run; no start model stands in.
        fill: Puts its finished networks into those of the artefact.
        critic: The critic that goes with them into the artefact, so that training can go on.
        judge: Measures the finished networks for the model card.
        settings: The section of a stage that only runs if the config has this section; it appears
            in `TrainConfig.optional` under the stage's name.
    """

    name: str
    seed: int
    run: Callable[["Context"], None]
    needs: Callable[[TrainConfig], tuple[str, ...]] = lambda config: ()
    sections: Callable[[TrainConfig], tuple[str, ...]] = lambda config: ()
    takes_part: Callable[[TrainConfig, ModelConfig], bool] | None = None
    alone: Callable[[TrainConfig], bool] = lambda config: False
    check: Callable[["Context"], None] = lambda context: None
    stand_in: Callable[["Context", IcGANNetworks], nn.Module | None] = lambda context, start: None
    leaves: tuple[str, ...] = ()
    fill: Callable[["Context", IcGANNetworks], None] = lambda context, networks: None
    critic: Callable[["Context"], TrainedCritic | None] = lambda context: None
    judge: Callable[["Context", IcGANNetworks], dict[str, float]] = lambda context, networks: {}
    settings: type[OptimiserConfig] | None = None

    def is_in(self, config: TrainConfig, model: ModelConfig) -> bool:
        """Whether a run with this config and model has the stage."""
        if self.settings is not None and self.name not in config.optional:
            return False
        return self.takes_part is None or self.takes_part(config, model)

    def depends_on(self, config: TrainConfig) -> tuple[str, ...]:
        """The sections of the config that the stage's result depends on."""
        return self.sections(config) or (self.name,)


STAGES: dict[str, Stage] = {}
"""Every stage by name, in the order in which a run takes them unless their needs say otherwise."""


def register_stage(stage: Stage) -> None:
    """Add a stage to the table, and its section to those a config may have.

    Args:
        stage: Its name and its seed are its own. The package's stages have seeds below 1000.

    Raises:
        ConfigError: If another stage has its name or its seed.
    """
    if stage.name in STAGES or stage.seed in {other.seed for other in STAGES.values()}:
        raise ConfigError(f"stage {stage.name}: another one has its name or its seed {stage.seed}")
    STAGES[stage.name] = stage
    if stage.settings is not None:
        OPTIONAL_SECTIONS[stage.name] = stage.settings


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
        start_critic: The critic that its painter learnt against, if its artefact holds it.
        watcher: Told after each step.
        deadline: When to stop, in seconds of `time.monotonic`; None: at the run's end.
    """

    folder: Path
    config: TrainConfig
    model: ModelConfig
    dataset: PreparedDataset
    train: PreparedDataset
    labels: LabelSampler
    runtime: Runtime
    start: IcGANNetworks | None = None
    start_critic: StoredCritic | None = None
    watcher: Watcher | None = None
    deadline: float | None = None

    def is_over(self) -> bool:
        """Whether the run's time is up, for all its processes."""
        if self.deadline is None:
            return False
        return self.runtime.any_process(time.monotonic() >= self.deadline)

    def checkpoint(self, stage: str) -> Path:
        """Where a stage's state is kept."""
        return self.folder / "checkpoints" / f"{stage}.pt"

    def draws(self, stage: str, step: int, rank: int | None = None) -> torch.Generator:
        """The CPU generator of one step of a stage, as `Runtime.generator` makes it."""
        return self.runtime.generator(STAGES[stage].seed, step, rank)

    def build(self, stage: str, make: Callable[[], _Network]) -> _Network:
        """Make a network with random initial weights, the same in every process."""
        with torch.random.fork_rng(devices=[]):
            seed = self.draws(stage, 0, rank=0).initial_seed()
            torch.default_generator.manual_seed(seed)  # the CPU's alone, not every GPU's
            network = make()
        return self.runtime.place(network)

    def begin(self, network: nn.Module, part: str) -> None:
        """Give a network the weights of a part of the start model, if there is one."""
        source = getattr(self.start, part, None)
        if source is not None:
            network.load_state_dict(source.state_dict())

    def ran(self, stage: str) -> bool:
        """Whether a stage has run here to its end."""
        return is_complete(self.checkpoint(stage))

    def has(self, stage: str) -> bool:
        """Whether a stage has run here, or the start model stands in for it."""
        return self.ran(stage) or self._stand_in(stage) is not None

    def load(self, stage: str, name: str, network: nn.Module) -> None:
        """Restore a network of a stage, or the start model's if the stage has not run here.

        Args:
            stage: The stage.
            name: The network's name in the stage's checkpoint.
            network: Gets the weights.

        Raises:
            CheckpointError: If there is neither.
        """
        source = self._stand_in(stage)
        if source is not None and not self.ran(stage):
            network.load_state_dict(source.state_dict())
        else:
            load_checkpoint(self.checkpoint(stage), {name: network})

    def _stand_in(self, stage: str) -> nn.Module | None:
        return None if self.start is None else STAGES[stage].stand_in(self, self.start)
