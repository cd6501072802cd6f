"""The pictures of a two-sample test, as files would hold them."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.two_sample import (
    Apart,
    Classifier,
    Pixels,
    Roles,
    apart,
    draw_roles,
    score,
    train_classifier,
)
from icgan_sdk.model.devices import device_of
from icgan_sdk.pictures.arrays import strip_padding, tensor_to_pixels
from icgan_sdk.training.rows import chunks


class Pool:
    """Pictures that a model made, in the order in which they came."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._pixels: list[Pixels] = []

    def add(self, images: Tensor) -> None:
        """Take pictures [B, C, S, S] in [-1, 1], of G's side or of the data's."""
        if len(images):
            self._pixels.append(_pixels(self._bench, images))

    def all(self) -> Pixels:
        """All pictures, without padding."""
        return np.concatenate(self._pixels)


def real_pixels(bench: Bench, rows: Tensor, side: int) -> Pixels:
    """Real pictures as large as those that they are compared with.

    Args:
        bench: Has the data.
        rows: Their rows.
        side: Of the others, without padding. Larger real pictures are scaled down to it.
    """
    small = bench.networks.config
    found = []
    for at in chunks(len(rows), bench.config.image_size):
        images = bench.pictures.dataset.images(rows[at])
        if side != bench.config.picture_size:
            images = adaptive_avg_pool2d(images, small.image_size)
        found.append(_pixels(bench, images))
    return np.concatenate(found)


def _pixels(bench: Bench, images: Tensor) -> Pixels:
    is_small = images.shape[-1] == bench.networks.config.image_size
    return tensor_to_pixels(
        strip_padding(images, bench.networks.config if is_small else bench.config)
    )


def roles_for(bench: Bench, rows: int, draws: torch.Generator) -> Roles:
    """As `draw_roles`, of the first rows of a bench's partition."""
    return draw_roles(min(rows, len(bench.pictures)), bench.config.picture_size, draws)


def learn(bench: Bench, made: Pixels, rows: Tensor, draws: torch.Generator) -> Classifier:
    """A classifier that tells a model's pictures from the real ones of some rows."""
    real = real_pixels(bench, rows[: len(made)], made.shape[1])
    return train_classifier(made, real, draws, device_of(bench.networks), flip=flips(bench))


def tell_apart(
    bench: Bench, roles: Roles, made: Pixels, held: Pixels, draws: torch.Generator
) -> Apart | None:
    """How well pictures of a model are told from real ones.

    Args:
        bench: Has the data.
        roles: Of the real pictures.
        made: What a classifier learns from.
        held: What it is then tried on.
        draws: Of the training.
    """
    classifier, flip = learn(bench, made, roles.real, draws), flips(bench)
    real = real_pixels(bench, roles.real_held, made.shape[1])
    return apart(score(classifier, held, flip=flip), score(classifier, real, flip=flip))


def flips(bench: Bench) -> bool:
    """Whether pictures may be mirrored. Digits may not."""
    return not bench.config.attributes.one_hot
