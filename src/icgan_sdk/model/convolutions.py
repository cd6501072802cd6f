"""Convolutions that halve and double the side, and are fast in bfloat16 on a CPU.

On small maps with many channels (256 to 512 channels at 8×8) the library's bfloat16 convolutions
run far below a CPU's rate for matrix products, above all their weight gradients. For such maps
this module gathers patches once; the forward pass, the input gradient and the weight gradient are
then one matrix product each. In float32, and on other devices, the library's convolutions are used.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.grad import conv2d_weight

from icgan_sdk.model.layers import repeat_pixels

KERNEL = 4
PRODUCT_SIDE = 8
"""Largest side (of the larger map) at which products beat convolutions."""
PRODUCT_SIDE_OF_WEIGHTS = 16
"""The same for weight gradients."""


class HalvingConv(nn.Conv2d):
    """A convolution of stride 2 that halves the side.

    Args:
        in_channels: Channels of its input.
        out_channels: Channels of its result.
        kernel: 4 (padding 1: discriminator) or 5 (padding 2: encoders).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int = KERNEL) -> None:
        super().__init__(in_channels, out_channels, kernel, stride=2, padding=_padding(kernel))

    def forward(self, x: Tensor) -> Tensor:
        """[B, in, 2S, 2S] to [B, out, S, S]; with a kernel of 5 a single pixel to a single one."""
        return _halve(x, self.weight, self.bias)


