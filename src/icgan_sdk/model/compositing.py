"""Putting an edit's change onto the original pixels, so that the rest of the picture stays."""

import math
from typing import Literal

import torch
from torch import Tensor

Detail = Literal["generated", "photo"]
"""What an edit shows: G's picture, or the original pixels with the change put onto them."""

BLUR = 1 / 32
"""Standard deviation of all blurs, as a part of the picture's side."""

LOW, HIGH = 0.05, 0.25
"""Where the mask starts and is full, as parts of the picture's largest smoothed change."""

SMALLEST_PEAK = 4 / 127.5
"""Changes below four grey levels everywhere are never raised to a full mask."""


def carry_change(original: Tensor, reconstruction: Tensor, edited: Tensor) -> Tensor:
    """Carry what an edit changes over to the original pixels.

    Pixels around which little changes keep their exact value.

    Args:
        original: [B, C, S, S] in [-1, 1], as both others.
        reconstruction: G's picture before the edit.
        edited: G's picture after it.

    Returns:
        [B, C, S, S] in [-1, 1].
    """
    return (original + masked_change(original, reconstruction, edited)).clamp(-1.0, 1.0)


def masked_change(original: Tensor, reconstruction: Tensor, edited: Tensor) -> Tensor:
    """What an edit changes in the original: mask · (edited − reconstruction + correction).

    The mask is the change's magnitude, averaged over channels, blurred, divided by its largest
    value and passed through a smoothstep. The correction counters what the reconstruction got
    wrong: hair that it made too dark, and the edit blond, would become white on the original, and
    hair that it made black already could not become so. It is the blurred error of the
    reconstruction, as far as the change outweighs it, so that texture, and colours that the edit
    doesn't concern, stay the original's. No pixel is taken beyond its value in the edited picture.

    Args:
        original: [B, C, S, S] in [-1, 1], as both others.
        reconstruction: G's picture before the edit.
        edited: G's picture after it.

    Returns:
        [B, C, S, S] in [-2, 2], exactly 0 where little changes.
    """
    change, error = edited - reconstruction, reconstruction - original
    magnitudes = [x.abs().mean(dim=1, keepdim=True) for x in (change, error)]
    blurred = _blur(torch.cat([*magnitudes, error], dim=1))
    size, error_size, correction = blurred[:, :1], blurred[:, 1:2], blurred[:, 2:]
    peak = size.amax(dim=(1, 2, 3), keepdim=True).clamp_min(SMALLEST_PEAK)
    ramp = ((size / peak - LOW) / (HIGH - LOW)).clamp(0.0, 1.0)
    mask = ramp * ramp * (3.0 - 2.0 * ramp)
    share = size / (size + error_size).clamp_min(SMALLEST_PEAK)
    furthest = edited - original
    return torch.clamp(
        mask * (change + share * correction), furthest.clamp(max=0.0), furthest.clamp(min=0.0)
    )


def _blur(images: Tensor) -> Tensor:
    # Takes as long to import as torch.
    from torchvision.transforms.functional import gaussian_blur

    sigma = BLUR * images.shape[-1]
    blurred: Tensor = gaussian_blur(images, [2 * math.ceil(2 * sigma) + 1] * 2, [sigma] * 2)
    return blurred
