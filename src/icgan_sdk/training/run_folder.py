"""What a run folder holds of earlier stages, and whether new work fits to it."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from icgan_sdk.errors import CheckpointError
from icgan_sdk.files import atomic_folder, write_text
from icgan_sdk.training.checkpoint import is_complete
from icgan_sdk.training.config import TrainConfig, load_config
from icgan_sdk.training.context import Context
from icgan_sdk.training.logging import read_metrics
from icgan_sdk.training.runtime import STAGES, Stage

Mode = Literal["new", "resume", "restart"]
NEEDS: dict[Stage, tuple[Stage, ...]] = {
    "gan": (),
    "generated": ("gan",),
    "encoder_z": ("generated",),
    "encoder_y": (),
    "painter": ("generated", "encoder_z"),
}
_FORKED: tuple[Stage, ...] = ("gan", "generated")
FIXED = ("seed", "channels_last")
"""Settings of the section `run` that every stage of a run shares; others may change."""


def saved_config(out: str | os.PathLike[str]) -> TrainConfig:
    """The settings a run folder was started with.

    Raises:
        CheckpointError: If the folder holds no run.
    """
    path = Path(out) / "config.toml"
    if not path.is_file():
        raise CheckpointError(f"{out} holds no run: there is no config.toml")
    return load_config(path)


def needs(context: Context, stage: Stage) -> tuple[Stage, ...]:
    """The stages that a stage builds on directly."""
    if stage == "encoder_y" and context.config.encoder_y.source == "generated":
        return ("generated",)
    if stage == "gan" and context.config.gan.method == "joint":
        return ("encoder_y",)
    if stage == "painter" and context.config.painter.alone:
        return ()
    return NEEDS[stage]


def prepare_folder(context: Context, wanted: Sequence[Stage], mode: Mode, command: str) -> None:
    """Check that the wanted stages fit what the folder holds, and record what is to be done.

    Nothing is changed before all is checked.

    Raises:
        CheckpointError: If they don't fit.
    """
    folder = context.folder
    begun = [s for s in STAGES if context.checkpoint(s).exists()]
    repeated = [s for s in wanted if s in begun]
    if mode == "new" and repeated:
        raise CheckpointError(
            f"{folder} already holds {', '.join(repeated)}: resume it, restart it, or name a new "
            "folder"
        )
    doomed = _built_on(context, wanted) if mode == "restart" else set()
    kept = [s for s in begun if s not in doomed]
    if mode == "resume" or kept:
        _check_same(saved_config(folder), context.config, kept)
    fingerprint = context.dataset.fingerprint()
    if kept:
        _check_data(context, fingerprint)
    _discard(context, doomed)
    if any(not is_complete(context.checkpoint(s)) for s in wanted):
        shutil.rmtree(folder / "artefact", ignore_errors=True)  # of the model before they run
    for half_written in (folder / "checkpoints").glob(".*.tmp.*"):
        half_written.unlink()  # left by a kill in the middle of saving
    commands = run_commands(folder) if kept else []
    if command and mode != "resume":
        commands.append(command)
    record = {"commands": commands, "data": fingerprint}
    write_text(folder / "run.json", json.dumps(record, indent=2) + "\n")
    write_text(folder / "config.toml", context.config.to_toml())


def fork_run(
    source: str | os.PathLike[str], out: str | os.PathLike[str], config: TrainConfig
) -> None:
    """Begin a run with the GAN of another, and with those of its encoders that are to be the same.

    For comparing encoders on one GAN; `train` with ``mode="resume"`` then runs what is left.

    Args:
        source: Run folder that has both stages.
        out: A new run folder.
        config: Its settings; those of the GAN must be the source's.

    Raises:
        CheckpointError: If a stage is missing or was run with other settings, or `out` exists.
    """
    source, out = Path(source), Path(out)
    complete = [s for s in STAGES if is_complete(source / "checkpoints" / f"{s}.pt")]
    missing = [s for s in _FORKED if s not in complete]
    if missing:
        raise CheckpointError(f"{source} has no complete stage {missing[0]} to begin with")
    if out.exists():
        raise CheckpointError(f"{out} exists: name a new folder for the run")
    saved = saved_config(source)
    _check_same(_without_encoders(saved), _without_encoders(config), _FORKED)
    old, new = saved.to_dict(), config.to_dict()
    same = [s for s in complete if all(old[t] == new[t] for t in _sections(s, saved))]
    kept = same if saved.model == config.model else _FORKED
    with atomic_folder(out) as folder:
        for name in ("checkpoints", "generated"):
            (folder / name).mkdir()
        for stage in kept:
            shutil.copy2(source / "checkpoints" / f"{stage}.pt", folder / "checkpoints")
        shutil.copytree(source / "generated", folder / "generated", dirs_exist_ok=True)
        records = [r for r in read_metrics(source) if r["stage"] in kept]
        lines = "".join(json.dumps(record) + "\n" for record in records)
        write_text(folder / "metrics.jsonl", lines)
        write_text(folder / "run.json", (source / "run.json").read_text("utf-8"))
        write_text(folder / "config.toml", config.to_toml())


def _without_encoders(config: TrainConfig) -> TrainConfig:
    model = {k: v for k, v in config.model.items() if not k.startswith("encoder_")}
    return replace(config, model=model)


def run_commands(folder: Path) -> list[str]:
    """The commands that started the stages a run folder holds."""
    commands: list[str] = _record(folder).get("commands", [])
    return commands


def _record(folder: Path) -> dict[str, Any]:
    path = folder / "run.json"
    try:
        record: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    return record


def _sections(stage: Stage, config: TrainConfig) -> tuple[str, ...]:
    """The sections of a config that a stage's result depends on."""
    if stage == "encoder_z" and config.model.get("encoder_design") == "sng":
        return ("encoder_z", "encoder_y")  # the one encoder takes its y from the latter
    if stage == "gan" and config.gan.method == "joint":
        return ("gan", "joint", "encoder_y")  # which reads y in joint training
    return (stage,)


