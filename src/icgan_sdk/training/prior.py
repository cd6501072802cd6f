"""A loss that keeps the z of real images near N(0, 1), the distribution G is trained on."""

import torch
from torch import Tensor

from icgan_sdk.model.devices import send

DIRECTIONS = 256


def distance_from_prior(z: Tensor, draws: torch.Generator) -> Tensor:
    """Sliced Wasserstein distance of codes from N(0, 1) (Kolouri et al. 2018, SWAE).

    The codes are projected onto random directions. The distance is the mean squared difference
    between the sorted projections and the quantiles of the normal distribution.

    Args:
        z: [B, z_dim].
        draws: Draws the directions; on the CPU.

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
