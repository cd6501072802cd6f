"""How far apart two pictures are in the feature maps of a network."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def perceptual_distance(
    a: Sequence[Tensor], b: Sequence[Tensor], weights: Tensor | None = None
) -> Tensor:
    """A distance of pictures in feature maps, in the manner of LPIPS.

    After Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric" (arXiv 1801.03924), equation 1: at each place of a layer, the vector of all channels is
    scaled to unit length. The squared difference of the two pictures' vectors is averaged over the
    places. Three things differ from the original: channels have no learned weights, layers are
    averaged instead of summed, and the network is another one, so figures compare only under the
    same referee.

    Args:
        a: Feature maps [B, C_k, S_k, S_k] of the first pictures, not negative.
        b: Those of the others.
        weights: How much each pixel counts, [S, S], 0 or more. They are averaged down to the size
            of each layer. None: all pixels count alike.

    Returns:
        [B], from 0 (the same) to 2 (no channel in common). NaN where no pixel counts.
    """
    layers = []
    for first, second in zip(a, b, strict=True):
        squared = (F.normalize(first, dim=1) - F.normalize(second, dim=1)).square().sum(1)
        if weights is not None:
            places = F.adaptive_avg_pool2d(weights[None], squared.shape[-1])
            squared = squared * (places / places.mean())
        layers.append(squared.mean((1, 2)))
    return torch.stack(layers).mean(0)
