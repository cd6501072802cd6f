"""How a training gets on: a bar in a terminal, else lines."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icgan_sdk.train import Progress

SECONDS = 60.0
"""Between two lines of a stage; its first and last steps have lines too."""


@contextmanager
def training_progress() -> "Iterator[Callable[[Progress], None]]":
    """What a training run tells its steps to."""
    if sys.stderr.isatty():
        with _bar() as update:
            yield update
    else:
        yield Lines().update


class Lines:
    """Prints a line on stderr when a stage begins, every minute, and when it ends."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._stage, self._metrics = clock, "", ""
        self._begun, self._printed = (0, 0.0), 0.0  # step and time; time

    def update(self, progress: "Progress") -> None:
        """Take note of a step."""
        now = self._clock()
        begins = progress.stage != self._stage
        if begins or progress.metrics is not None:
            self._metrics = describe(progress)
        if begins:
            self._stage, self._begun = progress.stage, (progress.step, now)
        if begins or progress.step == progress.steps or now - self._printed >= SECONDS:
            self._printed = now
            self._print(progress, now)

    def _print(self, progress: "Progress", now: float) -> None:
        step, begun = self._begun
        parts = [f"{progress.stage} {progress.step}/{progress.steps}", self._metrics]
        if step < progress.step < progress.steps:
            left = (now - begun) / (progress.step - step) * (progress.steps - progress.step)
            parts.append(f"{timedelta(seconds=round(left))} left")
        print("  ".join(part for part in parts if part), file=sys.stderr, flush=True)


def describe(progress: "Progress") -> str:
    """Losses and images/s in a line."""
    return "  ".join(
        f"{v:.0f} images/s" if k == "images_per_second" else f"{k} {v:.3g}"
        for k, v in (progress.metrics or {}).items()
    )


@contextmanager
def _bar() -> "Iterator[Callable[[Progress], None]]":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar
    from rich.table import Column

    # Where the terminal is narrow, the losses give way.
    losses = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    bar = Bar(
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(12),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}", table_column=losses),
        console=Console(stderr=True),
        expand=True,
    )
    tasks: dict[str, TaskID] = {}

    def update(progress: "Progress") -> None:
        bar.start()  # not before, so that an early error is printed without a bar
        if progress.stage not in tasks:
            tasks[progress.stage] = bar.add_task(progress.stage, total=progress.steps, losses="")
        task = tasks[progress.stage]
        bar.update(task, completed=progress.step)
        if progress.metrics is not None:
            bar.update(task, losses=describe(progress))

    try:
        yield update
    finally:
        bar.stop()
