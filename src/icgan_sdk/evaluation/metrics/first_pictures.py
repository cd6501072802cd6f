"""Keeping the first real pictures of a partition, for the pictures of a report."""

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from icgan_sdk.editing.latents import Latent
from icgan_sdk.evaluation.metrics.metric import Viewer
from icgan_sdk.evaluation.metrics.seeing import RealBatch
from icgan_sdk.evaluation.report.paper_pictures import SHOWN, Inverted


class FirstPictures(Viewer):
    """Keeps a few pictures, as `icgan_sdk.IcGAN.edit` inverts them, and their reconstructions.

    Pictures larger than G's are scaled down to them.

    Args:
        count: How many, at most.
    """

    def __init__(self, count: int = 2 * SHOWN) -> None:
        self._left = count
        self._kept: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []

    def see_real(self, batch: RealBatch) -> None:
        """Keep pictures until there are enough."""
        if not self._left:
            return
        latent = batch.refined_latent
        rebuilt = batch.refined_decoded
        real = adaptive_avg_pool2d(batch.real.images, rebuilt.shape[-1])
        parts = (real, latent.z, latent.y, rebuilt)
        x, z, y, rebuilt = (part[: self._left].clone() for part in parts)
        self._kept.append((x, z, y, rebuilt))
        self._left -= len(x)

    def inverted(self) -> Inverted:
        """The pictures."""
        x, z, y, rebuilt = (torch.cat(parts) for parts in zip(*self._kept, strict=True))
        return Inverted(x, Latent(z, y), rebuilt)
