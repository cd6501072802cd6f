"""Spectral normalisation (Miyato et al. 2018) in few passes over the weights.

The same function of the weights as `torch.nn.utils.parametrizations.spectral_norm`, with the same
names in the state. On a CPU that one spends a third of a critic's step on whole-matrix arithmetic.
"""

from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

FIRST_ITERATIONS = 15
"""Power iterations that begin the estimate; each pass in training mode adds one."""

_Layer = TypeVar("_Layer", nn.Conv2d, nn.Linear)


def spectral_norm(layer: _Layer, gain: float = 1.0) -> _Layer:
    """Divide a layer's weight by its largest singular value, and multiply it by a gain."""
    register_parametrization(layer, "weight", _SpectralNorm(layer.weight, gain))
    return layer


class _SpectralNorm(nn.Module):
    """The parametrisation; keeps the singular vectors."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, gain: float) -> None:
        super().__init__()
        matrix = weight.detach().flatten(1)
        self.gain = gain
        self.register_buffer("_u", F.normalize(torch.randn(matrix.shape[0]), dim=0))
        self.register_buffer("_v", F.normalize(torch.randn(matrix.shape[1]), dim=0))
        for _ in range(FIRST_ITERATIONS):
            self._iterate(matrix)

    @torch.no_grad()
    def _iterate(self, matrix: Tensor) -> None:
        self._u.copy_(F.normalize(torch.mv(matrix, self._v), dim=0))
        self._v.copy_(F.normalize(torch.mv(matrix.t(), self._u), dim=0))

    def forward(self, weight: Tensor) -> Tensor:
        """Normalise a weight [out, …]; in the autocast type, if there is one."""
        if self.training:
            self._iterate(weight.detach().flatten(1))
        kind = weight.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
        # Copies, as another pass may come before the backward one.
        u, v = self._u.clone(), self._v.clone()
        normalised: Tensor = _Normalise.apply(weight, u, v, self.gain, dtype)
        return normalised


class _Normalise(torch.autograd.Function):
    """gain · W / σ with σ = uᵀWv, whose gradient also flows through σ."""

    @staticmethod
    def forward(
        ctx: Any, weight: Tensor, u: Tensor, v: Tensor, gain: float, dtype: torch.dtype
    ) -> Tensor:
        sigma = torch.dot(u, torch.mv(weight.flatten(1), v))
        scale = gain / sigma
        ctx.save_for_backward(weight, u, v, sigma)
        ctx.gain = gain
        return (weight * scale).to(dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        weight, u, v, sigma = ctx.saved_tensors
        # d/dW of g·(W/σ): g/σ − (g·W)/σ² uvᵀ.
        gradient = gradients[0].to(weight.dtype).reshape(weight.shape)
        along = torch.dot(gradient.flatten(), weight.flatten())
        to_weight = (gradient * (ctx.gain / sigma)).flatten(1)
        to_weight.addr_(u * (-ctx.gain * along / sigma.square()), v)
        return to_weight.view(weight.shape), None, None, None, None
