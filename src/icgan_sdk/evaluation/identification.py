"""Whether reconstructions stay recognisable."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from icgan_sdk.data import PreparedDataset
from icgan_sdk.engines.batches import decode, encode
from icgan_sdk.evaluation.passes import device_of, features_of, real_images
from icgan_sdk.evaluation.referee import Referee
from icgan_sdk.model import IcGANNetworks


@dataclass(frozen=True)
class Identification:
    """Whether reconstructions can be told apart.

    Attributes:
        right: Share of reconstructions whose original was found; 1 / `gallery` is chance.
        queries: How many reconstructions were tried.
        gallery: Among how many originals each was sought.
    """

    right: float
    queries: int
    gallery: int


@torch.inference_mode()
def measure_identification(
    networks: IcGANNetworks,
    dataset: PreparedDataset,
    referee: Referee,
    *,
    gallery: int = 100,
    limit: int = 1000,
    refine: int = 0,
) -> Identification:
    """Seek the original of every reconstruction, by the cosine of the referee's features.

    Rank-1 identification as in face recognition (Phillips et al. 2000, "The FERET Evaluation
    Methodology"), in consecutive galleries; pictures that don't fill the last are left out.

    Args:
        networks: In eval mode.
        dataset: One partition, not empty.
        referee: In eval mode, of the same attributes.
        gallery: Originals to choose from; all pictures where there are fewer.
        limit: The first so many pictures are used.
        refine: Optimisation steps on z, as in `edit`.
    """
    referee.check_fits(networks.config)
    count, device = min(limit, len(dataset)), device_of(networks)
    gallery = min(gallery, count)
    count -= count % gallery
    rebuilt = (
        decode(networks, encode(networks, x, device, refine), device)
        for x in real_images(dataset, count)
    )
    queries, originals = (
        F.normalize(features_of(referee, images), dim=1).view(count // gallery, gallery, -1)
        for images in (rebuilt, real_images(dataset, count))
    )
    found = (queries @ originals.mT).argmax(2)
    right = float((found == torch.arange(gallery)).double().mean())
    return Identification(right, count, gallery)
