"""Which class each generated image was read as, of models whose labels are classes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from icgan_sdk.config import ModelConfig
from icgan_sdk.evaluation.metrics.attribute_readings import HEADING
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.metric import Metric
from icgan_sdk.evaluation.metrics.seeing import GeneratedBatch
from icgan_sdk.evaluation.report.markdown import Section, image
from icgan_sdk.evaluation.report.plots import label_ticks, name_rows, new_plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Counts = list[list[int]]
"""A row for each class asked for, a column for each class read."""


class ClassConfusion(Metric[Counts | None]):
    """Counts of generated images: a row for the class asked for, a column for the class read.

    The residual referee reads them. None where labels are not classes.
    """

    name = "classes"

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self._is_classes = bench.networks.config.attributes.one_hot
        classes = bench.networks.config.n_attributes
        self._counts = torch.zeros(classes, classes, dtype=torch.int64)

    def see_generated(self, batch: GeneratedBatch) -> None:
        """Count a batch."""
        if self._is_classes:
            found = batch.generated.read("residual").present
            self._counts += (batch.labels > 0).long().T @ found.long()

    def figures(self) -> Counts | None:
        """The table."""
        counts: Counts = self._counts.tolist()
        return counts if self._is_classes else None

    @classmethod
    def section(
        cls, figures: Counts | None, config: ModelConfig, files: Mapping[str, str]
    ) -> Section | None:
        """The plot alone."""
        if figures is None:
            return None
        return Section(HEADING, [image("confusion", files)])

    @classmethod
    def plots(cls, figures: Counts | None, config: ModelConfig) -> "dict[str, Figure]":
        """The table as a plot."""
        if figures is None:
            return {}
        return {"confusion": class_matrix(figures, config.attributes.names)}


def class_matrix(counts: Sequence[Sequence[int]], names: Sequence[str]) -> "Figure":
    """How often a generated image asked to show the row's class was read as the column's, in %."""
    table = np.array(counts, dtype=np.float64)
    shares = 100 * table / table.sum(1, keepdims=True).clip(1)
    plot = new_plot(2 + 0.5 * len(names), 1.5 + 0.5 * len(names))
    axes = plot.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 50 else "black"
        if share:
            axes.text(column, row, f"{share:.1f}", ha="center", va="center", color=colour, size=8)
    name_rows(axes, names)
    label_ticks(axes.xaxis, names)
    axes.set(xlabel="read", ylabel="asked for", title="Classes of generated images, %")
    return plot
