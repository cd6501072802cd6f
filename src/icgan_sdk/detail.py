"""Putting an edit's change onto the original pixels, so that the rest of the picture stays."""

import math
from typing import Literal

from torch import Tensor

Detail = Literal["generated", "photo"]
"""What an edit shows: G's picture, or the original pixels with the change put onto them."""

BLUR = 1 / 32
"""Standard deviation of the mask's blur, as a part of the picture's side."""

LOW, HIGH = 0.05, 0.25
"""Where the mask starts and is full, as parts of the picture's largest smoothed change."""

SMALLEST_PEAK = 4 / 127.5
"""Changes below four grey levels everywhere are never raised to a full mask."""


def carry_change(original: Tensor, reconstruction: Tensor, edited: Tensor) -> Tensor:
    """Add what an edit changes, softly masked, to the original pixels.

    Pixels around which little changes keep their exact value.

    Args:
        original: [B, C, S, S] in [-1, 1], as both others.
        reconstruction: G's picture before the edit.
        edited: G's picture after it.

    Returns:
        [B, C, S, S] in [-1, 1].
    """
    return (original + masked_change(reconstruction, edited)).clamp(-1.0, 1.0)


def masked_change(reconstruction: Tensor, edited: Tensor) -> Tensor:
    """What an edit changes: mask · (edited − reconstruction).

    The mask is the change's magnitude, averaged over channels, blurred, divided by its largest
    value and passed through a smoothstep.

    Args:
        reconstruction: G's picture before the edit: [B, C, S, S] in [-1, 1].
        edited: G's picture after it.

    Returns:
        [B, C, S, S] in [-2, 2], exactly 0 where little changes.
    """
    # Takes as long to import as torch.
    from torchvision.transforms.functional import gaussian_blur

    change = edited - reconstruction
    sigma = BLUR * change.shape[-1]
    magnitude = gaussian_blur(
        change.abs().mean(dim=1, keepdim=True), [2 * math.ceil(2 * sigma) + 1] * 2, [sigma] * 2
    )
    peak = magnitude.amax(dim=(1, 2, 3), keepdim=True).clamp_min(SMALLEST_PEAK)
    ramp = ((magnitude / peak - LOW) / (HIGH - LOW)).clamp(0.0, 1.0)
    mask = ramp * ramp * (3.0 - 2.0 * ramp)
    masked: Tensor = mask * change
    return masked
