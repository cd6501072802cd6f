"""The whole training run: its stages, each resumable, and the artefact folder at the end."""

import os
import time
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import get_args

import torch

from icgan_sdk.artefacts.card import model_card
from icgan_sdk.artefacts.critic import find_critic
from icgan_sdk.artefacts.layout import ARTEFACT_FOLDER
from icgan_sdk.artefacts.resolving import bundled_names, resolve
from icgan_sdk.artefacts.store import load_artefact, save_artefact
from icgan_sdk.config import ModelConfig
from icgan_sdk.data import LabelSampler, PreparedDataset
from icgan_sdk.errors import CheckpointError, ConfigError, DataWarning, list_some
from icgan_sdk.extensions import load_plugins
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.training.context import STAGES, Context, Stage
from icgan_sdk.training.logging import Watcher, read_metrics
from icgan_sdk.training.run_folder import Mode, only_one, prepare_folder, run_commands
from icgan_sdk.training.runtime import Runtime
from icgan_sdk.training.shortages import naming_shortages
from icgan_sdk.training.stages import stages_behind, stages_of
from icgan_sdk.training.train_config import TrainConfig

FILL_IN = "Fill in: a licence for the weights that the terms of the training data allow."
"""What the card of a training says of its licence."""


def train(
    config: TrainConfig,
    out: str | os.PathLike[str],
    *,
    stages: Sequence[str] | None = None,
    mode: Mode = "new",
    watcher: Watcher | None = None,
    command: str = "",
    stop_after: float | None = None,
) -> Path:
    """Run all stages of a training, or some of them, in a run folder.

    Stage 1 trains the GAN. Stage 2 makes the final generator and a set of its images. Stage 3
    trains E_z and stage 4 E_y, which comes first in joint training. Stage 5 trains the painter, if
    the model has one. The artefact folder is written once every network is there.

    Each stage writes checkpoints. A run that is killed at any moment and resumed ends, on a CPU,
    with exactly the weights of an uninterrupted run.

    Under ``accelerate launch`` or ``torchrun`` every process makes the same call; batch sizes are
    per process.

    Args:
        config: Settings; `config.data` names the prepared data set.
        out: The run folder. It gets ``config.toml``, ``checkpoints/``, ``metrics.jsonl``,
            ``samples/``, ``generated/`` and ``artefact/``.
        stages: The stages to run, in any order; None: all. With a start model the networks of the
            others come from there.
        mode: "new" refuses stages that have begun here. "resume" continues them. "restart" first
            deletes these stages and all that are built on them.
        watcher: Called after every step.
        command: How the run was started, for the model card; ignored when resuming.
        stop_after: Seconds after which the run finishes its step, writes a checkpoint and returns,
            for queues and rented GPUs; mode "resume" then continues it. None: no limit.

    Returns:
        The artefact folder, ``out/artefact``. It exists once all stages have run.

    Raises:
        CheckpointError: If the mode, settings or data don't fit what the folder holds, an
            earlier stage is missing, or another process trains in the folder.
        ConfigError: If the settings don't fit the data, or there is no such stage.
        DatasetError: If the data set can't be read.
        DivergedError: If a loss or weight is no longer finite; the last checkpoint stays.
        ResourceError: If there is too little memory, or no compiler for `run.compile`.
        SaveError: If the disk is full or the folder can't be written.
    """
    if mode not in get_args(Mode):
        raise ConfigError(f"mode must be one of {', '.join(get_args(Mode))}, not {mode!r}")
    if stop_after is not None and not stop_after > 0:
        raise ConfigError(f"stop_after must be a number of seconds above 0, not {stop_after!r}")
    load_plugins()
    deadline = None if stop_after is None else time.monotonic() + stop_after
    folder = Path(out)
    context = _open_run(config, folder, watcher, deadline)
    wanted = _check_stages(stages, stages_of(context))
    with only_one(folder) if context.runtime.is_main else nullcontext():
        if context.runtime.is_main:
            prepare_folder(context, [s.name for s in wanted], mode, command)
        context.runtime.wait()
        for stage in wanted:
            if context.is_over():
                break
            _check_needs(context, stage)
            with naming_shortages(stage.name):
                stage.run(context)
        artefact = folder / ARTEFACT_FOLDER
        behind = stages_behind(context)
        # A stage that was stopped is not done, even if the start model could stand in for it.
        done = all(context.ran(s.name) for s in wanted) and all(context.has(s.name) for s in behind)
        if context.runtime.is_main and done and not (artefact / "config.json").exists():
            _write_artefact(context, behind, artefact)
        context.runtime.wait()
    return artefact


def _check_stages(stages: Sequence[str] | None, known: Sequence[Stage]) -> list[Stage]:
    names = [s.name for s in known]
    unknown = [s for s in stages or () if s not in names]
    if unknown:
        raise ConfigError(f"this model has no stage {unknown[0]!r}; it has {', '.join(names)}")
    return [s for s in known if stages is None or s.name in stages]


