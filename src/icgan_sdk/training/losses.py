"""Losses that several stages share."""

import torch.nn.functional as F
from torch import Tensor


def encoder_y_loss(read: Tensor, y: Tensor) -> Tensor:
    """L_ey = ‖y − E_y(x)‖² per attribute (equation 4), from E_y's output and y [B, n_y]."""
    return F.mse_loss(read.float(), y)


def attribute_loss(logits: Tensor, y: Tensor, counts: Tensor | None = None) -> Tensor:
    """Binary cross-entropy, summed over the attributes and averaged over the images.

    Args:
        logits: What a network reads off the images, [B, n_y].
        y: What they should show, [B, n_y], −1 or 1.
        counts: Weights of the attributes, [B, n_y]; None: all 1.

    Returns:
        A scalar.
    """
    target = (y + 1) / 2
    return F.binary_cross_entropy_with_logits(logits, target, counts, reduction="sum") / len(y)
