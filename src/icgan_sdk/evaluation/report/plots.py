"""The elements of plots: axes, rows of bars, names."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageFont

from icgan_sdk.checks import require
from icgan_sdk.pictures.lettering import legible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

WIDTH, DPI = 8.0, 110
"""Inches of a plot, and pixels an inch."""

COLOURS = ("#4477aa", "#ee6677", "#ccbb44", "#bbbbbb")
"""From Paul Tol's bright scheme, which colour-blind people can tell apart."""


def check_matplotlib() -> None:
    """Raise ConfigError unless matplotlib is installed, and can be loaded."""
    need = "plots need matplotlib: pip install 'icgan-sdk[evaluation]'"
    require("matplotlib.figure", need)


def save_plots(plots: "Mapping[str, Figure]", folder: Path) -> None:
    """Write plots as PNG files of their names."""
    for name, plot in plots.items():
        plot.savefig(folder / f"{name}.png", dpi=DPI)


def new_plot(width: float, height: float) -> "Figure":
    """An empty plot, its size in inches."""
    # Not pyplot: its figures and its backend belong to the whole process.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def axes_in_a_row(plot: "Figure", count: int) -> "list[Axes]":
    """So many axes side by side."""
    row: list[Axes] = list(plot.subplots(1, count, squeeze=False)[0])
    return row


def height_for(names: Sequence[str]) -> float:
    """The height of a plot with one row for each name, in inches."""
    return 1.3 + 0.3 * len(names)


def draw_bars(
    axes: "Axes", names: Sequence[str], shares: Mapping[str, Sequence[float | None]]
) -> None:
    """A row for each name, with one bar for each kind of share. Shares 0…1 are shown in %."""
    thickness = 0.8 / len(shares)
    for number, ((kind, values), colour) in enumerate(zip(shares.items(), COLOURS, strict=False)):
        places = np.arange(len(names)) + (number - (len(shares) - 1) / 2) * thickness
        percent = [math.nan if value is None else 100 * value for value in values]
        axes.barh(places, percent, thickness, color=colour, label=kind)
    axes.set_xlim(0, 100)
    axes.grid(axis="x", alpha=0.4)
    axes.set_axisbelow(True)
    name_rows(axes, names)


def name_rows(axes: "Axes", names: Sequence[str]) -> None:
    """Label the rows, the first at the top."""
    label_ticks(axes.yaxis, names)
    axes.set_ylim(len(names) - 0.5, -0.5)


def label_ticks(axis: "Axis", names: Sequence[str]) -> None:
    """Write names along an axis, in a font that has their characters."""
    from matplotlib.font_manager import FontProperties, findfont

    usual = ImageFont.truetype(findfont(FontProperties()), 10)
    texts = legible([spaced(name) for name in names], usual)
    # Without parse_math, a name with dollars in it would be set as a formula.
    axis.set_ticks(range(len(names)), [text for text, _ in texts], parse_math=False)
    for label, (_, font) in zip(axis.get_ticklabels(), texts, strict=True):
        if font is not usual and isinstance(font, ImageFont.FreeTypeFont):
            label.set_fontproperties(FontProperties(fname=str(font.path)))


def spaced(name: str) -> str:
    """A name with spaces for its underscores."""
    return name.replace("_", " ")
