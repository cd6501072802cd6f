"""What a metric is. To add one, write a file with a subclass, and a line in `metric_table`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from PIL import Image

from icgan_sdk.config import ModelConfig
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.seeing import GeneratedBatch, RealBatch
from icgan_sdk.evaluation.report.markdown import Line, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NO_REFEREE, READING, EDITING = range(3)
"""The rounds of an evaluation, by what they cost: a report is written after each."""

Figures = TypeVar("Figures")
"""Numbers that a metric gives: a dataclass, or what JSON has."""


class Viewer:
    """Something that is shown all pictures of an evaluation, in batches and in order.

    Attributes:
        limit: Batches never cross this row, so that the first so many pictures can be told apart;
            None: any batches will do.
    """

    limit: int | None = None

    def see_real(self, batch: RealBatch) -> None:
        """Take what is needed from a batch of real pictures."""

    def see_generated(self, batch: GeneratedBatch) -> None:
        """Take what is needed from a batch of generated pictures."""

    def wants(self, batch: RealBatch | GeneratedBatch) -> bool:
        """Whether a batch lies within the limit."""
        return self.limit is None or batch.at.stop <= self.limit


class Metric(Viewer, ABC, Generic[Figures]):
    """One measure of a model: its figures, and all that a report says of them.

    A metric is made for one model. It is shown all pictures, and then asked for its figures. What
    it needs beyond the shown pictures it makes itself, from the bench. The report is written from
    the figures alone.

    Args:
        bench: The model, the data, the referees.

    Attributes:
        name: Key of the figures in ``evaluation.json``, and seed of the metric's own draws.
        captions: Titles and captions of `pictures`, by name.
        round: When it is measured: `NO_REFEREE` for metrics that none has to be trained for,
            `READING` for those that referees look at pictures for, `EDITING` for what takes longer.
    """

    name: ClassVar[str]
    captions: ClassVar[Mapping[str, tuple[str, str]]] = {}
    round: ClassVar[int] = READING

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    @abstractmethod
    def figures(self) -> Figures:
        """The figures, after all pictures were shown. Called once."""

    def pictures(self) -> dict[str, Image.Image]:
        """Pictures for the report by name, with real ones. Called after `figures`, if at all."""
        return {}

    @classmethod
    def summary(cls, figures: Figures, config: ModelConfig) -> list[Line]:
        """Lines for the summary of the report.

        Args:
            figures: What was measured.
            config: Of the model.
        """
        return []

    @classmethod
    def section(
        cls, figures: Figures, config: ModelConfig, files: Mapping[str, str]
    ) -> Section | None:
        """The metric's section of the report, with what the figures mean; None: no section.

        Args:
            figures: What was measured.
            config: Of the model.
            files: The files of `plots`, by name.
        """
        return None

    @classmethod
    def plots(cls, figures: Figures, config: ModelConfig) -> "dict[str, Figure]":
        """Plots for the report, by name.

        Args:
            figures: What was measured.
            config: Of the model.
        """
        return {}
