"""Whether a model's images are its own rather than copies of the training images."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import LabelSampler, PreparedDataset
from icgan_sdk.editing.latents import Latent
from icgan_sdk.evaluation.metrics.bench import Bench, given
from icgan_sdk.evaluation.metrics.measuring import measure_alone
from icgan_sdk.evaluation.metrics.metric import Metric
from icgan_sdk.evaluation.metrics.seeing import RealBatch, RealPictures
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.evaluation.referees.training_features import kept_features
from icgan_sdk.evaluation.report.markdown import Line, Section, number, table
from icgan_sdk.model import IcGANNetworks, draw_noise
from icgan_sdk.pictures.arrays import to_pictures
from icgan_sdk.pictures.grids import grid, titled
from icgan_sdk.training.rows import chunks

PORTION = 4096
"""Training images that are sought among at once."""

MEANING = """\
*Nearest training image*: median of 1 − cosine of the referee's features, of generated and of
unseen real images ([Meehan et al. 2020](https://arxiv.org/abs/2004.05675)). A ratio near 0 shows
copying."""


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
    """Images and the training images nearest to them.

    Attributes:
        images: [N, C, S, S] in [-1, 1].
        rows: Rows of the training images, nearest first, int64 [N, k].
    """

    images: Tensor
    rows: Tensor


class MemorisationMetric(Metric[Memorisation]):
    """Seek the nearest training images of generated and of held-out real images.

    Args:
        bench: The model, the training partition, and real pictures that neither the model nor the
            referee was trained on.
        limit: How many images to generate, and how many of the real ones to use, at most.
        shown: Generated images that `neighbours` has.
        nearest: Training images for each of them.
    """

    name = "memorisation"
    captions: ClassVar[Mapping[str, tuple[str, str]]] = {
        "neighbours": (
            "Nearest training images",
            "Generated images, and the training images nearest by the referee's features.",
        )
    }

    def __init__(self, bench: Bench, *, limit: int = 500, shown: int = 8, nearest: int = 5) -> None:
        super().__init__(bench)
        self._left, self._shown, self._nearest = limit, shown, nearest
        self._held_out: list[Tensor] = []
        self.neighbours: Neighbours | None = None

    def see_real(self, batch: RealBatch) -> None:
        """Keep the referee's features."""
        if self._left:
            self._held_out.append(batch.real.read("residual").features[: self._left])
            self._left -= len(self._held_out[-1])

    def figures(self) -> Memorisation:
        """Pass the training images through the referee, and seek among them."""
        networks, train, draws = self.bench.networks, self._train(), self.bench.draws(self.name)
        held_out = torch.cat(self._held_out)
        count = len(held_out)
        y = LabelSampler(train.all_labels(), train.attributes).sample(count, draws)
        z = draw_noise(count, networks.config, draws)
        slices = chunks(count, self.bench.config.image_size)
        batches = (self.bench.decode(Latent(z[at], y[at])) for at in slices)
        queries = torch.cat([*map(self._features, batches), held_out])
        known = kept_features(
            self.bench.kept, self.bench.pictures.referees["residual"], train, self._features
        )
        distances, rows = nearest_features(queries, torch.split(known, PORTION), self._nearest)
        generated, real = (float(d.double().median()) for d in torch.split(distances[:, 0], count))
        shown = min(self._shown, count)  # after the generated ones come the real ones
        samples = self.bench.decode(Latent(z[:shown], y[:shown]))
        self.neighbours = Neighbours(samples, rows[:shown])
        ratio = generated / real if real > 0 else None
        return Memorisation(count, len(train), generated, real, ratio)

    def pictures(self) -> dict[str, Image.Image]:
        """The generated images with their neighbours."""
        if self.neighbours is None:
            return {}
        sheet = neighbours_picture(self.neighbours, self._train(), self.bench.config)
        return {"neighbours": sheet}

    def _train(self) -> PreparedDataset:
        if self.bench.train is None:
            raise ValueError("this metric needs the training partition")
        return self.bench.train

    def _features(self, images: Tensor) -> Tensor:
        referee = self.bench.pictures.referees["residual"]
        return referee.features(images.to(referee.device)).cpu()

    @classmethod
    def summary(cls, figures: Memorisation, config: ModelConfig) -> list[Line]:
        """The ratio."""
        line = Line("Distance to training images", number(figures.ratio), "real: 1; copies: 0")
        return [line]

    @classmethod
    def section(
        cls, figures: Memorisation, config: ModelConfig, files: Mapping[str, str]
    ) -> Section:
        """A table of the distances."""
        m = figures
        name = "Distance to the nearest training image"
        rows = [(name, number(m.generated), number(m.real))]
        text = (
            f"Nearest of {m.training_images:,} training images to {m.images:,} images, ratio "
            f"{number(m.ratio)}. {MEANING}"
        )
        blocks = [table(("Figure", "Generated", "Real"), rows), text]
        return Section("Diversity and memorisation", blocks)


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
    """`MemorisationMetric` alone.

    Args:
        networks: In eval mode.
        train: The training partition; passed through the referee once.
        held_out: A partition that neither the model nor the referee was trained on, not empty.
        referee: In eval mode, of the same attributes.
        generator: For labels (of `train`) and z; on the CPU.
        images: How many to generate, at most. As many of the held-out ones are used.
        shown: So many generated images come back, with their neighbours.
        nearest: Training images for each.
    """
    pictures = RealPictures(held_out, {"residual": referee})
    bench = Bench(networks, pictures, given(generator), train=train)
    metric = MemorisationMetric(bench, limit=images, shown=shown, nearest=nearest)
    figures = measure_alone(metric)
    assert metric.neighbours is not None  # measuring found them
    return figures, metric.neighbours


def neighbours_picture(
    neighbours: Neighbours, train: PreparedDataset, config: ModelConfig
) -> Image.Image:
    """A row for each generated image: the image, and the training images nearest to it.

    Args:
        neighbours: The images and what was found.
        train: The training partition.
        config: Of the model.
    """
    sheet = [
        to_pictures(torch.cat([image[None], train.images(rows)]), config)
        for image, rows in zip(neighbours.images, neighbours.rows, strict=True)
    ]
    places = [f"Nearest {place}" for place in range(1, neighbours.rows.shape[1] + 1)]
    return titled(grid(sheet), ("Generated", *places))


def nearest_features(queries: Tensor, known: Iterable[Tensor], count: int) -> tuple[Tensor, Tensor]:
    """Seek the nearest of many feature vectors, by 1 − cosine.

    Args:
        queries: [N, F].
        known: Batches [B, F] of the vectors to seek among. One batch is held at a time.
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
