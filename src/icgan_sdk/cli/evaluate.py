"""``icgan evaluate``: every figure of a model, and a report."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from icgan_sdk.cli.options import DetailOption, Device, Json, Refine, complete_model


def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            help="A bundled model's name, a model's or a run's folder, or 'org/name' on the Hub.",
            autocompletion=complete_model,
        ),
    ],
    *,
    data: Annotated[Path, typer.Option(help="Prepared data set (icgan data prepare).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the report.")],
    partition: Annotated[str, typer.Option(help="Partition of the data to evaluate on.")] = "test",
    referees: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the referees, trained if missing; by default kept for these data."
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Measure this only: a key of evaluation.json. Repeatable."),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Two minutes: only what needs no referee, on 500 pictures."),
    ] = False,
    pictures: Annotated[
        Literal["all", "generated", "none"],
        typer.Option(
            help="Pictures in the report; generated: no real ones, for sharing reports on faces."
        ),
    ] = "all",
    limit: Annotated[
        int | None, typer.Option(min=2, help="Use only the first so many pictures.")
    ] = None,
    refine: Refine = 0,
    detail: DetailOption = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")] = 0,
    device: Device = "auto",
    keep_quality: Annotated[
        bool,
        typer.Option(
            "--keep-quality", help="Write how real each edit looks into the model's folder."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure how good a model is. Write a report with tables, plots and pictures."""
    from icgan_sdk.evaluation.evaluate import REPORT_FILE
    from icgan_sdk.evaluation.evaluate import evaluate as judge
    from icgan_sdk.evaluation.evaluation_report import summary

    with _Parts() as parts:
        result = judge(
            model,
            data,
            out,
            partition=partition,
            referees=referees,
            metrics=metric or None,
            quick=quick,
            pictures=pictures,
            limit=limit,
            refine=refine,
            detail=detail,
            seed=seed,
            device=device,
            keep_quality=keep_quality,
            watcher=parts.update,
        )
    if as_json:
        print(result.to_json(), end="")
    else:
        lines = summary(result)
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
            print("  ".join(cells).rstrip())
    typer.echo(out / REPORT_FILE, err=as_json)


class _Parts:
    """A progress bar for each part of the evaluation, with the time it takes."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(20),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> "_Parts":
        return self

    def __exit__(self, *_: object) -> None:
        if self._tasks:
            self._progress.stop()

    def update(self, part: str, done: int, total: int) -> None:
        """Show how far a part is."""
        from rich.progress import TaskID

        self._progress.start()  # only now, so that no bar stands above an early error
        if part not in self._tasks:
            self._tasks[part] = self._progress.add_task(part)
        self._progress.update(TaskID(self._tasks[part]), completed=done, total=total)
