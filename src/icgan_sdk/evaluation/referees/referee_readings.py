"""What a referee reads off real, generated and reconstructed images."""

from collections.abc import Callable

import torch
from torch import Tensor

from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.referees.confusion import Confusion
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.model import IcGANNetworks, draw_noise
from icgan_sdk.training.rows import chunks


def read_real(referee: Referee, dataset: PreparedDataset) -> Confusion:
    """What a referee reads off real images, against their labels: the upper bound of a model.

    Args:
        referee: In eval mode.
        dataset: One partition, not empty.
    """
    return _read(referee, dataset.all_labels(), dataset.images)


def read_generated(
    referee: Referee, networks: IcGANNetworks, labels: Tensor, generator: torch.Generator
) -> Confusion:
    """What a referee reads off G(z, y), against y: Table 3.

    Args:
        referee: In eval mode.
        networks: In eval mode, on the referee's device.
        labels: y [N, n_y], −1 or 1. The paper's are those of the test set.
        generator: Draws z from the model's noise, on the CPU.
    """
    referee.check_fits(networks.config)
    z, device = draw_noise(len(labels), networks.config, generator), referee.device
    return _read(
        referee, labels, lambda at: networks.decode(z[at].to(device), labels[at].to(device))
    )


def read_reconstructed(
    referee: Referee, networks: IcGANNetworks, dataset: PreparedDataset
) -> Confusion:
    """What a referee reads off reconstructions G(E_z(x), E_y(x)), against the labels of x.

    Args:
        referee: In eval mode.
        networks: In eval mode, on the referee's device.
        dataset: One partition, not empty.
    """
    referee.check_fits(networks.config)
    return _read(
        referee,
        dataset.all_labels(),
        lambda at: networks.decode(*networks.encode(dataset.images(at).to(referee.device))),
    )


@torch.no_grad()
def _read(referee: Referee, labels: Tensor, images: Callable[[slice], Tensor]) -> Confusion:
    found = [
        referee.present(images(at).to(referee.device)).cpu()
        for at in chunks(len(labels), referee.image_size)
    ]
    return Confusion.count(torch.cat(found), labels > 0, referee.attributes.names)
