"""How like the original a reconstruction is, pixel by pixel: PSNR and SSIM."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from icgan_sdk.evaluation.report.markdown import NONE

WINDOW, SIGMA = 11, 1.5
"""Side and standard deviation of SSIM's Gaussian window."""

K1, K2 = 0.01, 0.03
"""SSIM's small constants, which keep its quotients finite."""

BEST = "best: ∞ / 1"

LEAST_ERROR = 1e-10
"""Mean square error below which pictures count as equal: a PSNR of 100 dB."""


def psnr(images: Tensor, originals: Tensor) -> Tensor:
    """Peak signal-to-noise ratio, 10 log₁₀(1 / mean square error), at most 100.

    Args:
        images: [B, C, H, W] in [0, 1].
        originals: The same.

    Returns:
        Decibels, [B].
    """
    errors = (images - originals).double().square().mean((1, 2, 3))
    return -10 * errors.clamp_min(LEAST_ERROR).log10()


def ssim(images: Tensor, originals: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004, "Image Quality Assessment", equation 13).

    Means and variances are taken in a Gaussian window of 11×11 pixels that lies whole in the
    picture, in each channel.

    Args:
        images: [B, C, H, W] in [0, 1], H and W at least 11.
        originals: The same.

    Returns:
        [B]; 1 for equal pictures.
    """
    channels = images.shape[1]
    places = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    line = torch.exp(-(places**2) / (2 * SIGMA**2))
    line = (line / line.sum()).to(images.device)

    def blurred(x: Tensor) -> Tensor:
        for shape in ((1, 1, WINDOW, 1), (1, 1, 1, WINDOW)):
            x = F.conv2d(x, line.view(shape).expand(channels, *shape[1:]), groups=channels)
        return x

    a, b = images.double(), originals.double()
    mean_a, mean_b = blurred(a), blurred(b)
    variances = blurred(a * a) - mean_a**2 + blurred(b * b) - mean_b**2
    covariance = blurred(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + K1**2) / (mean_a**2 + mean_b**2 + K1**2)
    structure = (2 * covariance + K2**2) / (variances + K2**2)
    return (luminance * structure).mean((1, 2, 3))


class Likeness:
    """Means of PSNR and SSIM over pictures."""

    def __init__(self) -> None:
        self._psnr: list[Tensor] = []
        self._ssim: list[Tensor] = []

    def add(self, images: Tensor, originals: Tensor) -> None:
        """Take pictures [B, C, H, W] in [0, 1] into account."""
        self._psnr.append(psnr(images, originals))
        if min(images.shape[-2:]) >= WINDOW:
            self._ssim.append(ssim(images, originals))

    @property
    def psnr(self) -> float | None:
        """Mean in decibels; None without pictures."""
        return float(torch.cat(self._psnr).mean()) if self._psnr else None

    @property
    def ssim(self) -> float | None:
        """Mean; None without pictures, or where they are smaller than SSIM's window."""
        return float(torch.cat(self._ssim).mean()) if self._ssim else None


def likeness_cell(decibels: float | None, similarity: float | None) -> str:
    """Both as a report shows them."""
    if decibels is None or not math.isfinite(decibels):
        return NONE
    return f"{decibels:.2f} dB" + ("" if similarity is None else f" / {similarity:.3f}")
