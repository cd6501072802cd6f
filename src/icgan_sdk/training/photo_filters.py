"""Photographs as cameras, programs and networks leave them: soft or sharpened, tinted, compressed.

What a painter learns from and what it is compared with go through the same filters. So neither
sharpness nor noise tells the critic what is painted, and a painter meets what people bring.
"""

from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur, rgb_to_grayscale

from icgan_sdk.model.devices import send

SHARPNESS, KERNEL, SIGMA = 0.8, 5, 1.2
"""By how much of its difference from a blurred copy (Gaussian, of so many pixels and this σ) a
picture is softened or sharpened at most."""

GAMMA, TINT = 0.35, 0.1
"""Largest natural logarithms of the gamma and of each colour's gain."""

GREY = 0.04
"""Share of pictures that lose their colour."""

NOISY, NOISE = 0.25, 0.05
"""Share of pictures with noise, and its largest σ, in [-1, 1] units."""

COMPRESSED, WORST, BEST = 1 / 3, 35, 95
"""Share of pictures that are compressed as JPEG, and the quality."""


def filter_photos(images: Tensor, draws: torch.Generator) -> Tensor:
    """Filter each photo in its own way.

    Args:
        images: [B, C, S, S] in [-1, 1].
        draws: On the CPU.

    Returns:
        New photos, [B, C, S, S] in [-1, 1], on the same device.
    """
    count = len(images)

    def between(low: float, high: float, channels: int = 1) -> Tensor:
        drawn = low + (high - low) * torch.rand(count, channels, 1, 1, generator=draws)
        return send(drawn, images.device)

    def some(share: float) -> Tensor:
        return between(0, 1) < share

    edges = images - gaussian_blur(images, KERNEL, SIGMA)
    x = (images + between(-SHARPNESS, SHARPNESS) * edges).clamp(-1.0, 1.0)
    tint = between(-TINT, TINT, images.shape[1]).exp()
    light = ((x + 1.0) / 2.0).clamp_min(1e-3).pow(between(-GAMMA, GAMMA).exp()) * tint
    x = light.clamp_max(1.0) * 2.0 - 1.0
    grey = some(GREY)
    if images.shape[1] == 3:
        x = torch.where(grey, rgb_to_grayscale(x, 3), x)
    noise = send(torch.randn(images.shape, generator=draws), images.device)
    strength = torch.where(some(NOISY), between(0, NOISE), 0.0)
    return _compressed((x + strength * noise).clamp(-1.0, 1.0), draws)


def _compressed(x: Tensor, draws: torch.Generator) -> Tensor:
    chosen = torch.rand(len(x), generator=draws) < COMPRESSED
    qualities = torch.randint(WORST, BEST + 1, (len(x),), generator=draws)
    rows = chosen.nonzero()[:, 0]
    if not len(rows):
        return x
    pixels = ((x[send(rows, x.device)] + 1.0) * 127.5).round().to("cpu", torch.uint8)
    pictures = [
        _as_jpeg(picture, int(quality))
        for picture, quality in zip(pixels, qualities[rows], strict=True)
    ]
    x = x.clone()
    x[send(rows, x.device)] = send(torch.stack(pictures), x.device).to(x.dtype) / 127.5 - 1.0
    return x


def _as_jpeg(pixels: Tensor, quality: int) -> Tensor:
    """Bytes [C, S, S], compressed and read again."""
    grey = pixels.shape[0] == 1
    picture = Image.fromarray((pixels[0] if grey else pixels.permute(1, 2, 0)).numpy())
    with BytesIO() as file:
        picture.save(file, "JPEG", quality=quality)
        array = torch.from_numpy(np.array(Image.open(file)))
    return array[None] if grey else array.permute(2, 0, 1)
