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
            help="table3, encoders, ey-source, sampling, poster, ingredients; several in turn."
        ),
    ],
    *,
    data: Annotated[Path, typer.Option(help="Prepared data set (icgan data prepare).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of results and runs.")],
    scale: Annotated[
        Literal["full", "small"],
        typer.Option(help="full: the paper's, for a GPU; small: an hour or so on two cores."),
    ] = "full",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a setting of all models: gan.epochs=5. Repeatable."),
    ] = None,
    referees: Annotated[
        Path | None, typer.Option(help="Folder of referees; by default OUT/referees.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Everything random follows from it.")] = 0,
    device: Device = "auto",
) -> None:
    """Run the paper's comparisons: train every model, measure it, write a report.

    Stopped at any moment, the same command goes on where it was.
    """
    from icgan_sdk.evaluation.reproduce import reproduce as run_study

    for name in _studies(study):
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


class _Lines:
    """Prints a line on stderr when the work changes, and one a minute while it doesn't."""

    def __init__(self, study: str) -> None:
        self._study, self._last, self._since = study, "", 0.0

    def update(self, part: str, done: int, total: int) -> None:
        """Tell what is being done."""
        now = time.monotonic()
        if part == self._last and now - self._since < SECONDS_BETWEEN_LINES:
            return
        at = f": {done} of {total}" if total > 1 else ""
        print(f"{self._study}: {part}{at}", file=sys.stderr, flush=True)
        self._last, self._since = part, now
