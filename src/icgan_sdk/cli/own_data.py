"""What ``icgan train`` says before it trains on data that it chose the settings for."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from icgan_sdk.train import TrainConfig

OWN = "own"


def explain_choices(config: "TrainConfig", out: Path) -> None:
    """Print what was chosen, why, and how long it will take here.

    Args:
        config: Of the run, with the user's changes.
        out: The run folder.
    """
    from icgan_sdk import train as training
    from icgan_sdk.data import PreparedDataset

    own = training.own_settings(PreparedDataset.open(config.data))
    for choice in own.choices:
        typer.echo(f"  {choice.chosen}: {choice.because}", err=True)
    for warning in own.warnings:
        typer.echo(f"  {warning}", err=True)
    typer.echo("  change any of these by --set; timing a few steps …", err=True)
    seconds = training.estimate_seconds(config)
    parts = ", ".join(f"{stage} {duration(taken)}" for stage, taken in seconds.items())
    typer.echo(f"about {duration(sum(seconds.values()))} here: {parts}", err=True)
    before = seconds["encoder_y"] if config.gan.method == "joint" else 0.0
    sheet = out / "samples" / "gan-0001.png"
    first = before + seconds["gan"] / config.gan.epochs
    typer.echo(f"first sheet after {duration(first)}: {sheet}; the later, the clearer", err=True)


def duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"
