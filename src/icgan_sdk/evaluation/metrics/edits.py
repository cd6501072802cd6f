"""Whether edits of real pictures do what they are asked, and nothing else, and look real."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.edit_figures import EditFigures, Edits, figures_of, mean_of
from icgan_sdk.evaluation.metrics.edit_judging import Judged, edit_and_judge, unedited
from icgan_sdk.evaluation.metrics.edits_apart import EditsApart
from icgan_sdk.evaluation.metrics.making_edits import MEN_ONLY, Edit, editable, edits_of
from icgan_sdk.evaluation.metrics.measuring import measure_alone
from icgan_sdk.evaluation.metrics.metric import EDITING, Metric
from icgan_sdk.evaluation.metrics.seeing import RealBatch, RealPictures
from icgan_sdk.evaluation.metrics.told_apart import COMPARE, apart_cell
from icgan_sdk.evaluation.referees.confusion import Confusion
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.evaluation.report import plots as drawing
from icgan_sdk.evaluation.report.markdown import (
    NONE,
    Line,
    Section,
    code,
    image,
    number,
    percent,
    share_cell,
    table,
)
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.compositing import Detail

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEANING = """\
One attribute at a time is set where the label says absent (*adding*), or cleared where it says
present (*removing*). A picture of a class is changed to every other class. The residual referee
then reads the result.

