"""The whole training run: four stages, each resumable, ending in an artefact folder."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import torch

from icgan_sdk.artefacts.bundled import bundled_names, resolve
from icgan_sdk.artefacts.card import model_card
from icgan_sdk.artefacts.folder import load_artefact, save_artefact
from icgan_sdk.config import ModelConfig
from icgan_sdk.data import LabelSampler, PreparedDataset
from icgan_sdk.errors import CheckpointError, ConfigError
from icgan_sdk.model import IcGANNetworks, Painter
from icgan_sdk.training.config import GANMethod, TrainConfig
from icgan_sdk.training.context import Context
from icgan_sdk.training.encoders import judge_y, judge_z, train_encoder_y, train_encoder_z
from icgan_sdk.training.gan import train_gan
from icgan_sdk.training.generated import make_generated
from icgan_sdk.training.joint import train_joint
from icgan_sdk.training.logging import Watcher, read_metrics
from icgan_sdk.training.painter import load_model, train_painter
from icgan_sdk.training.painter_samples import judge_painter
from icgan_sdk.training.run_folder import Mode, needs, prepare_folder, run_commands
from icgan_sdk.training.runtime import Runtime, Stage

METHODS: dict[GANMethod, Callable[[Context], None]] = {
    "matching": train_gan,
    "joint": train_joint,
}
RUN: dict[Stage, Callable[[Context], None]] = {
    "gan": lambda context: METHODS[context.config.gan.method](context),
    "generated": make_generated,
    "encoder_z": train_encoder_z,
    "encoder_y": train_encoder_y,
    "painter": train_painter,
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
    4 E_y (first of all in joint training); then the artefact folder is written as soon as every
    network it needs is there. Each stage keeps checkpoints: a run killed at any moment and resumed
    gives, on a CPU, bit for bit the weights of the uninterrupted run.

    Under ``accelerate launch`` or ``torchrun`` every process calls this alike; batch sizes are
    per process.

    Args:
        config: Settings; `config.data` names the prepared data set.
        out: The run folder; gets ``config.toml``, ``checkpoints/``, ``metrics.jsonl``,
            ``samples/``, ``generated/`` and ``artefact/``.
        stages: Which to run, in their order; None: all. What a run that starts from a model
            doesn't train it takes over from there.
        mode: "new" wants stages that have not begun here, "resume" goes on with what has,
            "restart" first throws away these stages and all that was built on them.
        watcher: Told of every step.
        command: How the run was started, for the model card; not asked when resuming.

    Returns:
        The artefact folder, ``out/artefact``. It is complete once all stages have run.

    Raises:
        CheckpointError: If the mode, settings or data don't fit what the folder holds, or an
            earlier stage is missing.
        ConfigError: If the settings don't fit the data, or there is no such stage.
        DatasetError: If the data set can't be read.
        SaveError: If the disk is full or the folder can't be written.
    """
    if mode not in get_args(Mode):
        raise ConfigError(f"mode must be one of {', '.join(get_args(Mode))}, not {mode!r}")
    folder = Path(out)
    context = _open_run(config, folder, watcher)
    all_stages = _stages_of(context)
    wanted = _check_stages(stages, all_stages)
    if context.runtime.is_main:
        prepare_folder(context, wanted, mode, command)
    context.runtime.wait()
    for stage in wanted:
        _check_needs(context, stage)
        RUN[stage](context)
    artefact = folder / "artefact"
    done = all(context.has(s) for s in all_stages)
    if context.runtime.is_main and done and not (artefact / "config.json").exists():
        _write_artefact(context, artefact)
    context.runtime.wait()
    return artefact


def _stages_of(context: Context) -> list[Stage]:
    """The stages of a run, in their order."""
    model = context.model
    if not model.painter_size:
        return _stages_before_painter(context)
    if context.config.painter.alone:
        if context.start is None:
            raise ConfigError("painter.alone needs a model to start from")
        return ["painter"]
    if model.painter_size != model.image_size:
        raise ConfigError(
            "a model smaller than its painter's photos is trained on data of its own size first; "
            "then set painter.alone, and start from it"
        )
    return [*_stages_before_painter(context), "painter"]


