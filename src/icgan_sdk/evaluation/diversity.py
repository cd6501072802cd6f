"""Whether a model's images vary, and are its own rather than copies of the training images."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from icgan_sdk.data import LabelSampler, PreparedDataset
from icgan_sdk.engines.batches import Latent, decode
from icgan_sdk.evaluation.distances import perceptual_distance
from icgan_sdk.evaluation.passes import (
    device_of,
    features_of,
    generated_images,
    real_images,
)
from icgan_sdk.evaluation.referee import Referee
from icgan_sdk.model import IcGANNetworks, draw_noise
from icgan_sdk.pictures.arrays import strip_padding


@dataclass(frozen=True)
class Diversity:
    """How far apart images with the same labels are, on average over pairs and label vectors.

    Mean pairwise perceptual distances measure diversity as in Zhu et al. 2017, "Toward Multimodal
    Image-to-Image Translation" (arXiv 1711.11586). Collapse shows as generated images that
    are nearer to each other than real ones; real images may differ in what y can't say and z
    doesn't hold, and generated ones rarely differ more.

    Attributes:
        label_vectors: How many were compared; 0 if no two real images share one, and then no
            distance is known.
        samples: Generated images of each, and at most so many real ones.
        generated: Mean `perceptual_distance` of two generated images.
        real: The same of two real images.
        generated_pixels: Mean root-mean-square difference of two generated images' pixels, without
            padding, in [0, 1].
        real_pixels: The same of two real images.
    """

    label_vectors: int
    samples: int
    generated: float | None
    real: float | None
    generated_pixels: float | None
    real_pixels: float | None


@torch.inference_mode()
def measure_diversity(
    networks: IcGANNetworks,
    dataset: PreparedDataset,
    referee: Referee,
    generator: torch.Generator,
    *,
    label_vectors: int = 50,
    samples: int = 8,
) -> Diversity:
    """Compare images that share their labels: generated ones, and real ones.

    Label vectors are drawn from those that at least two images of the partition carry, in
    proportion to how many do, each once.

    Args:
        networks: In eval mode.
        dataset: One partition.
        referee: In eval mode, of the same attributes.
        generator: For label vectors and z; on the CPU.
        label_vectors: How many to compare, at most.
        samples: Images of each, at least 2.
    """
    referee.check_fits(networks.config)
    shared = _shared_labels(dataset, generator)[:label_vectors]
    figures = []
    for rows in shared:
        y = dataset.labels(rows[:1]).expand(samples, -1)
        z = draw_noise(samples, networks.config, generator)
        generated = decode(networks, Latent(z, y), device_of(networks))
        real = dataset.images(rows[:samples])
        figures.append(
            [*_pairwise(generated, referee, networks), *_pairwise(real, referee, networks)]
        )
    if not figures:
        return Diversity(0, samples, None, None, None, None)
    generated_, generated_pixels, real_, real_pixels = (
        torch.tensor(figures, dtype=torch.float64).mean(0).tolist()
    )
    return Diversity(len(shared), samples, generated_, real_, generated_pixels, real_pixels)


def _shared_labels(dataset: PreparedDataset, generator: torch.Generator) -> list[Tensor]:
    """The rows of each label vector that several images carry, in random order."""
    order = torch.randperm(len(dataset), generator=generator)
    rows: dict[tuple[float, ...], list[int]] = {}
    for row, y in zip(order.tolist(), dataset.labels(order).tolist(), strict=True):
        rows.setdefault(tuple(y), []).append(row)
    return [torch.tensor(r) for r in rows.values() if len(r) > 1]


def _pairwise(images: Tensor, referee: Referee, networks: IcGANNetworks) -> tuple[float, float]:
    """Mean perceptual and pixel distance of all pairs of images [B, C, S, S]."""
    maps = referee.maps(images.to(referee.device))
    pixels = strip_padding(images, networks.config) / 2
    perceptual, plain = [], []
    for i in range(1, len(images)):
        perceptual.append(perceptual_distance([m[:i] for m in maps], [m[i : i + 1] for m in maps]))
        plain.append((pixels[:i] - pixels[i]).square().mean((1, 2, 3)).sqrt())
    return float(torch.cat(perceptual).mean()), float(torch.cat(plain).mean())


@dataclass(frozen=True)
class Memorisation:
    """Whether generated images lie nearer to the training images than unseen real ones do.

    As Meehan et al. 2020, "A Non-Parametric Test to Detect Data-Copying in Generative Models"
    (arXiv 2004.05675), compare them. Distances are 1 − cosine of the referee's features, 0 to 1.

    Attributes:
        images: Generated images, and as many held-out real ones.
        training_images: How many they were compared with.
        generated: Median distance of generated images to their nearest training image.
        real: The same of the held-out real images.
        ratio: `generated` / `real`: about 1 or above without copying, near 0 for copies. None
            where held-out images are copies of training images themselves.
    """

    images: int
    training_images: int
    generated: float
    real: float
    ratio: float | None


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Images and what comes nearest to them.

    Attributes:
        images: [N, C, S, S] in [-1, 1].
        rows: Rows of the training images, nearest first, int64 [N, k].
    """

    images: Tensor
    rows: Tensor