- *Hit*: the attribute reads as asked.
- *Relative*: hit over the referee's own rate on real pictures with such labels, at most 100.
- *Kept*: all other attributes, outside the edited one's group, that read as before the edit.
- *Identity*: cosine between the referee's features before and after the edit; 1 is unchanged.
- *Recognised*: edited pictures whose original is the nearest of 100 by the same cosine.
- *Change outside*: perceptual distance from before where the attribute doesn't show, in the manner
  of LPIPS ([Zhang et al. 2018](https://arxiv.org/abs/1801.03924)) with the referee's features; 0 is
  unchanged, 2 the most.
- *Told apart*: how well a network that is trained afresh tells edited pictures from other real ones
  that have the attribute as asked (see below): 0.5 means not at all, 1 always. Read it together
  with *hit*: what a referee reads as asked may still look painted, and an edit that does nothing is
  never told."""

SHARES = ("Hit, %", "Relative, %", "Kept, %")
COLUMNS = (
    "Attribute",
    "Edits",
    *SHARES,
    "Identity",
    "Recognised, %",
    "Change outside",
    "Told apart",
)


class EditsMetric(Metric[Edits]):
    """Edit real pictures, one attribute at a time, and let the residual referee judge.

    A fresh classifier then learns to tell edits from real pictures (`EditsApart`), so that a hit
    isn't taken for a good edit. Pictures are encoded and edited as `icgan_sdk.IcGAN.edit` does: y
    as E_y read it, the attribute set to 1 or 0. When it is set, the others of its exclusive group
    are cleared. Labels only choose the pictures. Of class labels, every picture is changed to each
    other class.

    Args:
        bench: The model, the data, the referees.
        limit: Only the first so many pictures are edited.
        only_where: Attributes that are added only to pictures labelled with another attribute,
            where the data has that.
    """

    name = "edits"
    round = EDITING

    def __init__(
        self, bench: Bench, *, limit: int = 1000, only_where: Mapping[str, str] = MEN_ONLY
    ) -> None:
        super().__init__(bench)
        self.limit = limit
        self._only_where, self._attributes = only_where, bench.pictures.dataset.attributes
        self._judged: dict[Edit, list[Judged]] = {edit: [] for edit in edits_of(self._attributes)}
        self._apart = EditsApart(bench, only_where)
        self._originals: list[Tensor] = []
        self._present: list[Tensor] = []

    def see_real(self, batch: RealBatch) -> None:
        """Edit the pictures; beyond the limit, only those that are to be told from real ones."""
        read = batch.real.read("residual")
        self._present.append(read.present)
        self._apart.see_real(batch)
        if not self.wants(batch):
            return
        self._originals.append(read.features)
        before = unedited(self.bench, batch)
        for edit, judged in self._judged.items():
            chosen = editable(before.y, self._attributes, edit, self._only_where)
            if chosen.any():
                judged.append(edit_and_judge(self.bench, before.at(chosen.nonzero()[:, 0]), edit))

    def figures(self) -> Edits:
        """Means over all edits of an attribute and direction, and over these."""
        originals = torch.cat(self._originals)
        truth = self.bench.pictures.dataset.all_labels() > 0
        real = Confusion.count(torch.cat(self._present), truth, self._attributes.names)
        rates = real.rates()
        told = self._apart.figures()
        figures = {
            edit: figures_of(judged, originals, rates[edit], told.each[edit])
            for edit, judged in self._judged.items()
        }
        added, removed = (
            {name: f for (name, adding), f in figures.items() if adding == wanted}
            for wanted in (True, False)
        )
        means = [mean_of(list(direction.values())) for direction in (added, removed)]
        return Edits(
            len(originals), added, removed, means[0], means[1], mean_of(means), told_apart=told.all
        )

    @classmethod
    def summary(cls, figures: Edits, config: ModelConfig) -> list[Line]:
        """Hits in both directions, and what the edits keep."""
        adding = "Changed classes" if config.attributes.one_hot else "Added attributes"
        lines = [
            Line(
                f"{what} read as asked: hit (relative)",
                f"{percent(means.hit)} ({percent(means.relative)})",
                "best: 100 %",
            )
            for what, means in (
                (adding, figures.mean_adding),
                ("Removed attributes", figures.mean_removing),
            )
            if means.edits
        ]
        lines.append(Line("Edits told from real ones", apart_cell(figures.told_apart), COMPARE))
        kept = percent(figures.mean.preservation)
        lines.append(Line("Other attributes an edit keeps", kept, "best: 100 %"))
        if not config.attributes.one_hot:  # another class is another picture
            lines.append(Line("Identity an edit keeps", number(figures.mean.identity), "best: 1"))
        return lines

    @classmethod
    def section(cls, figures: Edits, config: ModelConfig, files: Mapping[str, str]) -> Section:
        """A plot, and a table for each direction."""
        blocks = [f"{figures.images:,} pictures were edited. {MEANING}", image("edits", files)]
        adding = "Changing the class" if config.attributes.one_hot else "Adding"
        for title, of, mean in (
            (adding, figures.adding, figures.mean_adding),
            ("Removing", figures.removing, figures.mean_removing),
        ):
            if of:
                rows = [(code(name), *_cells(f)) for name, f in of.items()]
                blocks += [f"### {title}", table(COLUMNS, [*rows, ("**mean**", *_cells(mean))])]
        return Section("Edits", blocks)

    @classmethod
    def plots(cls, figures: Edits, config: ModelConfig) -> "dict[str, Figure]":
        """Bars of the relative hits, beside how well the edits are told from real pictures."""
        return {"edits": edit_bars(figures)}


def measure_edits(
    networks: IcGANNetworks,
    dataset: PreparedDataset,
    referee: Referee,
    *,
    limit: int = 1000,
    refine: int = 0,
    detail: Detail = "generated",
    only_where: Mapping[str, str] = MEN_ONLY,
) -> Edits:
    """`EditsMetric` alone.

    Args:
        networks: In eval mode.
        dataset: One partition, not empty.
        referee: In eval mode, of the same attributes.
        limit: Only the first so many pictures are edited.
        refine: Optimisation steps on z, as in `icgan_sdk.IcGAN.edit`.
        detail: "generated" judges G's pictures, "photo" the change carried onto the originals.
        only_where: As for `EditsMetric`.
    """
    pictures = RealPictures(dataset, {"residual": referee})
    bench = Bench(networks, pictures, refine=refine, detail=detail)
    return measure_alone(EditsMetric(bench, limit=limit, only_where=only_where))


def edit_bars(edits: Edits) -> "Figure":
    """Relative hit of each attribute's edits, and how well they are told from real pictures."""
    names = list(edits.adding)
    directions = {"adding": edits.adding} | ({"removing": edits.removing} if edits.removing else {})
    plot = drawing.new_plot(drawing.WIDTH, drawing.height_for(names))
    hits, told = drawing.axes_in_a_row(plot, 2)
    drawing.draw_bars(
        hits, names, {way: [of[name].relative for name in names] for way, of in directions.items()}
    )
    hits.set_title("Came out as asked, relative\nto the referee's own rate, %")
    drawing.draw_bars(
        told,
        names,
        {way: [of[name].told_apart for name in names] for way, of in directions.items()},
    )
    told.axvline(50, color="black", linewidth=1)
    told.set_yticklabels([])
    told.set_title("Told from real pictures: AUC × 100;\n50: not at all")
    if len(directions) > 1:
        plot.legend(*hits.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return plot


def _cells(f: EditFigures) -> tuple[str, ...]:
    shares = [share_cell(s) for s in (f.hit, f.relative, f.preservation)]
    numbers = (number(f.identity), share_cell(f.recognised), number(f.change_outside))
    return f"{f.edits:,}", *shares, *numbers, _told_cell(f)


def _told_cell(f: EditFigures) -> str:
    if f.told_apart is None:
        return NONE
    error = "" if f.told_apart_error is None else f" ± {f.told_apart_error:.2f}"
    return f"{f.told_apart:.2f}{error}"