def _stages_before_painter(context: Context) -> list[Stage]:
    model = context.model
    if context.config.gan.method == "joint":
        if not model.n_attributes or model.encoder_design != "ind":
            raise ConfigError('gan.method = "joint" needs attributes and the encoder design "ind"')
        return ["encoder_y", "gan", "generated", "encoder_z"]
    if context.config.encoder_z.edit_weight and (
        context.start is None or context.start.encoder_y is None
    ):
        raise ConfigError(
            'encoder_z.edit_weight needs an E_y to read edits: that of gan.method "joint", or of a '
            "model to start from"
        )
    has_encoder_y = bool(model.n_attributes) and model.encoder_design != "sng"
    stages: list[Stage] = ["gan", "generated", "encoder_z"]
    return [*stages, "encoder_y"] if has_encoder_y else stages


def _check_stages(stages: Sequence[Stage] | None, known: Sequence[Stage]) -> list[Stage]:
    unknown = [s for s in stages or () if s not in known]
    if unknown:
        raise ConfigError(f"this model has no stage {unknown[0]!r}; it has {', '.join(known)}")
    return [s for s in known if stages is None or s in stages]


def _open_run(config: TrainConfig, folder: Path, watcher: Watcher | None) -> Context:
    if not config.data:
        raise ConfigError("training config: data doesn't name a prepared data set")
    # A run may be resumed from another working directory.
    config = replace(config, data=str(Path(config.data).resolve()), start=_located(config.start))
    dataset = PreparedDataset.open(config.data)
    train_part = dataset.part("train")
    labels = LabelSampler(
        train_part.all_labels(), dataset.attributes, method=config.gan.label_sampling
    )
    runtime = Runtime(config.run)
    model = config.model_config(dataset)
    kept = config.run.data_on_device and runtime.holds(train_part.n_bytes)
    return Context(
        folder=folder,
        config=config,
        model=model,
        dataset=dataset,
        train=train_part.on_device(runtime.device) if kept else train_part,
        labels=labels,
        runtime=runtime,
        start=_load_start(config.start, model) if config.start else None,
        watcher=watcher,
    )


def _located(start: str) -> str:
    is_folder = start and start not in bundled_names()
    return str(Path(start).resolve()) if is_folder else start


def _load_start(start: str, model: ModelConfig) -> IcGANNetworks:
    """The networks a run begins with, which must be built as its own."""
    folder = resolve(start if start in bundled_names() else Path(start))
    networks = load_artefact(folder)
    theirs, ours = networks.config.to_dict(), model.to_dict()
    parts = [name for name in ours if not name.startswith("painter_") or networks.painter]
    if different := [name for name in parts if theirs[name] != ours[name]]:
        raise ConfigError(
            f"the run's networks are not built as those of {start}: {', '.join(different)} "
            "differ; prepare the data with its attributes and size, and leave model.* as its own"
        )
    return networks


def _check_needs(context: Context, stage: Stage) -> None:
    for needed in needs(context, stage):
        if not context.has(needed):
            raise CheckpointError(
                f"stage {stage} builds on stage {needed}, which is not complete in {context.folder}"
            )


def _write_artefact(context: Context, folder: Path) -> None:
    networks = load_model(context)
    if context.model.painter_size:
        networks.painter = context.runtime.place(Painter(context.model))
        context.load("painter", "average", networks.painter)
    networks.eval()
    with torch.no_grad():
        for parameter in networks.parameters():
            parameter.copy_(parameter.half())  # judged as it is stored
    figures = _figures(networks, context)
    card = model_card(
        context.model,
        name=f"./{folder}" if not folder.is_absolute() else str(folder),
        data=context.dataset.source,
        license="see the terms of the training data",
        command="\n".join(run_commands(context.folder)) or "from Python, with the settings below",
        seed=context.config.run.seed,
        metrics={**figures, "training_hours": round(_seconds(context.folder) / 3600, 2)},
        notes=f"All settings of the run:\n\n```toml\n{_settings(context.config)}```",
    )
    save_artefact(networks, folder, card=card, dtype=torch.float16)


def _figures(networks: IcGANNetworks, context: Context) -> dict[str, float]:
    """What the model card says of the networks."""
    alone = context.config.painter.alone
    figures = {} if alone else judge_z(networks, context)
    if context.model.n_attributes and not alone:
        figures |= judge_y(networks.read_y, context)
    if networks.painter is not None:
        figures |= {k: v for k, v in judge_painter(networks, context).items() if "." not in k}
    return figures


def _settings(config: TrainConfig) -> str:
    # Where the data lie on this machine concerns nobody else.
    return replace(config, data="").to_toml()


def _seconds(folder: Path) -> float:
    return sum(float(record.get("seconds", 0)) for record in read_metrics(folder))
