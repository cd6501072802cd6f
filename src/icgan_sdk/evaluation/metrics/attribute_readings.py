"""The paper's Table 3: what is read off images, against the labels they should show."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.metric import Metric
from icgan_sdk.evaluation.metrics.seeing import GeneratedBatch, RealBatch
from icgan_sdk.evaluation.referees.confusion import Confusion
from icgan_sdk.evaluation.referees.referee_network import ARCHITECTURES
from icgan_sdk.evaluation.report import plots as drawing
from icgan_sdk.evaluation.report.markdown import (
    Line,
    Section,
    code,
    image,
    percent,
    share_cell,
    table,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Reader = Literal["anet", "residual", "encoder_y"]
Kind = Literal["real", "generated", "reconstructed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
READERS = {"anet": "Anet", "residual": "residual referee", "encoder_y": "E_y"}
"""The readers' names in reports."""

READINGS: tuple[tuple[Reader, Kind], ...] = (
    *((reader, kind) for reader in ARCHITECTURES for kind in KINDS),
    ("encoder_y", "real"),
)
"""Who reads what. E_y reads only real images."""

HEADING = "Attributes that can be read (Table 3)"

MEANING = """\
A referee reads the attributes off images. Those of G(z, y) should show what y asks for, those of
reconstructions what the labels say. What the referee reads off real images is the best that a model
can reach. *Accuracy*: images read right. *F1*: harmonic mean of precision and recall, 0 where it is
0/0. Both are means over the attributes
([Perarnau et al. 2016](https://arxiv.org/abs/1611.06355), §5.2, Table 3). The Anet is the paper's
referee. The residual one is stronger and of another family; it gives all figures that follow. E_y
is the model's own."""


@dataclass(frozen=True)
class AttributeReading:
    """How one attribute was read: counts of images, and shares in 0…1 (see `Confusion`).

    Attributes:
        tp: Found and true.
        fp: Found but not true.
        fn: True but not found.
        tn: Neither.
        accuracy: (tp + tn) / N.
        f1: 2·tp / (2·tp + fp + fn), 0 where that is 0/0.
    """

    tp: int
    fp: int
    fn: int
    tn: int
    accuracy: float
    f1: float


@dataclass(frozen=True)
class Reading:
    """How all attributes of a set of images were read: a row of the paper's Table 3.

    Attributes:
        images: How many.
        mean_accuracy: Mean of the attributes' accuracies.
        mean_f1: Mean of their F1.
        class_accuracy: Of classes, the share of images whose class was read right; else None.
        by_attribute: Every attribute, in the model's order.
    """

    images: int
    mean_accuracy: float
    mean_f1: float
    class_accuracy: float | None
    by_attribute: dict[str, AttributeReading]

    @classmethod
    def of(cls, counts: Confusion, one_hot: bool) -> "Reading":
        """The figures that follow from counts."""
        columns = [t.tolist() for t in (counts.tp, counts.fp, counts.fn, counts.tn)]
        columns += [counts.accuracy.tolist(), counts.f1.tolist()]
        return cls(
            images=counts.images,
            mean_accuracy=counts.mean_accuracy,
            mean_f1=counts.mean_f1,
            class_accuracy=counts.class_accuracy if one_hot else None,
            by_attribute={
                name: AttributeReading(*row)
                for name, *row in zip(counts.names, *columns, strict=True)
            },
        )


Readings = dict[str, dict[str, Reading]]
"""By reader and kind of images."""


