"""What a painter in training does to validation pictures: sheets to look at, and figures."""

import torch
from torch import Tensor

from icgan_sdk.model import IcGANNetworks
from icgan_sdk.pictures.arrays import to_pictures
from icgan_sdk.pictures.grids import grid, titled
from icgan_sdk.pictures.saving import save_picture
from icgan_sdk.training.context import Context
from icgan_sdk.training.judging import watched

SHEET, JUDGED = 24, 64
"""Pictures on a sheet, and pictures whose edits are read."""


@torch.inference_mode()
def save_sheet(model: IcGANNetworks, context: Context, step: int) -> None:
    """Write a sheet: rows of a validation picture and its edits, one for each attribute."""
    _, data = watched(context)
    rows = []
    for at in range(min(SHEET, len(data))):
        x = context.runtime.images(data.images(slice(at, at + 1)))
        _, painted = flipped(model, context, x)
        rows.append(to_pictures(torch.cat([x, painted]), context.model.photo))
    sheet = titled(grid(rows), ["photo", *context.model.attributes.names])
    save_picture(sheet, context.folder / "samples" / f"painter-{step:06d}.png")


@torch.inference_mode()
def judge_painter(model: IcGANNetworks, context: Context) -> dict[str, float]:
    """How often E_y, which the painter is not trained against, reads what was asked for.

    Returns:
        Means over attributes ``added`` and ``removed``, ``kept`` of all other attributes, and
        ``added.NAME``, ``removed.NAME`` as far as any was asked for.
    """
    _, data = watched(context)
    names = context.model.attributes.names
    asked, right, kept = torch.zeros(2, len(names)), torch.zeros(2, len(names)), []
    for at in range(min(JUDGED, len(data))):
        x = context.runtime.images(data.images(slice(at, at + 1)))
        wanted, painted = flipped(model, context, x)
        with context.runtime.autocast():
            before = model.read_y(model.shrink(x))[0].cpu() > 0
            after = model.read_y(model.shrink(painted)).cpu() > 0
        for a, up in enumerate(~before):
            asked[int(up), a] += 1
            right[int(up), a] += after[a, a] == up
        # What the edit doesn't set, and so not the group's others either.
        others = (wanted.cpu() > 0) == before
        kept.append(float((after == before)[others].float().mean()))
    share = right / asked
    figures = {"kept": sum(kept) / len(kept)}
    for kind, row in (("removed", share[0]), ("added", share[1])):
        figures[kind] = float(row.nanmean())
        figures |= {
            f"{kind}.{name}": float(value)
            for name, value in zip(names, row, strict=True)
            if not value.isnan()  # asked for at all
        }
    return figures


def flipped(model: IcGANNetworks, context: Context, x: Tensor) -> tuple[Tensor, Tensor]:
    """One photo [1, C, P, P] with each attribute added, or taken away where E_y reads it.

    Returns:
        The attributes asked for, [n_y, n_y], and the painted photos [n_y, C, P, P].
    """
    attributes = context.model.attributes
    with context.runtime.autocast():
        y = model.read_y(model.shrink(x)).float()
        read = y[0].tolist()
        wanted = [
            attributes.apply(read, {name: 0.0 if value > 0 else 1.0})
            for name, value in zip(attributes.names, read, strict=True)
        ]
        y_new = torch.tensor(wanted, device=x.device)
        n = len(y_new)
        return y_new, model.paint(x.expand(n, -1, -1, -1), y.expand(n, -1), y_new)
