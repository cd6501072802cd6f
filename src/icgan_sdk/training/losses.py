"""Losses that several stages share."""

import torch.nn.functional as F
from torch import Tensor


def encoder_y_loss(read: Tensor, y: Tensor) -> Tensor:
    """L_ey = ‖y − E_y(x)‖² per attribute (equation 4), of what E_y read [B, n_y] and the truth."""
    return F.mse_loss(read.float(), y)


def attribute_loss(logits: Tensor, y: Tensor, counts: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of a critic's logits [B, n_y], summed over the attributes.

    Each counts as often as `counts` [B, n_y] says, by default once.
    """
    target = (y + 1) / 2
    return F.binary_cross_entropy_with_logits(logits, target, counts, reduction="sum") / len(y)
