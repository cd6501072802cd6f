"""Whether a model's images of the same labels vary as real ones do."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.editing.latents import Latent
from icgan_sdk.evaluation.metrics.bench import Bench, given
from icgan_sdk.evaluation.metrics.measuring import measure_alone
from icgan_sdk.evaluation.metrics.metric import Metric
from icgan_sdk.evaluation.metrics.perceptual_distance import perceptual_distance
from icgan_sdk.evaluation.metrics.seeing import RealPictures
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.evaluation.report.markdown import Line, Section, number, table
from icgan_sdk.model import IcGANNetworks, draw_noise
from icgan_sdk.pictures.arrays import strip_padding

MEANING = """\
*Diversity*: mean distance between images of the same labels
([Zhu et al. 2017](https://arxiv.org/abs/1711.11586)). Generated images far nearer to each other
than real ones show collapse. *Pixels*: root mean square difference, pixels in [0, 1]."""


@dataclass(frozen=True)
class Diversity:
    """How far apart images with the same labels are, on average over pairs and label vectors.

    Mean pairwise perceptual distances measure diversity as in Zhu et al. 2017, "Toward Multimodal
    Image-to-Image Translation" (arXiv 1711.11586). After a collapse, generated images are nearer to
    each other than real ones. Generated ones rarely differ more than real ones, which also differ
    in what neither y nor z holds.

    Attributes:
        label_vectors: How many were compared. 0 if no two real images share one; then there is no
            distance.
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


class DiversityMetric(Metric[Diversity]):
    """Compare images that share their labels: generated ones, and real ones.

    Label vectors are drawn from those that at least two images of the partition carry, each once.
    The more images carry one, the likelier it is drawn.

    Args:
        bench: The model, the data, the referees.
        label_vectors: How many to compare, at most.
        samples: Images of each, at least 2.
    """

    name = "diversity"

    def __init__(self, bench: Bench, *, label_vectors: int = 50, samples: int = 8) -> None:
        super().__init__(bench)
        self._samples, self._draws = samples, bench.draws(self.name)
        groups = _shared_labels(bench.pictures.dataset, self._draws)[:label_vectors]
        self._groups = [rows[:samples] for rows in groups]

    def figures(self) -> Diversity:
        """Generate images of the same labels, and compare."""
        found = [self._compare(rows) for rows in self._groups]
        if not found:
            return Diversity(0, self._samples, None, None, None, None)
        generated, generated_pixels, real, real_pixels = (
            torch.tensor(found, dtype=torch.float64).mean(0).tolist()
        )
        return Diversity(len(found), self._samples, generated, real, generated_pixels, real_pixels)

    def _compare(self, rows: Tensor) -> list[float]:
        """Distances of generated images in maps and pixels, and of real ones."""
        networks, dataset = self.bench.networks, self.bench.pictures.dataset
        y = dataset.labels(rows[:1]).expand(self._samples, -1)
        z = draw_noise(self._samples, networks.config, self._draws)
        return [
            *self._distances(self.bench.decode(Latent(z, y))),
            *self._distances(dataset.images(rows)),
        ]

    def _distances(self, images: Tensor) -> tuple[float, float]:
        referee = self.bench.pictures.referees["residual"]
        return _pairwise(images, referee.maps(images.to(referee.device)), self.bench.config)

    @classmethod
    def summary(cls, figures: Diversity, config: ModelConfig) -> list[Line]:
        """The perceptual distance."""
        return [Line("Diversity", number(figures.generated), f"real: {number(figures.real)}")]

    @classmethod
    def section(cls, figures: Diversity, config: ModelConfig, files: Mapping[str, str]) -> Section:
        """A table of both distances."""
        d = figures
        rows = [
            ("Diversity: perceptual distance", number(d.generated), number(d.real)),
            ("Diversity: pixels", number(d.generated_pixels), number(d.real_pixels)),
        ]
        text = f"{d.label_vectors} label vectors, {d.samples} images of each. {MEANING}"
        blocks = [table(("Figure", "Generated", "Real"), rows), text]
        return Section("Diversity and memorisation", blocks)


def measure_diversity(
    networks: IcGANNetworks,
    dataset: PreparedDataset,
    referee: Referee,
    generator: torch.Generator,
    *,
    label_vectors: int = 50,
    samples: int = 8,
) -> Diversity:
    """`DiversityMetric` alone.

    Args:
        networks: In eval mode.
        dataset: One partition.
        referee: In eval mode, of the same attributes.
        generator: For label vectors and z; on the CPU.
        label_vectors: How many to compare, at most.
        samples: Images of each, at least 2.
    """
    bench = Bench(networks, RealPictures(dataset, {"residual": referee}), given(generator))
    return measure_alone(DiversityMetric(bench, label_vectors=label_vectors, samples=samples))


def _shared_labels(dataset: PreparedDataset, generator: torch.Generator) -> list[Tensor]:
    """The rows of each label vector that several images carry, in random order."""
    order = torch.randperm(len(dataset), generator=generator)
    rows: dict[tuple[float, ...], list[int]] = {}
    for row, y in zip(order.tolist(), dataset.labels(order).tolist(), strict=True):
        rows.setdefault(tuple(y), []).append(row)
    return [torch.tensor(r) for r in rows.values() if len(r) > 1]


def _pairwise(images: Tensor, maps: list[Tensor], config: ModelConfig) -> tuple[float, float]:
    """Mean perceptual and pixel distance of all pairs of images [B, C, S, S]."""
    pixels = strip_padding(images, config) / 2
    perceptual, plain = [], []
    for i in range(1, len(images)):
        perceptual.append(perceptual_distance([m[:i] for m in maps], [m[i : i + 1] for m in maps]))
        plain.append((pixels[:i] - pixels[i]).square().mean((1, 2, 3)).sqrt())
    return float(torch.cat(perceptual).mean()), float(torch.cat(plain).mean())