class DoublingConv(nn.ConvTranspose2d):
    """A 4×4 full convolution of stride 2 and padding 1, which doubles the side."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, KERNEL, stride=2, padding=1)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """[B, in, S, S] to [B, out, 2S, 2S]."""
        if _is_bfloat16_on_cpu(x):
            doubled: Tensor = _Double.apply(*_to_bfloat16(x, self.weight, self.bias))
            return doubled
        return super().forward(x, output_size)

    @torch.no_grad()
    def smooth(self) -> None:
        """Replace the kernels by the nearest ones that equal upsampling and a 3×3 convolution.

        Those can't draw a checkerboard (Odena et al. 2016, "Deconvolution and Checkerboard
        Artifacts"). The upsampling repeats each pixel.
        """
        kernels = self.weight.flatten(2) @ _smoothing().to(self.weight)
        self.weight.copy_(kernels.view_as(self.weight))


class RepeatingConv(nn.Conv2d):
    """Repeats each pixel and convolves with 3×3: doubles the side, and can't draw a checkerboard.

    "Resize-convolution" (Odena et al. 2016). It has 9 weights where `DoublingConv` has 16, and
    takes 9 products where that takes 4.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, in, S, S] to [B, out, 2S, 2S]."""
        return super().forward(repeat_pixels(x))


class ScoringConv(nn.Conv2d):
    """A 4×4 convolution over a whole 4×4 map, which is one matrix product."""

    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels, 1, KERNEL)

    def forward(self, x: Tensor) -> Tensor:
        """[B, in, 4, 4] to [B, 1, 1, 1]."""
        return _score(x, self.weight, self.bias)


class UnfoldingConv(nn.ConvTranspose2d):
    """A 4×4 full convolution of a single pixel, which is one matrix product."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, KERNEL)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """[B, in, 1, 1] to [B, out, 4, 4]."""
        bias = None if self.bias is None else self.bias.repeat(KERNEL * KERNEL)
        rows = F.linear(x.flatten(1), _flat(self.weight).t(), bias)
        return rows.view(-1, KERNEL, KERNEL, self.out_channels).permute(0, 3, 1, 2)


class ConditionalConv(nn.Conv2d):
    """A halving or scoring convolution over maps joined with y as constant maps (paper, Table 1).

    A constant map can be convolved without being built. Away from the border the result is y
    times the sum of the kernel; at the border, times the sum of the part that lies inside. So the
    maps' half and the labels' half are computed apart, and several label vectors can share the
    first.

    Args:
        maps: Channels of the maps.
        n_labels: Size of y.
        out_channels: Channels of the result; 1 for a scoring convolution.
        scoring: Whether the kernel covers the whole 4×4 map.
    """

    def __init__(self, maps: int, n_labels: int, out_channels: int, scoring: bool) -> None:
        stride, padding = (1, 0) if scoring else (2, 1)
        super().__init__(maps + n_labels, out_channels, KERNEL, stride, padding)
        self.maps, self.scoring = maps, scoring

    def forward(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        """Maps [B, maps, S, S] and y [B, n_labels] to [B, out, S', S']."""
        return self.of_maps(x) + self.of_labels(y, x.shape[-1])

    def of_maps(self, x: Tensor) -> Tensor:
        """The half of the maps [B, maps, S, S], with the bias: [B, out, S', S']."""
        convolve = _score if self.scoring else _halve
        return convolve(x, self.weight[:, : self.maps], self.bias)

    def of_labels(self, y: Tensor, side: int) -> Tensor:
        """The half of y [B, n_labels], beside maps of a side: [B, out, S', S']."""
        inside = self._inside(side)
        weight = torch.einsum("oykl,ik,jl->yijo", self.weight[:, self.maps :], inside, inside)
        return torch.einsum("by,yijo->bijo", y, weight).permute(0, 3, 1, 2)

    def _inside(self, side: int) -> Tensor:
        """[S', 4]: 1 where, for an output row, a row of the kernel lies on the maps."""
        stride, padding = (1, 0) if self.scoring else (2, 1)
        first = torch.arange(0, side + 2 * padding - KERNEL + 1, stride) - padding
        rows = first[:, None] + torch.arange(KERNEL)
        return ((rows >= 0) & (rows < side)).to(self.weight)


def _smoothing() -> Tensor:
    """The projection [16, 16] of 4×4 kernels onto 3×3 kernels convolved with 2×2 ones."""
    ones = torch.ones(1, 1, 2, 2, dtype=torch.float64)
    kernels = torch.eye(9, dtype=torch.float64).view(9, 1, 3, 3)
    smooth = F.conv_transpose2d(kernels, ones).flatten(1)
    projection: Tensor = torch.linalg.pinv(smooth) @ smooth
    return projection


def _padding(kernel: int) -> int:
    return (kernel - 1) // 2


def _halve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if x.shape[-1] == 1:
        return _meet(x, weight, bias)
    if _is_bfloat16_on_cpu(x):
        halved: Tensor = _Halve.apply(*_to_bfloat16(x, weight, bias))
        return halved
    return F.conv2d(x, weight, bias, stride=2, padding=_padding(weight.shape[-1]))


def _meet(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    # Only the middle of the kernel lies on a single pixel. On CPUs PyTorch's own bfloat16
    # convolution leaves the gradient of the rest uninitialised.
    middle = weight.shape[-1] // 2
    return F.linear(x.flatten(1), weight[:, :, middle, middle], bias)[:, :, None, None]


def _score(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    rows = x.permute(0, 2, 3, 1).flatten(1)
    return F.linear(rows, _flat(weight), bias)[:, :, None, None]


def _is_bfloat16_on_cpu(x: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") is torch.bfloat16
    )


def _to_bfloat16(*tensors: Tensor | None) -> list[Tensor | None]:
    return [None if t is None else t.to(torch.bfloat16) for t in tensors]


class _Halve(torch.autograd.Function):
    """x [B, b, 2S, 2S], weight [a, b, k, k] and bias [a] to [B, a, S, S]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _down(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,), (x, weight) = gradients, ctx.saved_tensors
        to_x, to_weight, to_bias = ctx.needs_input_grad
        return (
            _up(gradient, weight) if to_x else None,
            _weight_gradient(x, gradient, weight.shape[-1]) if to_weight else None,
            gradient.sum((0, 2, 3)) if to_bias else None,
        )


class _Double(torch.autograd.Function):
    """x [B, a, S, S], weight [a, b, 4, 4] and bias [b] to [B, b, 2S, 2S]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        doubled = _up(x, weight)
        return doubled if bias is None else doubled.add_(bias[:, None, None])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,), (x, weight) = gradients, ctx.saved_tensors
        to_x, to_weight, to_bias = ctx.needs_input_grad
        return (
            _down(gradient, weight, None) if to_x else None,
            _weight_gradient(gradient, x, KERNEL) if to_weight else None,
            # The library's full convolution spends as long on this sum as on a whole gradient.
            gradient.sum((0, 2, 3)) if to_bias else None,
        )


def _down(large: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """[B, b, 2S, 2S] and weight [a, b, k, k] to [B, a, S, S]."""
    batch, _, side, _ = large.shape
    kernel = weight.shape[-1]
    if side > PRODUCT_SIDE:
        return F.conv2d(large, weight, bias, stride=2, padding=_padding(kernel))
    rows = F.linear(_gather(large, kernel), _flat(weight), bias)
    return rows.view(batch, side // 2, side // 2, -1).permute(0, 3, 1, 2)


def _up(small: Tensor, weight: Tensor) -> Tensor:
    """The adjoint of `_down`: [B, a, S, S] and weight [a, b, k, k] to [B, b, 2S, 2S]."""
    batch, _, side, _ = small.shape
    kernel = weight.shape[-1]
    if 2 * side > PRODUCT_SIDE or kernel != KERNEL:
        padding, odd = _padding(kernel), kernel % 2
        return F.conv_transpose2d(small, weight, None, 2, padding, output_padding=odd)
    return _fold(_rows(small) @ _flat(weight), batch, side)


def _weight_gradient(large: Tensor, small: Tensor, kernel: int) -> Tensor:
    """Gradient [a, b, k, k] from large maps [B, b, 2S, 2S] and small maps [B, a, S, S]."""
    a, b = small.shape[1], large.shape[1]
    if large.shape[-1] > PRODUCT_SIDE_OF_WEIGHTS:
        shape = (a, b, kernel, kernel)
        gradient: Tensor = conv2d_weight(large, shape, small, 2, _padding(kernel))
        return gradient
    flat = _rows(small).t() @ _gather(large, kernel)
    return flat.view(a, kernel, kernel, b).permute(0, 3, 1, 2)


def _rows(x: Tensor) -> Tensor:
    """[B, C, S, S] as [B·S·S, C]: no copy of a channels-last map."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _flat(weight: Tensor) -> Tensor:
    """[a, b, k, k] as [a, k·k·b] in the order of gathered patches: no copy if channels-last."""
    return weight.permute(0, 2, 3, 1).reshape(len(weight), -1)


def _gather(x: Tensor, kernel: int) -> Tensor:
    """Patches under the halving kernel: [B, C, 2S, 2S] to [B·S·S, k·k·C]."""
    batch, channels, side, _ = x.shape
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, *[_padding(kernel)] * 4))
    image, row, pixel, _ = padded.stride()
    patches = padded.as_strided(
        (batch, side // 2, side // 2, kernel, kernel * channels),
        (image, 2 * row, 2 * pixel, row, 1),
    )
    return patches.reshape(batch * (side // 2) ** 2, -1)


def _fold(rows: Tensor, batch: int, side: int) -> Tensor:
    """The adjoint of `_gather` with 4×4, overlaps added: [B·S·S, 16·C] to [B, C, 2S, 2S]."""
    # A kernel of 4 at stride 2 is 2×2 blocks of 2×2 pixels, and blocks of a kind don't overlap.
    patches = rows.view(batch, side, side, 2, 2, 2, 2, -1)
    folded = rows.new_zeros(batch, side + 1, 2, side + 1, 2, patches.shape[-1])
    for down in (0, 1):
        for right in (0, 1):
            blocks = patches[:, :, :, down, :, right].permute(0, 1, 3, 2, 4, 5)
            folded[:, down : down + side, :, right : right + side] += blocks
    padded = folded.view(batch, 2 * side + 2, 2 * side + 2, -1)
    return padded[:, 1:-1, 1:-1].permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
