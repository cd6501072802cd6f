"""``icgan referee``: training the attribute networks that judge models."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icgan_sdk.cli.console import progress_bar
from icgan_sdk.cli.options import Device

if TYPE_CHECKING:
    from icgan_sdk.evaluation import Architecture


def referee(
    data: Annotated[Path, typer.Argument(help="Prepared data set (icgan data prepare).")],
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="Folder; each referee is saved in a subfolder of its name."
        ),
    ],
    architecture: Annotated[
        list[str] | None,
        typer.Option(help="Only this: anet (the paper's) or residual (stronger). Repeatable."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs; by default chosen for the data set.")
    ] = None,
    device: Device = "auto",
) -> None:
    """Train referees, networks that judge a model by reading the attributes of its pictures."""
    from icgan_sdk.data import PreparedDataset
    from icgan_sdk.evaluation import default_settings, train_referee
    from icgan_sdk.evaluation.referees.referee_folder import read_record

    dataset = PreparedDataset.open(data)
    for name in _architectures(architecture):
        settings = replace(default_settings(dataset, name), device=device)
        if epochs is not None:
            settings = replace(settings, epochs=epochs)
        with progress_bar() as progress:
            train_referee(dataset, out / name, name, settings, progress)
        for partition, figures in read_record(out / name)["figures"].items():
            print(f"{name}, {partition}: {_figures(figures)}")


def _architectures(names: list[str] | None) -> "list[Architecture]":
    from icgan_sdk.evaluation import ARCHITECTURES

    for name in names or []:
        if name not in ARCHITECTURES:
            raise typer.BadParameter(f"no referee {name!r}; there are {', '.join(ARCHITECTURES)}")
    return [a for a in ARCHITECTURES if not names or a in names]


def _figures(figures: dict[str, Any]) -> str:
    if "class_accuracy" in figures:
        return f"class accuracy {figures['class_accuracy']:.2%}"
    return f"mean accuracy {figures['accuracy']:.2%}, mean F1 {figures['f1']:.2%}"