def measure_memorisation(
    networks: IcGANNetworks,
    train: PreparedDataset,
    held_out: PreparedDataset,
    referee: Referee,
    generator: torch.Generator,
    *,
    images: int = 500,
    shown: int = 8,
    nearest: int = 5,
) -> tuple[Memorisation, Neighbours]:
    """Seek the nearest training images of generated and of held-out real images.

    Args:
        networks: In eval mode.
        train: The training partition; passed through the referee once.
        held_out: A partition that neither the model nor the referee was trained on, not empty.
        referee: In eval mode, of the same attributes.
        generator: For labels (of `train`) and z; on the CPU.
        images: How many to generate; of the held-out ones the first so many.
        shown: So many generated images come back, with their neighbours.
        nearest: Training images for each.
    """
    referee.check_fits(networks.config)
    count = min(images, len(held_out))
    y = LabelSampler(train.all_labels(), train.attributes).sample(count, generator)
    z = draw_noise(count, networks.config, generator)
    queries = torch.cat(
        [
            features_of(referee, generated_images(networks, z, y)),
            features_of(referee, real_images(held_out, count)),
        ]
    )
    known = (features_of(referee, [x]) for x in real_images(train, len(train)))
    distances, rows = nearest_features(queries, known, nearest)
    generated, real = (float(d.double().median()) for d in torch.split(distances[:, 0], count))
    ratio = generated / real if real > 0 else None
    shown = min(shown, count)  # then come the rows of the real ones
    samples = decode(networks, Latent(z[:shown], y[:shown]), device_of(networks))
    return (
        Memorisation(count, len(train), generated, real, ratio),
        Neighbours(samples, rows[:shown]),
    )


def nearest_features(queries: Tensor, known: Iterable[Tensor], count: int) -> tuple[Tensor, Tensor]:
    """The nearest of many feature vectors, by 1 − cosine.

    Args:
        queries: [N, F].
        known: Batches [B, F] of them; only one is held at a time.
        count: How many for each query; all where there are fewer.

    Returns:
        Distances and row numbers over all batches, nearest first, [N, count] each.
    """
    queries = F.normalize(queries, dim=1)
    best = queries.new_empty(len(queries), 0)
    rows = torch.empty(len(queries), 0, dtype=torch.int64)
    start = 0
    for features in known:
        distances = 1 - queries @ F.normalize(features, dim=1).T
        numbers = torch.arange(start, start + len(features)).expand(len(queries), -1)
        start += len(features)
        best, rows = torch.cat([best, distances], dim=1), torch.cat([rows, numbers], dim=1)
        best, order = best.sort(dim=1, stable=True)
        best, rows = best[:, :count], rows.gather(1, order)[:, :count]
    return best.clamp_min(0.0), rows