def _open_run(
    config: TrainConfig, folder: Path, watcher: Watcher | None, deadline: float | None
) -> Context:
    if not config.data:
        raise ConfigError(
            "training config: data doesn't name a prepared data set: give --data (icgan data "
            "prepare makes one)"
        )
    # Absolute, as a run may be resumed from another working directory.
    config = replace(config, data=str(Path(config.data).resolve()), start=_located(config.start))
    dataset = PreparedDataset.open(config.data)
    train_part = dataset.part("train")
    labels = LabelSampler(
        train_part.all_labels(), dataset.attributes, method=config.gan.label_sampling
    )
    if constant := labels.constant():
        warnings.warn(
            f"all training pictures are labelled alike in {list_some(constant)}: nothing can be "
            "learnt of that",
            DataWarning,
            stacklevel=3,
        )
    runtime = Runtime(config.run)
    folder_of_start = _start_folder(config.start)
    start = load_artefact(folder_of_start) if folder_of_start else None
    model = config.model_config(dataset, start.config if start else None)
    if start:
        _check_start(config.start, start.config, model)
    with torch.device("meta"):
        IcGANNetworks(model)  # raises here, not later, if the config names no architecture
    kept = config.run.data_on_device and runtime.holds(train_part.n_bytes)
    return Context(
        folder=folder,
        config=config,
        model=model,
        dataset=dataset,
        train=train_part.on_device(runtime.device) if kept else train_part,
        labels=labels,
        runtime=runtime,
        start=start,
        start_critic=find_critic(folder_of_start) if folder_of_start else None,
        watcher=watcher,
        deadline=deadline,
    )


def _located(start: str) -> str:
    is_folder = start and start not in bundled_names()
    return str(Path(start).resolve()) if is_folder else start


def _start_folder(start: str) -> Path | None:
    if not start:
        return None
    return resolve(start if start in bundled_names() else Path(start))


def _check_start(start: str, theirs: ModelConfig, ours: ModelConfig) -> None:
    """The networks that a run begins with must have its own config.

    Only the painter may be missing on one side: the run then trains a new one, or has none.
    """
    old, new = theirs.to_dict(), ours.to_dict()
    both_paint = ours.painter_size and theirs.painter_size
    names = [n for n in {**new, **old} if both_paint or not n.startswith("painter_")]
    if different := [name for name in names if old.get(name) != new.get(name)]:
        raise ConfigError(
            f"the run's networks are not built as those of {start}: {', '.join(different)} "
            "differ; prepare the data with its attributes and size, and leave model.* as its own"
        )


def _check_needs(context: Context, stage: Stage) -> None:
    for needed in stage.needs(context.config):
        leaves_files = bool(STAGES[needed].leaves)  # a start model can't replace them
        if not (context.ran(needed) if leaves_files else context.has(needed)):
            raise CheckpointError(
                f"stage {stage.name} builds on stage {needed}, which is not complete in "
                f"{context.folder}"
            )


def _write_artefact(context: Context, stages: Sequence[Stage], folder: Path) -> None:
    networks = context.runtime.place(IcGANNetworks(context.model))
    for stage in stages:
        stage.fill(context, networks)
    networks.eval()
    with torch.no_grad():
        for parameter in networks.parameters():
            parameter.copy_(parameter.half())  # judged at the precision they are stored in
    figures: dict[str, float] = {}
    for stage in stages:
        figures |= stage.judge(context, networks)
    card = model_card(
        context.model,
        name=f"./{folder}" if not folder.is_absolute() else str(folder),
        title=context.folder.resolve().name,
        data=_data(context.dataset),
        license=FILL_IN,
        command="\n".join(run_commands(context.folder)) or "from Python, with the settings below",
        seed=context.config.run.seed,
        metrics={**figures, "training_hours": round(_seconds(context.folder) / 3600, 2)},
        notes=f"All settings of the run:\n\n```toml\n{_settings(context.config)}```",
    )
    critics = [critic for stage in stages if (critic := stage.critic(context))]
    critic = critics[0] if critics else None  # only painters have one
    save_artefact(networks, folder, card=card, dtype=torch.float16, critic=critic)


def _data(dataset: PreparedDataset) -> str:
    side = dataset.picture_size
    parts = " and ".join(f"{len(dataset.part(p)):,} ({p})" for p in dataset.partitions)
    return f"{dataset.source or 'A data set without a name'}: pictures of {side}×{side}, {parts}."


def _settings(config: TrainConfig) -> str:
    # Without the data's path, which means nothing on another machine.
    return replace(config, data="").to_toml()


def _seconds(folder: Path) -> float:
    return sum(float(record.get("seconds", 0)) for record in read_metrics(folder))
