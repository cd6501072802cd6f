"""The run folder: what earlier stages left there, and whether new work fits it."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from icgan_sdk.artefacts.layout import ARTEFACT_FOLDER, RUN_CONFIG_FILE
from icgan_sdk.errors import CheckpointError, SaveError
from icgan_sdk.files import atomic_folder, write_text
from icgan_sdk.training.checkpoint import is_complete
from icgan_sdk.training.context import STAGES, Context
from icgan_sdk.training.logging import read_metrics
from icgan_sdk.training.recipe_files import load_config
from icgan_sdk.training.stages import built_on
from icgan_sdk.training.train_config import TrainConfig

Mode = Literal["new", "resume", "restart"]
LOCK_FILE = ".lock"
_FORKED = ("gan", "generated")
FIXED = ("seed", "channels_last")
"""Settings of the section `run` that stay the same for all stages of a run."""
FIXED_IN_STAGE = ("epochs", "batch_size", "method", "adam")
"""Settings of a stage's own section that stay the same until it has ended."""


def saved_config(out: str | os.PathLike[str]) -> TrainConfig:
    """The settings a run folder was started with.

    Raises:
        CheckpointError: If the folder holds no run.
    """
    path = Path(out) / RUN_CONFIG_FILE
    if not path.is_file():
        raise CheckpointError(f"{out} holds no run: there is no config.toml")
    return load_config(path)


def is_finished(out: str | os.PathLike[str], stages: Sequence[str]) -> bool:
    """Whether stages have run to their end in a run folder.

    Raises:
        CheckpointError: If a checkpoint is damaged.
    """
    return all(is_complete(Path(out) / "checkpoints" / f"{stage}.pt") for stage in stages)


def prepare_folder(context: Context, wanted: Sequence[str], mode: Mode, command: str) -> None:
    """Check that the wanted stages fit the folder's contents, and record the run's settings.

    Nothing is changed until everything has been checked.

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
    doomed = built_on(context.config, set(wanted)) if mode == "restart" else set()
    kept = [s for s in begun if s not in doomed]
    if mode == "resume" or kept:
        unfinished = [s for s in kept if not is_complete(context.checkpoint(s))]
        _check_same(saved_config(folder), context.config, kept, unfinished)
    fingerprint = context.dataset.fingerprint()
    if kept:
        _check_data(context, fingerprint)
    _discard(context, doomed)
    if not all(context.ran(s) for s in wanted):
        shutil.rmtree(folder / ARTEFACT_FOLDER, ignore_errors=True)  # the model without them
    for half_written in (folder / "checkpoints").glob(".*.tmp.*"):
        half_written.unlink()  # left by a run that was killed while saving
    commands = run_commands(folder) if kept else []
    changed = mode == "resume" and saved_config(folder).to_dict() != context.config.to_dict()
    if command and (mode != "resume" or changed):
        commands.append(command)
    record = {"commands": commands, "data": fingerprint}
    write_text(folder / "run.json", json.dumps(record, indent=2) + "\n")
    write_text(folder / RUN_CONFIG_FILE, context.config.to_toml(), errors="surrogateescape")


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep other processes from training in a run folder while the context lasts.

    Raises:
        CheckpointError: If another process does.
        SaveError: If the folder can't be written.
    """
    lock = FileLock(folder / LOCK_FILE, timeout=0)  # the system frees it if the process is killed
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise CheckpointError(
            f"another process is training in {folder}: wait for its end, stop it, or name another "
            "folder"
        ) from error
    except OSError as error:
        raise SaveError(f"can't write {folder}: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()
        if is_new and [path.name for path in folder.iterdir()] == [LOCK_FILE]:
            shutil.rmtree(folder)  # nothing came of it


def fork_run(
    source: str | os.PathLike[str], out: str | os.PathLike[str], config: TrainConfig
) -> None:
    """Begin a run with the GAN of another, and with all its other stages of the same settings.

    This is for comparing encoders on one GAN: `train` with ``mode="resume"`` then runs the stages
    that are left.

    Args:
        source: A run folder with the stages `gan` and `generated`.
        out: A new run folder.
        config: The new run's settings; those of the two stages must be the source's.

    Raises:
        CheckpointError: If a stage is missing or has other settings, or if `out` exists.
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
    kept = kept_stages(saved, config, complete)
    with atomic_folder(out) as folder:
        (folder / "checkpoints").mkdir()
        for stage in kept:
            shutil.copy2(source / "checkpoints" / f"{stage}.pt", folder / "checkpoints")
            for name in STAGES[stage].leaves:
                shutil.copytree(source / name, folder / name)
        records = [r for r in read_metrics(source) if r["stage"] in kept]
        lines = "".join(json.dumps(record) + "\n" for record in records)
        write_text(folder / "metrics.jsonl", lines)
        write_text(folder / "run.json", (source / "run.json").read_text("utf-8"))
        write_text(folder / RUN_CONFIG_FILE, config.to_toml(), errors="surrogateescape")


def kept_stages(source: TrainConfig, config: TrainConfig, stages: Iterable[str]) -> tuple[str, ...]:
    """The stages of one run that another takes over when it is forked from it.

    Args:
        source: Settings of the first.
        config: Settings of the second.
        stages: Those that the first has.
    """
    if (source.model, source.images) != (config.model, config.images):
        return tuple(_FORKED)
    old, new = source.to_dict(), config.to_dict()
    return tuple(
        s for s in stages if all(old.get(t) == new.get(t) for t in STAGES[s].depends_on(source))
    )


def _without_encoders(config: TrainConfig) -> TrainConfig:
    model = {k: v for k, v in config.model.items() if not k.startswith("encoder_")}
    return replace(config, model=model)


def run_commands(folder: Path) -> list[str]:
    """The commands that started the stages in a run folder."""
    commands: list[str] = _record(folder).get("commands", [])
    return commands


def _record(folder: Path) -> dict[str, Any]:
    path = folder / "run.json"
    try:
        record: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    return record


def _check_same(
    saved: TrainConfig, given: TrainConfig, kept: Sequence[str], unfinished: Sequence[str] = ()
) -> None:
    """Raise CheckpointError unless networks, seed and the settings of kept stages are the same.

    An unfinished stage may go on with other settings of its own, such as a lower learning rate, as
    far as its steps stay the same and no other stage has been trained with them.
    """
    old, new = saved.to_dict(), given.to_dict()
    if kept and old["start"] != new["start"]:
        raise CheckpointError(
            f"the run was started from {old['start'] or 'random weights'}, not from "
            f"{new['start'] or 'random weights'}: go on with the same, or restart its stages"
        )
    sections = {"model", "images", "run"}
    for stage in kept:
        sections |= set(STAGES[stage].depends_on(saved)) - (
            {stage} if stage in unfinished else set()
        )
    changed = {
        f"{section}.{key}"
        for section in sections | set(unfinished)
        for key in {**old.get(section, {}), **new.get(section, {})}
        if old.get(section, {}).get(key) != new.get(section, {}).get(key)
        and (section != "run" or key in FIXED)
        and (section in sections or key in FIXED_IN_STAGE)
    }
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


def _discard(context: Context, stages: set[str]) -> None:
    for stage in stages:
        context.checkpoint(stage).unlink(missing_ok=True)
        for name in STAGES[stage].leaves:
            shutil.rmtree(context.folder / name, ignore_errors=True)
    if stages:
        shutil.rmtree(context.folder / ARTEFACT_FOLDER, ignore_errors=True)