class AttributeReadings(Metric[Readings]):
    """What each reader reads off each kind of images.

    Args:
        bench: The model, the data, the referees.
        readings: Who reads what.
    """

    name = "attributes"

    def __init__(self, bench: Bench, readings: Collection[tuple[Reader, Kind]] = READINGS) -> None:
        super().__init__(bench)
        self._found: dict[tuple[Reader, Kind], list[Tensor]] = {wanted: [] for wanted in readings}

    def see_real(self, batch: RealBatch) -> None:
        """Read the pictures and their reconstructions; E_y's reading is the encoded y."""
        for (reader, kind), found in self._found.items():
            if reader == "encoder_y":
                found.append(self._present(batch.latent.y.cpu()))
            elif kind != "generated":
                seen = batch.real if kind == "real" else batch.rebuilt
                found.append(seen.read(reader).present)

    def see_generated(self, batch: GeneratedBatch) -> None:
        """Read the pictures."""
        for (reader, kind), found in self._found.items():
            if reader != "encoder_y" and kind == "generated":
                found.append(batch.generated.read(reader).present)

    def figures(self) -> Readings:
        """Count what was found against the labels."""
        dataset = self.bench.pictures.dataset
        truth, one_hot = dataset.all_labels() > 0, dataset.attributes.one_hot
        readings: Readings = {}
        for (reader, kind), found in self._found.items():
            counts = Confusion.count(torch.cat(found), truth, dataset.attributes.names)
            readings.setdefault(reader, {})[kind] = Reading.of(counts, one_hot)
        return readings

    def _present(self, y: Tensor) -> Tensor:
        if self.bench.networks.config.attributes.one_hot:
            return F.one_hot(y.argmax(1), y.shape[1]).bool()
        return y > 0

    @classmethod
    def summary(cls, figures: Readings, config: ModelConfig) -> list[Line]:
        """What both referees read off generated images."""
        return [_line(figures[reader], READERS[reader]) for reader in ARCHITECTURES]

    @classmethod
    def section(cls, figures: Readings, config: ModelConfig, files: Mapping[str, str]) -> Section:
        """Means of all readings, and each attribute as each referee reads it."""
        rows = []
        for reader, kinds in figures.items():
            for kind, r in kinds.items():
                shares = (r.mean_accuracy, r.mean_f1, r.class_accuracy)
                rows.append((READERS[reader], kind, *map(share_cell, shares)))
        head = ("Read by", "Images", "Accuracy, %", "F1, %", "Class accuracy, %")
        blocks = [MEANING, table(head, rows), image("attributes", files)]
        for reader in ARCHITECTURES:
            blocks += [f"### By the {READERS[reader]}, in %", _by_attribute(figures[reader])]
        if not config.attributes.one_hot:
            blocks.append(image("confusion", files))
        return Section(HEADING, blocks)

    @classmethod
    def plots(cls, figures: Readings, config: ModelConfig) -> "dict[str, Figure]":
        """Bars for each attribute, and without classes, bars of the counts."""
        read = figures["residual"]
        bars = {"attributes": attribute_bars(read)}
        if not config.attributes.one_hot:
            bars["confusion"] = count_bars(read["generated"])
        return bars


def _line(read: Mapping[str, Reading], reader: str) -> Line:
    generated, real = read["generated"], read["real"]
    if generated.class_accuracy is not None:
        name = f"Classes of generated images, read by the {reader}"
        values = [percent(r.class_accuracy) for r in (generated, real)]
    else:
        name = f"Generated attributes, read by the {reader}: accuracy / F1"
        values = [f"{percent(r.mean_accuracy)} / {percent(r.mean_f1)}" for r in (generated, real)]
    return Line(name, values[0], f"real: {values[1]}")


def _by_attribute(read: Mapping[str, Reading]) -> str:
    parts = [read[kind].by_attribute for kind in KINDS]
    rows = []
    for name in parts[0]:
        shares = [share for part in parts for share in (part[name].accuracy, part[name].f1)]
        rows.append((code(name), *map(share_cell, shares)))
    columns = [f"{kind}: {share}" for kind in KINDS for share in ("accuracy", "F1")]
    return table(("Attribute", *columns), rows)


def attribute_bars(read: Mapping[str, Reading]) -> "Figure":
    """Accuracy and F1 of each attribute, in %, as read off real and off generated images."""
    names = list(read["real"].by_attribute)
    kinds = ("real", "generated")
    plot = drawing.new_plot(drawing.WIDTH, drawing.height_for(names))
    left, right = drawing.axes_in_a_row(plot, 2)
    for axes, title, share in ((left, "Accuracy, %", "accuracy"), (right, "F1, %", "f1")):
        shares = {k: [getattr(a, share) for a in read[k].by_attribute.values()] for k in kinds}
        drawing.draw_bars(axes, names, shares)
        axes.set_title(title)
    right.set_yticklabels([])
    plot.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return plot


def count_bars(reading: Reading) -> "Figure":
    """How each attribute was read off generated images: a bar of tp, fn, fp and tn, in %."""
    names = list(reading.by_attribute)
    plot = drawing.new_plot(drawing.WIDTH, drawing.height_for(names))
    axes = plot.subplots()
    start = np.zeros(len(names))
    kinds = ("tp", "fn", "fp", "tn")
    titles = ("asked and found", "asked, not found", "not asked, but found", "neither")
    for kind, title, colour in zip(kinds, titles, drawing.COLOURS, strict=True):
        shares = [100 * getattr(a, kind) / reading.images for a in reading.by_attribute.values()]
        axes.barh(range(len(names)), shares, left=start, color=colour, label=title)
        start += shares
    axes.set_xlim(0, 100)
    drawing.name_rows(axes, names)
    axes.set_title("Attributes of generated images, % of the images")
    plot.legend(loc="outside lower center", ncols=4)
    return plot
