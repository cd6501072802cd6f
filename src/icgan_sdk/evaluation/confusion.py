"""The paper's Table 3: what a referee reads off images against the labels they should show."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ShapeError
from icgan_sdk.evaluation.passes import device_of, real_images
from icgan_sdk.evaluation.referee import Referee
from icgan_sdk.model import IcGANNetworks, draw_noise
from icgan_sdk.training.rows import chunks


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts of images by what was found and what is true, an attribute an entry.

    Attributes:
        names: The attributes.
        tp: Found and true, int64 [n_y].
        fp: Found but not true, int64 [n_y].
        fn: True but not found, int64 [n_y].
        tn: Neither, int64 [n_y].
    """

    names: tuple[str, ...]
    tp: Tensor
    fp: Tensor
    fn: Tensor
    tn: Tensor

    @classmethod
    def count(cls, found: Tensor, truth: Tensor, names: tuple[str, ...]) -> "Confusion":
        """Count images.

        Args:
            found: Bool [N, n_y].
            truth: Bool [N, n_y].
            names: The n_y attributes.

        Raises:
            ShapeError: If the shapes differ, or there is no image.
        """
        if found.shape != truth.shape or truth.shape[1:] != (len(names),) or not len(truth):
            raise ShapeError(
                f"expected two tensors [N, {len(names)}] with N from 1, not {list(found.shape)} "
                f"and {list(truth.shape)}"
            )
        return cls(
            names,
            tp=(found & truth).sum(0),
            fp=(found & ~truth).sum(0),
            fn=(~found & truth).sum(0),
            tn=(~found & ~truth).sum(0),
        )

    @property
    def images(self) -> int:
        """How many images were counted."""
        return int(self.tp[0] + self.fp[0] + self.fn[0] + self.tn[0])

    @property
    def accuracy(self) -> Tensor:
        """Share of images read right, (tp + tn) / N in 0…1: float64 [n_y]."""
        return (self.tp + self.tn).double() / self.images

    @property
    def f1(self) -> Tensor:
        """Harmonic mean of precision and recall, 2·tp / (2·tp + fp + fn) in 0…1: float64 [n_y].

        0 where that is 0/0. The original's script computes 2·P·R / (P + R) from precision P and
        recall R, which is NaN (and so its printed mean) as soon as one attribute is never found
        right. The paper doesn't say how it averaged; its Table 3 has numbers throughout, down to
        4.03 %, so that counting such attributes as 0 is inferred.
        """
        return self.plain_f1.nan_to_num(0.0)

    @property
    def plain_f1(self) -> Tensor:
        """`f1`, but NaN where it is 0/0: an attribute neither found nor true in any image."""
        return 2 * self.tp.double() / (2 * self.tp + self.fp + self.fn)

    @property
    def mean_accuracy(self) -> float:
        """Mean of `accuracy` over the attributes, as Table 3's first column."""
        return float(self.accuracy.mean())

    @property
    def mean_f1(self) -> float:
        """Mean of `f1` over all attributes, as Table 3's second column."""
        return float(self.f1.mean())

    @property
    def mean_plain_f1(self) -> float:
        """Mean of `plain_f1` over the attributes that have one; NaN if none has."""
        return float(self.plain_f1.nanmean())

    @property
    def class_accuracy(self) -> float:
        """Share of images whose class was read right; of one-hot attributes only.

        There an image is read right where its one found class is its true one.
        """
        return float(self.tp.sum()) / self.images


def read_real(referee: Referee, dataset: PreparedDataset) -> Confusion:
    """What a referee reads off real images, against their labels: the upper bound of the others.

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
        labels: y [N, n_y], −1 or 1; the paper's are those of the test set.
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


@torch.inference_mode()
def read_by_encoder(networks: IcGANNetworks, dataset: PreparedDataset) -> Confusion:
    """What E_y itself reads off real images, thresholded at 0; of classes its largest y.

    Args:
        networks: In eval mode.
        dataset: One partition, not empty.
    """
    device, images = device_of(networks), real_images(dataset, len(dataset))
    y = torch.cat([networks.read_y(x.to(device)).cpu() for x in images])
    found = F.one_hot(y.argmax(1), y.shape[1]).bool() if dataset.attributes.one_hot else y > 0
    return Confusion.count(found, dataset.all_labels() > 0, dataset.attributes.names)


@torch.no_grad()
def _read(referee: Referee, labels: Tensor, images: Callable[[slice], Tensor]) -> Confusion:
    found = [
        referee.present(images(at).to(referee.device)).cpu()
        for at in chunks(len(labels), referee.image_size)
    ]
    return Confusion.count(torch.cat(found), labels > 0, referee.attributes.names)
