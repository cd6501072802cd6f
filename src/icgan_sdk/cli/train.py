"""``icgan train``: the training pipeline with a progress bar."""

import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icgan_sdk.cli.own_data import OWN, explain_choices
from icgan_sdk.cli.training_progress import training_progress

if TYPE_CHECKING:
    from icgan_sdk.train import Stage, TrainConfig


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="A recipe (celeba, mnist, paper …), a TOML file, or own: settings chosen for the "
            "data. Default: own, and to continue, the run's."
        ),
    ] = None,
    *,
    data: Annotated[str, typer.Option(help="Prepared data set (icgan data prepare).")] = "",
    start: Annotated[
        str,
        typer.Option(help="Start from this model's networks: a bundled name or a folder."),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Run folder; default: runs/ and the data's name."),
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option(
            help="Run only this stage: gan, generated, encoder_z, encoder_y, painter. Repeatable."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a setting: gan.epochs=5. Repeatable."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Continue the run in the folder.")] = False,
    restart: Annotated[
        bool, typer.Option(help="First delete the stages to run, and those built on them.")
    ] = False,
    stop_after: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="Finish the step after 14m, 90s or 1h30m, write a checkpoint and end; --resume "
            "continues.",
        ),
    ] = None,
) -> None:
    """Train a model on a prepared data set: the GAN, then the encoders that invert it.

    With several processes: accelerate launch -m icgan_sdk.cli.main train …
    """
    from icgan_sdk import train as training

    if resume and restart:
        raise typer.BadParameter("--resume and --restart exclude each other")
    seconds = None if stop_after is None else parse_duration(stop_after)
    stages = _stages(stage)
    if out is None:
        if not data:
            raise typer.BadParameter("give --data (icgan data prepare makes them), or --out")
        out = Path("runs") / Path(data).resolve().name
    goes_on = resume or restart
    if recipe is None and not goes_on:
        if not data:
            raise typer.BadParameter("name a recipe or a TOML file, give --data, or --resume a run")
        recipe = OWN
    config = _config(recipe, data, start, out, settings or [], goes_on)
    is_main = os.environ.get("RANK", "0") == "0"
    if is_main and config.data:
        _describe(config.data)
        if recipe == OWN and not goes_on:
            explain_choices(config, out)
    with _told_how_to_go_on(out, is_main), training_progress() as watcher:
        artefact = training.run(
            config,
            out,
            stages=stages,
            mode="resume" if resume else "restart" if restart else "new",
            watcher=watcher,
            command=shlex.join(["icgan", *sys.argv[1:]]),
            stop_after=seconds,
        )
    if is_main and (artefact / "config.json").exists():
        # "run/artefact" could also be a repository on the Hub; "./run/artefact" can't.
        model = artefact if artefact.is_absolute() else f"./{artefact}"
        typer.echo(f"{artefact} is complete: icgan edit IMAGE --model {model} …", err=True)
    elif is_main and seconds is not None and not (stages and training.is_finished(out, stages)):
        chosen = [word for name in stages or () for word in ("--stage", name)]
        go_on = shlex.join(["icgan", "train", "--resume", "--out", str(out), *chosen])
        typer.echo(f"stopped after {stop_after}; to continue: {go_on}", err=True)


@contextmanager
def _told_how_to_go_on(out: Path, is_main: bool) -> Iterator[None]:
    """Say after Ctrl-C which command continues."""
    try:
        yield
    except KeyboardInterrupt:
        if is_main and (out / "config.toml").is_file():
            go_on = shlex.join(["icgan", "train", "--resume", "--out", str(out)])
            typer.echo(f"icgan: to continue from the last checkpoint: {go_on}", err=True)
        raise


def _describe(data: str) -> None:
    """Say what is trained on: a recipe takes pictures of any size, not just of its own."""
    from icgan_sdk.data import PreparedDataset

    dataset = PreparedDataset.open(data)
    side, count = dataset.picture_size, len(dataset.attributes)
    pictures = f"{len(dataset.part('train')):,} pictures of {side}×{side}"
    typer.echo(f"training on {pictures}, {count} attributes: {data}", err=True)


def parse_duration(text: str) -> float:
    """``14m``, ``90s``, ``1h30m`` in seconds.

    Raises:
        typer.BadParameter: If it is none, or nothing.
    """
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text)
    seconds = (
        sum(int(part or 0) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True))
        if found
        else 0
    )
    if not seconds:
        raise typer.BadParameter("give a duration such as 90s, 14m or 1h30m")
    return float(seconds)


def _config(
    recipe: str | None, data: str, start: str, out: Path, settings: list[str], goes_on: bool
) -> "TrainConfig":
    from icgan_sdk import train as training

    saved = training.saved_config(out) if goes_on else None
    if recipe is None and saved is not None:
        config = training.override(saved, settings)
    else:
        config = training.load_config(str(recipe), settings, data=data)
    if saved is not None:
        config = replace(config, data=config.data or saved.data, start=config.start or saved.start)
    return replace(config, data=data or config.data, start=start or config.start)


def _stages(names: list[str] | None) -> "list[Stage] | None":
    from icgan_sdk.train import stages

    known = stages()

    for name in names or []:
        if name not in known:
            raise typer.BadParameter(f"no stage {name!r}; there are {', '.join(known)}")
    return [s for s in known if s in names] if names else None
