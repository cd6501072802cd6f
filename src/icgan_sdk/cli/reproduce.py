"""``icgan reproduce``: the paper's comparisons, trained, measured and reported."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from icgan_sdk.cli.options import Device

if TYPE_CHECKING:
    from icgan_sdk.evaluation.studies.study import StudyName

SECONDS_BETWEEN_LINES = 60


def reproduce(
    study: Annotated[
        list[str],
        typer.Argument(
            help="table3, encoders, ey-source, sampling, poster, ingredients or ingredients128, or "
            "several."
        ),
    ],
    *,
    data: Annotated[Path, typer.Option(help="Prepared data set (icgan data prepare).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of results and runs.")],
    scale: Annotated[
        Literal["small", "full"] | None,
        typer.Option(
            help="small: about an hour on two cores; full: the paper's, for a GPU. Without it, "
            "what both would take."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a setting of all models: gan.epochs=5. Repeatable."),
    ] = None,
    referees: Annotated[
        Path | None,
        typer.Option(help="Folder of the referees, trained if missing; by default OUT/referees."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")] = 0,
    device: Device = "auto",
) -> None:
    """Run the paper's comparisons: train every model, measure it, write a report.

    If it is stopped, the same command continues where it left off.
    """
    from icgan_sdk.evaluation.reproduce import reproduce as run_study

    names = _studies(study)
    if scale is None:
        costs = _costs(names, data, tuple(settings or ()))
        raise typer.BadParameter(costs, param_hint="'--scale'")
    for name in names:
        run_study(
            name,
            data,
            out,
            scale=scale,
            settings=tuple(settings or ()),
            seed=seed,
            device=device,
            referees=referees,
            watcher=_Lines(name).update,
        )
        typer.echo(out / f"{name}.md")


def _studies(names: list[str]) -> "list[StudyName]":
    from icgan_sdk.evaluation.studies.study_catalogue import STUDIES

    for name in names:
        if name not in STUDIES:
            raise typer.BadParameter(f"no study {name!r}; there are {', '.join(STUDIES)}")
    return [name for name in STUDIES if name in names]


def _costs(names: "list[StudyName]", data: Path, settings: tuple[str, ...]) -> str:
    from icgan_sdk.data import PreparedDataset
    from icgan_sdk.evaluation.studies.study_catalogue import STUDIES
    from icgan_sdk.evaluation.studies.study_variants import cost

    dataset, studies = PreparedDataset.open(data), [STUDIES[name] for name in names]
    small, full = (cost(studies, dataset, scale, settings) for scale in ("small", "full"))
    return (
        f"choose --scale small ({small.models} models, {small.steps:,} steps; on two cores a few "
        f"steps a second) or --scale full ({full.models} models of the paper's size, "
        f"{full.steps:,} steps; for a GPU)"
    )


class _Lines:
    """Prints a line on stderr for each part of the work, and one a minute meanwhile."""

    def __init__(self, study: str) -> None:
        self._study, self._last, self._since = study, "", 0.0

    def update(self, part: str, done: int, total: int) -> None:
        """Print what is being done, if it is time."""
        now = time.monotonic()
        if part == self._last and now - self._since < SECONDS_BETWEEN_LINES:
            return
        at = f": {done} of {total}" if total > 1 else ""
        print(f"{self._study}: {part}{at}", file=sys.stderr, flush=True)
        self._last, self._since = part, now
