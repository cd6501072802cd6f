"""Keeping the z of real images where the generator knows it from: N(0, 1)."""

import torch
from torch import Tensor

from icgan_sdk.devices import send

DIRECTIONS = 256


def distance_from_prior(z: Tensor, draws: torch.Generator) -> Tensor:
    """Sliced Wasserstein distance of codes from N(0, 1) (Kolouri et al. 2018, SWAE).

    Along random directions, the sorted projections are compared with the quantiles of the normal
    distribution: mean squared differences.

    Args:
        z: [B, z_dim].
        draws: For the directions; on the CPU.

    Returns:
        A scalar.
    """
    directions = torch.randn(z.shape[1], DIRECTIONS, generator=draws)
    directions = send(directions, z.device).to(z.dtype)
    directions = directions / directions.norm(dim=0)
    places = (torch.arange(len(z), device=z.device) + 0.5) / len(z)
    quantiles = torch.special.ndtri(places.to(z.dtype))
    with torch.autocast(z.device.type, enabled=False):
        projections = (z @ directions).sort(dim=0).values
    distance: Tensor = (projections - quantiles[:, None]).square().mean()
    return distance
