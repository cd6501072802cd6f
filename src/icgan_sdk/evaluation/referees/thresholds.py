"""The scores above which a referee finds an attribute present."""

import torch
from torch import Tensor

from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.training.rows import chunks


def matching_thresholds(scores: Tensor, y: Tensor) -> Tensor:
    """Thresholds that find each attribute in as many images as the labels do.

    A threshold lies midway between the lowest score that counts as present and the highest that
    doesn't. Where these two are equal, both images count as absent.

    Args:
        scores: [N, n_y] of images.
        y: Their labels [N, n_y], −1 or 1.

    Returns:
        [n_y].
    """
    ranked = scores.sort(dim=0, descending=True).values
    # One more at each end, for attributes that all images have, or none.
    ranked = torch.cat([ranked[:1] + 1, ranked, ranked[-1:] - 1])
    positives = (y > 0).sum(0, keepdim=True)
    lowest_present, highest_absent = ranked.gather(0, positives), ranked.gather(0, positives + 1)
    midway = (lowest_present + highest_absent) / 2
    # Two neighbouring floating-point numbers have no number between them.
    return torch.where(midway < lowest_present, midway, highest_absent)[0]


@torch.no_grad()
def read_scores(referee: Referee, dataset: PreparedDataset) -> Tensor:
    """A referee's scores of all images of a partition: [N, n_y], CPU."""
    parts = chunks(len(dataset), dataset.image_size)
    return torch.cat([referee(dataset.images(at).to(referee.device)).cpu() for at in parts])
