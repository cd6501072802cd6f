"""Whether edits of real pictures do what they are asked, and nothing else, as a referee sees it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.edit_judging import (
    MEN_ONLY,
    Judged,
    edit_and_judge,
    editable,
    recognised,
    unedited,
)
from icgan_sdk.evaluation.metrics.measuring import measure_alone
from icgan_sdk.evaluation.metrics.metric import Metric
from icgan_sdk.evaluation.metrics.seeing import RealBatch, RealPictures
from icgan_sdk.evaluation.referees.confusion import Confusion
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.evaluation.report import plots as drawing
from icgan_sdk.evaluation.report.markdown import (
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
  unchanged, 2 the most."""

SHARES = ("Hit, %", "Relative, %", "Kept, %")
COLUMNS = ("Attribute", "Edits", *SHARES, "Identity", "Recognised, %", "Change outside")


@dataclass(frozen=True)
class EditFigures:
    """What became of edits in one direction of one attribute, or means of such figures.

    Shares and means over edits; None where there was none, or the figure has no meaning. The
    *unedited* picture is what the model gives without the edit: the reconstruction, or the
    original where the change is carried onto the photo.

    Attributes:
        edits: How many pictures were edited.
        hit: Share of edited pictures in which the referee reads the attribute as asked for.
        relative: `hit` over the share of real pictures with such a label that the referee reads
            so (its true-positive rate for adding, true-negative rate for removing), at most 1.
            The referee's own misses are not the model's.
        preservation: Share of all other attributes, outside the edited one's exclusive group,
            that the referee reads as in the unedited picture.
        identity: Cosine between the referee's features of the edited and the unedited picture.
        recognised: Share of edited pictures whose original is the nearest of 100 originals by the
            cosine of the referee's features. The original is one of the 100. Of fewer than 100
            pictures, all are in the gallery.
        change_outside: `perceptual_distance` of the edited from the unedited picture where the
            attribute doesn't show (see `edit_regions`; for attributes of no known place,
            everywhere). The attribute's own place shows the unedited picture in both, and only
            places outside count.
    """

    edits: int
    hit: float | None
    relative: float | None
    preservation: float | None
    identity: float | None
    recognised: float | None
    change_outside: float | None


@dataclass(frozen=True)
class Edits:
    """Figures of all edits.

    Attributes:
        images: Real pictures used.
        adding: By attribute: setting it to 1 where the label says absent.
        removing: By attribute: setting it to 0 where the label says present. Empty for classes,
            which can only change to another.
        mean_adding: Mean over the attributes that have the figure.
        mean_removing: The same.
        mean: Mean of the two directions that have the figure.
    """

    images: int
    adding: dict[str, EditFigures]
    removing: dict[str, EditFigures]
    mean_adding: EditFigures
    mean_removing: EditFigures
    mean: EditFigures


class EditsMetric(Metric[Edits]):
    """Edit real pictures, one attribute at a time, and let the residual referee judge.

    Pictures are encoded and edited as `icgan_sdk.IcGAN.edit` does: y as E_y read it, the attribute
    set to 1 or 0. When it is set, the others of its exclusive group are cleared. Labels only
    choose the pictures. Of class labels, every picture is changed to each other class.

    Args:
        bench: The model, the data, the referees.
        limit: Only the first so many pictures are edited.
        only_where: Attributes that are added only to pictures labelled with another attribute,
            where the data has that.
    """

    name = "edits"

    def __init__(
        self, bench: Bench, *, limit: int = 1000, only_where: Mapping[str, str] = MEN_ONLY
    ) -> None:
        super().__init__(bench)
        self.limit = limit
        self._only_where, self._attributes = only_where, bench.pictures.dataset.attributes
        directions = (True,) if self._attributes.one_hot else (True, False)
        self._judged: dict[tuple[str, bool], list[Judged]] = {
            (name, adding): [] for adding in directions for name in self._attributes.names
        }
        self._originals: list[Tensor] = []
        self._present: list[Tensor] = []

    def see_real(self, batch: RealBatch) -> None:
        """Edit the pictures; beyond the limit, only note how well the referee reads them."""
        read = batch.real.read("residual")
        self._present.append(read.present)
        if not self.wants(batch):
            return
        self._originals.append(read.features)
        before = unedited(self.bench, batch)
        for (name, adding), judged in self._judged.items():
            places = editable(before.y, self._attributes, name, adding, self._only_where)
            if len(places):
                judged.append(edit_and_judge(self.bench, before.at(places), name, adding))

    def figures(self) -> Edits:
        """Means over all edits of an attribute and direction, and over these."""
        originals = torch.cat(self._originals)
        truth = self.bench.pictures.dataset.all_labels() > 0
        real = Confusion.count(torch.cat(self._present), truth, self._attributes.names)
        rates = real.rates()
        figures = {
            key: _figures(judged, originals, rates[key]) for key, judged in self._judged.items()
        }
        added, removed = (
            {name: f for (name, adding), f in figures.items() if adding == wanted}
            for wanted in (True, False)
        )
        means = [_mean(list(direction.values())) for direction in (added, removed)]
        return Edits(len(originals), added, removed, means[0], means[1], mean=_mean(means))

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
        """Bars of the relative hits."""
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
    """Relative hit of each attribute's edits, in %, adding and removing it."""
    names = list(edits.adding)
    shares = {"adding": [edits.adding[name].relative for name in names]}
    if edits.removing:
        shares["removing"] = [edits.removing[name].relative for name in names]
    plot = drawing.new_plot(drawing.WIDTH, drawing.height_for(names))
    axes = plot.subplots()
    drawing.draw_bars(axes, names, shares)
    axes.set_title("Edits that came out as asked, relative to the referee's own rate, %")
    if len(shares) > 1:
        plot.legend(loc="outside lower center", ncols=2)
    return plot


def _figures(judged: Sequence[Judged], originals: Tensor, rate: float) -> EditFigures:
    if not judged:
        return EditFigures(0, None, None, None, None, None, None)
    found = [recognised(part.features, originals, part.rows) for part in judged]
    edits = torch.cat([part.figures for part in judged]).double()
    hit, *others = edits.mean(0).tolist()
    relative = min(hit / rate, 1.0) if rate > 0 else None
    preservation, identity, change = (None if math.isnan(v) else v for v in others)
    right = float(torch.cat(found).double().mean())
    return EditFigures(len(edits), hit, relative, preservation, identity, right, change)


def _mean(figures: Sequence[EditFigures]) -> EditFigures:
    means: dict[str, float | None] = {}
    for name in (field.name for field in fields(EditFigures) if field.name != "edits"):
        there = [v for v in (getattr(f, name) for f in figures) if v is not None]
        means[name] = sum(there) / len(there) if there else None
    return EditFigures(edits=sum(f.edits for f in figures), **means)


def _cells(f: EditFigures) -> tuple[str, ...]:
    shares = [share_cell(s) for s in (f.hit, f.relative, f.preservation)]
    numbers = (number(f.identity), share_cell(f.recognised), number(f.change_outside))
    return f"{f.edits:,}", *shares, *numbers
