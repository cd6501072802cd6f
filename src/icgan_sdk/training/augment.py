"""Differentiable augmentation of a discriminator's input (Zhao et al. 2020, DiffAugment)."""

import torch
from torch import Tensor

from icgan_sdk.model.devices import send

TRANSLATION = 1 / 8
"""Largest translation, as a share of the side."""

CUTOUT = 1 / 2
"""Side of the square that is cut out, as a share of the image's side."""


def augment(x: Tensor, draws: torch.Generator) -> Tensor:
    """Move images at random and cut a square out of each; gradients flow through.

    Pixels from outside the image and cut pixels are 0 (grey). DiffAugment's third part, colour,
    is left out because hair colour and pale skin are attributes.

    Args:
        x: [B, C, S, S] in [-1, 1].
        draws: Draws the moves and squares; on the CPU.

    Returns:
        [B, C, S, S].
    """
    return _cut_out(_translate(x, draws), draws)


def _translate(x: Tensor, draws: torch.Generator) -> Tensor:
    batch, _, side, _ = x.shape
    reach = round(side * TRANSLATION)
    dy, dx = send(torch.randint(-reach, reach + 1, (2, batch, 1), generator=draws), x.device)
    at = torch.arange(side, device=x.device)
    rows, columns = at + dy, at + dx
    inside = _within(rows, side)[:, None, :, None] & _within(columns, side)[:, None, None, :]
    numbers = torch.arange(batch, device=x.device)[:, None, None]
    rows, columns = rows.clamp(0, side - 1), columns.clamp(0, side - 1)
    moved = x.permute(0, 2, 3, 1)[numbers, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2) * inside


def _cut_out(x: Tensor, draws: torch.Generator) -> Tensor:
    batch, _, side, _ = x.shape
    size = round(side * CUTOUT)
    first = torch.randint(-(size // 2), side - size // 2, (2, batch, 1), generator=draws)
    distance = torch.arange(side, device=x.device) - send(first, x.device)
    rows, columns = _within(distance, size)
    cut = torch.logical_and(rows[:, None, :, None], columns[:, None, None, :])
    return x * cut.logical_not()


def _within(index: Tensor, size: int) -> Tensor:
    return torch.logical_and(index >= 0, index < size)
