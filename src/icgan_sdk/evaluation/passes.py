"""Passing real or generated images through networks, chunk by chunk."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from icgan_sdk.data import PreparedDataset
from icgan_sdk.engines.batches import Latent, decode
from icgan_sdk.evaluation.referee import Referee
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.training.rows import chunks


def device_of(networks: IcGANNetworks) -> torch.device:
    """Where the networks are."""
    return next(networks.parameters()).device


def real_images(dataset: PreparedDataset, count: int) -> Iterator[Tensor]:
    """The first `count` images of a data set, [B, C, S, S] in [-1, 1] on the CPU."""
    for at in chunks(count, dataset.image_size):
        yield dataset.images(at)


def generated_images(networks: IcGANNetworks, z: Tensor, y: Tensor) -> Iterator[Tensor]:
    """G(z, y) of z [N, z_dim] and y [N, n_y]: images [B, C, S, S] in (-1, 1) on the CPU."""
    for at in chunks(len(z), networks.config.image_size):
        yield decode(networks, Latent(z[at], y[at]), device_of(networks))


@torch.inference_mode()
def features_of(referee: Referee, batches: Iterable[Tensor]) -> Tensor:
    """The referee's features [N, F] of batches of images, on the CPU."""
    return torch.cat([referee.features(x.to(referee.device)).cpu() for x in batches])
