"""Plots of an evaluation's figures."""

import importlib.util
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from icgan_sdk.errors import ConfigError
from icgan_sdk.evaluation.edits import Edits
from icgan_sdk.evaluation.results import Evaluation, Reading

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, DPI = 8.0, 110
"""Inches of a plot, and pixels an inch."""

COLOURS = ("#4477aa", "#ee6677", "#ccbb44", "#bbbbbb")
"""Of Paul Tol's bright scheme, told apart by the colour-blind too."""

NOT_LOSSES = frozenset({"stage", "step", "epoch", "images_per_second", "seconds"})


def check_matplotlib() -> None:
    """Raise ConfigError unless matplotlib is installed."""
    if importlib.util.find_spec("matplotlib") is None:
        raise ConfigError("plots need matplotlib: pip install 'icgan-sdk[evaluation]'")


def draw_plots(
    result: Evaluation, losses: Sequence[Mapping[str, float | str]], folder: Path
) -> None:
    """Write all plots as PNG files.

    Args:
        result: What was measured.
        losses: Lines of the run's ``metrics.jsonl``; none, no loss curves.
        folder: Gets ``attributes.png``, ``confusion.png``, ``edits.png``, ``losses.png``.
    """
    read = result.attributes["residual"]
    names = tuple(read["generated"].by_attribute)
    plots = {"attributes": attribute_bars(read), "edits": edit_bars(result.edits)}
    if result.classes is not None:
        plots["confusion"] = class_matrix(result.classes, names)
    else:
        plots["confusion"] = count_bars(read["generated"])
    if losses:
        plots["losses"] = loss_curves(losses)
    for name, plot in plots.items():
        plot.savefig(folder / f"{name}.png", dpi=DPI)


def attribute_bars(read: Mapping[str, Reading]) -> "Figure":
    """Accuracy and F1 of each attribute, in %, as read off real and off generated images."""
    names = list(read["real"].by_attribute)
    kinds = ("real", "generated")
    figure = _figure(WIDTH, _height(names))
    left, right = _row_of(figure, 2)
    for axes, title, share in ((left, "Accuracy, %", "accuracy"), (right, "F1, %", "f1")):
        _bars(
            axes,
            names,
            {k: [getattr(a, share) for a in read[k].by_attribute.values()] for k in kinds},
        )
        axes.set_title(title)
    right.set_yticklabels([])
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def edit_bars(edits: Edits) -> "Figure":
    """Relative hit of each attribute's edits, in %, adding and removing it."""
    names = list(edits.adding)
    shares = {"adding": [edits.adding[name].relative for name in names]}
    if edits.removing:
        shares["removing"] = [edits.removing[name].relative for name in names]
    figure = _figure(WIDTH, _height(names))
    axes = figure.subplots()
    _bars(axes, names, shares)
    axes.set_title("Edits that came out as asked, relative to the referee's own rate, %")
    if len(shares) > 1:
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def count_bars(reading: Reading) -> "Figure":
    """How each attribute was read off generated images: a bar of tp, fn, fp and tn, in %."""
    names = list(reading.by_attribute)
    figure = _figure(WIDTH, _height(names))
    axes = figure.subplots()
    start = np.zeros(len(names))
    kinds = ("tp", "fn", "fp", "tn")
    titles = ("asked and found", "asked, not found", "not asked, but found", "neither")
    for kind, title, colour in zip(kinds, titles, COLOURS, strict=True):
        shares = [100 * getattr(a, kind) / reading.images for a in reading.by_attribute.values()]
        axes.barh(range(len(names)), shares, left=start, color=colour, label=title)
        start += shares
    axes.set_xlim(0, 100)
    _name_rows(axes, names)
    axes.set_title("Attributes of generated images, % of the images")
    figure.legend(loc="outside lower center", ncols=4)
    return figure


def class_matrix(counts: Sequence[Sequence[int]], names: Sequence[str]) -> "Figure":
    """How often a generated image asked to show the row's class was read as the column's, in %."""
    table = np.array(counts, dtype=np.float64)
    shares = 100 * table / table.sum(1, keepdims=True).clip(1)
    figure = _figure(2 + 0.5 * len(names), 1.5 + 0.5 * len(names))
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 50 else "black"
        if share:
            axes.text(column, row, f"{share:.1f}", ha="center", va="center", color=colour, size=8)
    _name_rows(axes, names)
    axes.set_xticks(range(len(names)), [_shown(name) for name in names], parse_math=False)
    axes.set(xlabel="read", ylabel="asked for", title="Classes of generated images, %")
    return figure


def loss_curves(records: Sequence[Mapping[str, float | str]]) -> "Figure":
    """Losses and held-out errors of each stage over its epochs; logarithmic for the encoders."""
    ends = {str(record["stage"]): record for record in records}
    figure = _figure(width=4.0 * len(ends), height=3.2)
    for axes, (stage, end) in zip(_row_of(figure, len(ends)), ends.items(), strict=True):
        lines = [record for record in records if record["stage"] == stage]
        epochs_per_step = float(end["epoch"]) / float(end["step"])
        names = dict.fromkeys(name for line in lines for name in line if _is_loss(name))
        for name in names:
            there = [line for line in lines if name in line]
            epochs = [float(line["step"]) * epochs_per_step for line in there]
            losses = [float(line[name]) for line in there]
            axes.plot(epochs, losses, label=name, linewidth=1)
        axes.set(title=stage, xlabel="epoch", yscale="linear" if stage == "gan" else "log")
        axes.legend()
    return figure


def _is_loss(name: str) -> bool:
    return name not in NOT_LOSSES and not name.endswith("accuracy")


def _figure(width: float, height: float) -> "Figure":
    # Without pyplot, whose figures and backend are the whole process's.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _row_of(figure: "Figure", count: int) -> "list[Axes]":
    row: list[Axes] = list(figure.subplots(1, count, squeeze=False)[0])
    return row


def _height(names: Sequence[str]) -> float:
    return 1.3 + 0.3 * len(names)


def _bars(axes: "Axes", names: Sequence[str], shares: Mapping[str, Sequence[float | None]]) -> None:
    """A row for each name, with a bar for each kind of share, 0…1, shown in %."""
    thickness = 0.8 / len(shares)
    for number, ((kind, values), colour) in enumerate(zip(shares.items(), COLOURS, strict=False)):
        places = np.arange(len(names)) + (number - (len(shares) - 1) / 2) * thickness
        percent = [math.nan if value is None else 100 * value for value in values]
        axes.barh(places, percent, thickness, color=colour, label=kind)
    axes.set_xlim(0, 100)
    axes.grid(axis="x", alpha=0.4)
    axes.set_axisbelow(True)
    _name_rows(axes, names)


def _name_rows(axes: "Axes", names: Sequence[str]) -> None:
    # Not as formulas, which a name with dollars in it would be taken for.
    axes.set_yticks(range(len(names)), [_shown(name) for name in names], parse_math=False)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _shown(name: str) -> str:
    return name.replace("_", " ")