def _check_same(saved: TrainConfig, given: TrainConfig, kept: Sequence[Stage]) -> None:
    """The networks, the seed and the settings of all stages that stay must be the same."""
    old, new = saved.to_dict(), given.to_dict()
    if kept and old["start"] != new["start"]:
        raise CheckpointError(
            f"the run was started from {old['start'] or 'random weights'}, not from "
            f"{new['start'] or 'random weights'}: go on with the same, or restart its stages"
        )
    sections = [section for stage in kept for section in _sections(stage, saved)]
    changed = [
        f"{section}.{key}"
        for section in dict.fromkeys(("model", "run", *sections))
        for key in {**old[section], **new[section]}
        if old[section].get(key) != new[section].get(key) and (section != "run" or key in FIXED)
    ]
    if changed:
        raise CheckpointError(
            f"the run was started with other settings ({', '.join(sorted(changed))}): go on "
            "without changing them, or restart the stages they concern"
        )


def _check_data(context: Context, fingerprint: str) -> None:
    before = _record(context.folder).get("data")
    if before is not None and before != fingerprint:
        raise CheckpointError(
            f"{context.config.data} is not the data set {context.folder} was started with: name "
            "that one, or restart the stages"
        )


def _built_on(context: Context, stages: Sequence[Stage]) -> set[Stage]:
    """These stages, and all that are built on them."""
    found = set(stages)
    for stage in STAGES:
        if found & set(needs(context, stage)):
            found.add(stage)
    return found


def _discard(context: Context, stages: set[Stage]) -> None:
    for stage in stages:
        context.checkpoint(stage).unlink(missing_ok=True)
    if "generated" in stages:
        shutil.rmtree(context.folder / "generated", ignore_errors=True)
    if stages:
        shutil.rmtree(context.folder / "artefact", ignore_errors=True)
