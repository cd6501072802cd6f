"""The whole training run: four stages, each resumable, ending in an artefact folder."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import torch

from icgan_sdk.artefacts.card import model_card
from icgan_sdk.artefacts.folder import save_artefact
from icgan_sdk.data import LabelSampler, PreparedDataset
from icgan_sdk.errors import CheckpointError, ConfigError
from icgan_sdk.files import write_text
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.training.checkpoint import is_complete, load_checkpoint
from icgan_sdk.training.config import TrainConfig, load_config
from icgan_sdk.training.context import Context
from icgan_sdk.training.encoders import judge_y, judge_z, train_encoder_y, train_encoder_z
from icgan_sdk.training.gan import train_gan
from icgan_sdk.training.generated import load_generator, make_generated
from icgan_sdk.training.logging import Watcher, read_metrics
from icgan_sdk.training.runtime import STAGES, Runtime, Stage

Mode = Literal["new", "resume", "restart"]
RUN: dict[Stage, Callable[[Context], None]] = {
    "gan": train_gan,
    "generated": make_generated,
    "encoder_z": train_encoder_z,
    "encoder_y": train_encoder_y,
}
NEEDS: dict[Stage, tuple[Stage, ...]] = {
    "gan": (),
    "generated": ("gan",),
    "encoder_z": ("generated",),
    "encoder_y": (),
}


def train(
    config: TrainConfig,
    out: str | os.PathLike[str],
    *,
    stages: Sequence[Stage] | None = None,
    mode: Mode = "new",
    watcher: Watcher | None = None,
    command: str = "",
) -> Path:
    """Run the stages of a training, or some of them, in a run folder.

    Stage 1 trains the GAN, 2 makes the final generator and a set of its images, 3 trains E_z and
    4 E_y; then the artefact folder is written as soon as every network it needs is there. Each
    stage keeps checkpoints: a run killed at any moment and resumed gives, on a CPU, bit for bit
    the weights of the uninterrupted run.

    Under ``accelerate launch`` or ``torchrun`` every process calls this alike; batch sizes are
    per process.

    Args:
        config: Settings; `config.data` names the prepared data set.
        out: The run folder; gets ``config.toml``, ``checkpoints/``, ``metrics.jsonl``,
            ``samples/``, ``generated/`` and ``artefact/``.
        stages: Which to run, in their order; None: all.
        mode: "new" wants stages that have not begun here, "resume" goes on with what has,
            "restart" first throws away these stages and all that was built on them.
        watcher: Told of every step.
        command: How the run was started, for the model card.

    Returns:
        The artefact folder, ``out/artefact``. It is complete once all stages have run.

    Raises:
        CheckpointError: If the mode doesn't fit what the folder holds, or an earlier stage is
            missing.
        ConfigError: If the settings don't fit the data.
        DatasetError: If the data set can't be read.
        SaveError: If the disk is full or the folder can't be written.
    """
    folder = Path(out)
    context = _open_run(config, folder, watcher)
    design = context.model.encoder_design
    has_encoder_y = bool(context.model.n_attributes) and design != "sng"
    all_stages = [s for s in STAGES if s != "encoder_y" or has_encoder_y]
    wanted = [s for s in all_stages if stages is None or s in stages]
    if context.runtime.is_main:
        _prepare_folder(context, wanted, mode)
    context.runtime.wait()
    for stage in wanted:
        _check_needs(context, stage)
        RUN[stage](context)
    if context.runtime.is_main and all(is_complete(context.checkpoint(s)) for s in all_stages):
        _write_artefact(context, command)
    context.runtime.wait()
    return folder / "artefact"


def saved_config(out: str | os.PathLike[str]) -> TrainConfig:
    """The settings a run folder was started with.

    Raises:
        CheckpointError: If the folder holds no run.
    """
    path = Path(out) / "config.toml"
    if not path.is_file():
        raise CheckpointError(f"{out} holds no run: there is no config.toml")
    return load_config(path)


def _open_run(config: TrainConfig, folder: Path, watcher: Watcher | None) -> Context:
    if not config.data:
        raise ConfigError("training config: data doesn't name a prepared data set")
    dataset = PreparedDataset.open(config.data)
    train_part = dataset.part("train")
    labels = LabelSampler(
        train_part.all_labels(), dataset.attributes, method=config.gan.label_sampling
    )
    return Context(
        folder=folder,
        config=config,
        model=config.model_config(dataset),
        dataset=dataset,
        train=train_part,
        labels=labels,
        runtime=Runtime(config.run),
        watcher=watcher,
    )


def _prepare_folder(context: Context, wanted: Sequence[Stage], mode: Mode) -> None:
    folder = context.folder
    begun = [s for s in wanted if context.checkpoint(s).exists()]
    if mode == "new" and begun:
        raise CheckpointError(
            f"{folder} already holds {', '.join(begun)}: resume it, restart it, or name a new "
            "folder"
        )
    if mode == "resume":
        _check_same(saved_config(folder), context.config)
    if mode == "restart":
        _discard(context, wanted)
    write_text(folder / "config.toml", context.config.to_toml())


def _check_same(saved: TrainConfig, given: TrainConfig) -> None:
    old, new = saved.to_dict(), given.to_dict()
    changed = [
        f"{section}.{key}"
        for section in old
        if isinstance(old[section], dict) and section != "run"
        for key in {**old[section], **new[section]}
        if old[section].get(key) != new[section].get(key)
    ]
    if saved.run.seed != given.run.seed:
        changed.append("run.seed")
    if changed:
        raise CheckpointError(
            f"the run was started with other settings ({', '.join(sorted(changed))}): resume it "
            "without them, or restart the stages they concern"
        )


def _discard(context: Context, wanted: Sequence[Stage]) -> None:
    """Remove the checkpoints of these stages, and of those built on them."""
    doomed = set(wanted)
    for stage in STAGES:
        if doomed & set(_needs(context, stage)):
            doomed.add(stage)
    for stage in doomed:
        context.checkpoint(stage).unlink(missing_ok=True)


def _needs(context: Context, stage: Stage) -> tuple[Stage, ...]:
    if stage == "encoder_y" and context.config.encoder_y.source == "generated":
        return ("generated",)
    return NEEDS[stage]


def _check_needs(context: Context, stage: Stage) -> None:
    for needed in _needs(context, stage):
        if not is_complete(context.checkpoint(needed)):
            raise CheckpointError(
                f"stage {stage} builds on stage {needed}, which is not complete in {context.folder}"
            )


def _write_artefact(context: Context, command: str) -> None:
    networks = context.runtime.place(IcGANNetworks(context.model))
    networks.generator = load_generator(context)
    encoder = networks.encoder or networks.encoder_z
    assert encoder is not None  # every design has one of the two
    load_checkpoint(context.checkpoint("encoder_z"), {"encoder": encoder})
    if networks.encoder_y is not None:
        load_checkpoint(context.checkpoint("encoder_y"), {"encoder": networks.encoder_y})
    networks.eval()
    figures = judge_z(networks, context)
    if context.model.n_attributes:
        figures |= judge_y(lambda x: networks.encode(x)[1], context)
    card = model_card(
        context.model,
        name=context.folder.name,
        data=context.dataset.source,
        license="see the terms of the training data",
        command=command,
        seed=context.config.run.seed,
        metrics={**figures, "training_hours": round(_seconds(context.folder) / 3600, 2)},
    )
    save_artefact(networks, context.folder / "artefact", card=card, dtype=torch.float16)


def _seconds(folder: Path) -> float:
    return sum(float(record.get("seconds", 0)) for record in read_metrics(folder))
