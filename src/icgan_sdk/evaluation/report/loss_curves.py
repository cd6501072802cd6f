"""The loss curves of a training run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from icgan_sdk.evaluation.report.plots import axes_in_a_row, new_plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOT_LOSSES = frozenset({"stage", "step", "epoch", "images_per_second", "seconds"})


def loss_curves(records: Sequence[Mapping[str, float | str]]) -> "Figure":
    """Losses and held-out errors of each stage over its epochs. The encoders' are logarithmic.

    Args:
        records: Lines of the run's ``metrics.jsonl``, at least one.
    """
    ends = {str(record["stage"]): record for record in records}
    plot = new_plot(width=4.0 * len(ends), height=3.2)
    for axes, (stage, end) in zip(axes_in_a_row(plot, len(ends)), ends.items(), strict=True):
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
    return plot


def _is_loss(name: str) -> bool:
    return name not in NOT_LOSSES and not name.endswith("accuracy")
