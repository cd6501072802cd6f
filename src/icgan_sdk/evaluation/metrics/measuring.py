"""Showing all pictures to the metrics, and collecting their figures."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch

from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.metric import Figures, Metric, Viewer
from icgan_sdk.evaluation.metrics.seeing import GENERATED, REAL
from icgan_sdk.evaluation.progress import Watcher, ignore
from icgan_sdk.training.rows import chunks
from icgan_sdk.training.runtime import release_freed_memory


@torch.inference_mode()
def measure(
    bench: Bench,
    metrics: Sequence[Metric[Any]],
    viewers: Sequence[Viewer] = (),
    watcher: Watcher = ignore,
) -> dict[str, Any]:
    """Measure a model.

    Args:
        bench: The model, the data, the referees.
        metrics: Made for this bench.
        viewers: Others that want to see the pictures.
        watcher: Told of the progress.

    Returns:
        The metrics' figures by their names.
    """
    everyone = (*metrics, *viewers)
    show(bench, everyone, watcher)
    figures = {}
    for metric in metrics:
        watcher(metric.name, 0, 1)
        with bench.clock.part(metric.name):
            figures[metric.name] = metric.figures()
        release_freed_memory()
        watcher(metric.name, 1, 1)
    return figures


def measure_alone(metric: Metric[Figures]) -> Figures:
    """Measure one metric only."""
    figures: Figures = measure(metric.bench, [metric])[metric.name]
    return figures


@torch.inference_mode()
def show(bench: Bench, viewers: Sequence[Viewer], watcher: Watcher = ignore) -> None:
    """Show all pictures to viewers, batch by batch."""
    total = len(bench.pictures)
    slices = list(batches(bench, [viewer.limit for viewer in viewers]))
    names = [viewer.name if isinstance(viewer, Metric) else REAL for viewer in viewers]
    for part, show_batch in ((REAL, _show_real), (GENERATED, _show_generated)):
        watcher(part, 0, total)
        for at in slices:
            show_batch(bench, at, viewers, names)
            release_freed_memory()  # now that the batch is gone
            watcher(part, at.stop, total)


def _show_real(bench: Bench, at: slice, viewers: Sequence[Viewer], names: Sequence[str]) -> None:
    batch = bench.real(at)
    for viewer, name in zip(viewers, names, strict=True):
        with bench.clock.part(name):
            viewer.see_real(batch)


def _show_generated(
    bench: Bench, at: slice, viewers: Sequence[Viewer], names: Sequence[str]
) -> None:
    batch = bench.generated(at)
    for viewer, name in zip(viewers, names, strict=True):
        with bench.clock.part(name):
            viewer.see_generated(batch)


def batches(bench: Bench, limits: Iterable[int | None]) -> Iterator[slice]:
    """Slices of all rows, of a size that bounds memory, cut at the limits."""
    total = len(bench.pictures)
    inner = {limit for limit in limits if limit is not None and limit < total}
    for start, stop in pairwise(sorted({0, total} | inner)):
        for at in chunks(stop - start, bench.config.image_size):
            yield slice(start + at.start, start + at.stop)
