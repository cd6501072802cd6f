"""Whether generated pictures and reconstructions can be told from real pictures."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.metric import NO_REFEREE, Metric
from icgan_sdk.evaluation.metrics.picture_pools import Pool, roles_for, tell_apart
from icgan_sdk.evaluation.metrics.seeing import GeneratedBatch, RealBatch
from icgan_sdk.evaluation.metrics.two_sample import Apart
from icgan_sdk.evaluation.report.markdown import NONE, Line, Section, table

COMPARE = "can't be told: 0.5; always: 1"

MEANING = """\
*Told apart*: a small network, trained afresh, learns to tell pictures of the model from real ones,
and is then tried on pictures that it has not seen
([Lopez-Paz and Oquab 2017](https://arxiv.org/abs/1610.06545)). The figure is the area under its ROC
curve: 0.5 means that it can't tell, 1 that it always can. ± is the standard error from the number
of held-out pictures. No real picture stands on both sides: the model's are made from other ones.
They are compared at the side that G gives. The more pictures there are to learn from, the more such
a network finds."""


@dataclass(frozen=True)
class ToldApart:
    """How well pictures are told from real ones; None where there were too few.

    Edits have the same figure: `Edits.told_apart`, and by attribute.

    Attributes:
        learning: Pictures of each kind that the classifiers learnt from.
        generated: Of G(z, y), z fresh and y the labels of real pictures.
        reconstructed: Of G(E_z(x), E_y(x)).
    """

    learning: int
    generated: Apart | None
    reconstructed: Apart | None


class ToldApartMetric(Metric[ToldApart]):
    """Train two classifiers, for generated pictures and for reconstructions.

    Half of the pictures are real to the classifiers. Of the others, they see only what the model
    made of them, or of their labels. The data don't say who is shown, so people with several
    pictures may be on both sides.

    Args:
        bench: The model and the data.
    """

    name = "told_apart"
    round = NO_REFEREE

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self._draws = bench.draws(self.name)
        self._roles = roles_for(bench, len(bench.pictures), self._draws)
        kinds = ("generated", "reconstructed")
        self._learning = {kind: Pool(bench) for kind in kinds}
        self._held = {kind: Pool(bench) for kind in kinds}

    def see_real(self, batch: RealBatch) -> None:
        """Keep reconstructions."""
        self._take("reconstructed", batch)

    def see_generated(self, batch: GeneratedBatch) -> None:
        """Keep generated pictures."""
        self._take("generated", batch)

    def _take(self, kind: str, batch: RealBatch | GeneratedBatch) -> None:
        for pools, rows in (
            (self._learning, self._roles.model),
            (self._held, self._roles.model_held),
        ):
            places = places_in(rows, batch.at)
            if len(places):
                pools[kind].add(batch.decoded[places])

    def figures(self) -> ToldApart:
        """Train the classifiers and try them."""
        learning = len(self._roles.model)
        if not learning or not len(self._roles.model_held):
            return ToldApart(learning, None, None)
        found = {
            kind: tell_apart(
                self.bench, self._roles, pool.all(), self._held[kind].all(), self._draws
            )
            for kind, pool in self._learning.items()
        }
        return ToldApart(learning, **found)

    @classmethod
    def summary(cls, figures: ToldApart, config: ModelConfig) -> list[Line]:
        """Both figures."""
        return [
            Line("Generated pictures told from real ones", apart_cell(figures.generated), COMPARE),
            Line("Reconstructions told from real ones", apart_cell(figures.reconstructed), COMPARE),
        ]

    @classmethod
    def section(
        cls, figures: ToldApart, config: ModelConfig, files: Mapping[str, str]
    ) -> Section | None:
        """A table of both."""
        kinds = {"G(z, y)": figures.generated, "reconstructions": figures.reconstructed}
        rows = [
            (name, f"{found.pictures:,}", f"{found.real:,}", apart_cell(found))
            for name, found in kinds.items()
            if found is not None
        ]
        if not rows:
            return None
        head = ("Pictures", "Held out", "Real ones", "Told apart")
        text = f"The network learnt from {figures.learning:,} pictures of each kind. {MEANING}"
        return Section("Told apart from real pictures", [table(head, rows), text])


def apart_cell(found: Apart | None) -> str:
    """An AUC with its standard error."""
    return NONE if found is None else f"{found.auc:.3f} ± {found.error:.3f}"


def places_in(rows: Tensor, at: slice) -> Tensor:
    """Where in a batch rows are that belong to it."""
    inside = (rows >= at.start) & (rows < at.stop)
    places: Tensor = torch.sort(rows[inside]).values - at.start
    return places
