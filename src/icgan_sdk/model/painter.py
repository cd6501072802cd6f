"""The painter: what an edit changes in a photo, as a change of colour under a mask.

The generator's pictures are relatives of the photo; the painter keeps the photo itself and paints
only what is asked for. It needs neither E_z nor the generator: with their pictures of before and
after as inputs it painted no better. A change under an attention mask comes from GANimation
(Pumarola et al. 2018), being told only what changes from STGAN (Liu et al. 2019).
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.model.convolutions import HalvingConv
from icgan_sdk.model.layers import repeat_pixels

SMALLEST_SIDE = 8
"""Side of the deepest maps, as far as the painter's size allows."""

WIDEST = 8
"""The deepest maps have at most this many times the channels of the first."""

FINE_INPUTS, FINE_CHANNELS = 16, 8
"""Channels at full resolution: the photo's with what comes from below, and the hidden ones."""

LOGIT_BOUND = 4.0
"""The mask's logit stays within ±this: a mask that shut for good would learn nothing any more."""

RESIDUAL_GAIN = 0.3
"""Scale of residual branches' first weights: without norms, maps would grow block by block."""


class Request(NamedTuple):
    """What an edit asks of the painter.

    Attributes:
        direction: Which attributes are to come (up to 1) and to go (down to −1), [B, n_y]; all 0
            where nothing is asked, otherwise the largest magnitude is 1.
        amount: How far to go, [B]: 0 not at all, 1 a whole step, more exaggerates.
    """

    direction: Tensor
    amount: Tensor


def request(y: Tensor, y_new: Tensor) -> Request:
    """What leads from attributes y [B, n_y] in [-1, 1] units to y_new, as the painter takes it.

    A step is (y_new − y) / (1 + |y|): from either side of 0 the far end is one whole step away,
    however sure y is.
    """
    step = (y_new - y) / (1.0 + y.abs())
    amount = step.abs().amax(1)
    not_zero = torch.where(amount > 0, amount, torch.ones_like(amount))
    return Request(step / not_zero[:, None], amount)


class Painter(nn.Module):
    """A U-Net from a photo and a request to a change of colour and a mask.

    It works at half the photo's side and below: 64, 32, 16 and 8 of a photo of 128, whose pixels
    fold into channels on the way in. Upsampling is by repeated pixels and a convolution: unfolding
    channels (pixel shuffle) left a checkerboard even with a convolution after it. Beside the last
    repeated pixels the photo itself joins, whose edges the change then follows. The direction
    modulates every block. There are no norms: brightness matters, and images of a batch must not
    see each other.

    Args:
        config: Sizes; needs `painter_size` and attributes.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        body_size = config.painter_size // 2
        levels = max(1, (body_size // SMALLEST_SIDE).bit_length() - 1)
        widths = [config.painter_width * min(2**level, WIDEST) for level in range(levels + 1)]
        n_y, channels = config.n_attributes, config.channels
        self.entry = nn.Conv2d(4 * channels, widths[0], 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level in range(1, levels + 1):
            blocks = 1 if level == 1 else 2  # the largest maps cost most
            self.down.append(_Down(widths[level - 1], widths[level], n_y, blocks))
        for level in reversed(range(levels)):
            self.up.append(_Up(widths[level + 1], widths[level], n_y))
        self.narrow = nn.Conv2d(widths[0], FINE_INPUTS - channels, 3, padding=1)
        self.join = nn.Conv2d(FINE_INPUTS, FINE_CHANNELS, 3, padding=1)
        self.output = nn.Conv2d(FINE_CHANNELS, channels + 1, 3, padding=1)
        _initialise(self)

    def forward(self, x: Tensor, direction: Tensor, amount: Tensor) -> Tensor:
        """Paint onto photos.

        Args:
            x: Photos [B, C, P, P] in [-1, 1].
            direction: [B, n_y], as in `Request`.
            amount: [B]. Where it is 0, x comes back bit for bit.

        Returns:
            [B, C, P, P] in [-1, 1].
        """
        change, mask = self.change(x, direction)
        return apply_change(x, change, mask, amount)

    def change(self, x: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
        """The change of colour [B, C, P, P] in (-2, 2) and the mask [B, 1, P, P] in [0, 1]."""
        h = self.entry(F.pixel_unshuffle(x, 2))
        skips = []
        for down in self.down:
            skips.append(h)
            h = down(h, direction)
        for up in self.up:
            h = up(h, skips.pop(), direction)
        fine = repeat_pixels(self.narrow(_active(h)))
        fine = self.join(torch.cat([fine, x.to(fine.dtype)], dim=1))
        out = self.output(_active(fine)).float()
        return 2.0 * torch.tanh(out[:, :-1] / 2.0), _mask(out[:, -1:])


def apply_change(x: Tensor, change: Tensor, mask: Tensor, amount: Tensor) -> Tensor:
    """Photos [B, C, P, P] with a change of colour under a mask [B, 1, P, P], by amounts [B]."""
    return (x + amount[:, None, None, None] * mask * change).clamp(-1.0, 1.0)


class _Block(nn.Module):
    """A residual convolution that the direction modulates."""

    def __init__(self, width: int, n_y: int) -> None:
        super().__init__()
        self.steer = nn.Linear(n_y, 2 * width)
        self.convolution = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, h: Tensor, direction: Tensor) -> Tensor:
        scale, shift = self.steer(direction)[:, :, None, None].to(h.dtype).chunk(2, 1)
        steered = torch.addcmul(shift, h, 1.0 + scale)
        out: Tensor = h + self.convolution(_active(steered))
        return out


class _Down(nn.Module):
    """Half the side, then blocks."""

    def __init__(self, width: int, out: int, n_y: int, blocks: int) -> None:
        super().__init__()
        self.halve = HalvingConv(width, out)
        self.blocks = nn.ModuleList(_Block(out, n_y) for _ in range(blocks))

    def forward(self, h: Tensor, direction: Tensor) -> Tensor:
        h = self.halve(_active(h))
        for block in self.blocks:
            h = block(h, direction)
        return h


class _Up(nn.Module):
    """Twice the side, by repeated pixels, joined with the maps of the way down; then a block."""

    def __init__(self, width: int, out: int, n_y: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(width, out, 1)  # before the pixels repeat, it costs a quarter
        self.block = _Block(out, n_y)

    def forward(self, h: Tensor, skip: Tensor, direction: Tensor) -> Tensor:
        narrow = self.narrow(_active(h))
        joined: Tensor = self.block(repeat_pixels(narrow) + skip, direction)
        return joined


def _active(h: Tensor) -> Tensor:
    return F.leaky_relu(h, 0.2)


def _mask(logits: Tensor) -> Tensor:
    # Stretched, so that a bounded logit still reaches 0 and 1.
    low = 1.0 / (1.0 + math.exp(LOGIT_BOUND))
    bounded = LOGIT_BOUND * torch.tanh(logits / LOGIT_BOUND)
    return (torch.sigmoid(bounded) - low) / (1.0 - 2.0 * low)


def _initialise(painter: Painter) -> None:
    """Weights that keep the maps' variance; the change starts near 0, the mask half open."""
    if painter.output.weight.is_meta:  # no weights; drawing none would import PyTorch's compiler
        return
    for name, module in painter.named_modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, 0.2)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # all have one
            with torch.no_grad():
                module.weight.mul_(RESIDUAL_GAIN if ".convolution" in f".{name}" else 1.0)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.3)
            nn.init.zeros_(module.bias)
    with torch.no_grad():
        painter.output.weight.mul_(0.1)
