"""Whether reconstructions stay recognisable."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.measuring import measure_alone
from icgan_sdk.evaluation.metrics.metric import Metric
from icgan_sdk.evaluation.metrics.seeing import RealBatch, RealPictures
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.evaluation.report.markdown import Line, Section, percent, table
from icgan_sdk.model import IcGANNetworks

MEANING = """\
*Found*: share of reconstructions whose original is the nearest of so many, by the referee's
features: rank-1 identification (Phillips et al. 2000, "The FERET Evaluation Methodology")."""


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


class IdentificationMetric(Metric[Identification]):
    """Seek the original of every reconstruction, by the cosine of the referee's features.

    This is rank-1 identification as in face recognition (Phillips et al. 2000, "The FERET
    Evaluation Methodology"), in consecutive galleries. Pictures that don't fill the last gallery
    are left out.

    Args:
        bench: The model, the data, the referees.
        gallery: Originals to choose from; all pictures where there are fewer.
        limit: Only the first so many pictures are used.
    """

    name = "identification"

    def __init__(self, bench: Bench, *, gallery: int = 100, limit: int = 1000) -> None:
        super().__init__(bench)
        self.limit = limit
        self._gallery = gallery
        self._originals: list[Tensor] = []
        self._rebuilt: list[Tensor] = []

    def see_real(self, batch: RealBatch) -> None:
        """Keep the features of the pictures and of their reconstructions."""
        if self.wants(batch):
            self._originals.append(batch.real.read("residual").features)
            self._rebuilt.append(batch.refined.read("residual").features)

    def figures(self) -> Identification:
        """Compare all with all of their gallery."""
        seen = sum(map(len, self._originals))
        gallery = min(self._gallery, seen)
        count = seen - seen % gallery
        queries, originals = (
            F.normalize(torch.cat(features)[:count], dim=1).view(count // gallery, gallery, -1)
            for features in (self._rebuilt, self._originals)
        )
        found = (queries @ originals.mT).argmax(2)
        right = float((found == torch.arange(gallery)).double().mean())
        return Identification(right, count, gallery)

    @classmethod
    def summary(cls, figures: Identification, config: ModelConfig) -> list[Line]:
        """The share, and what chance would give."""
        name = f"Reconstructions recognised among {figures.gallery}"
        chance = f"chance: {percent(1 / figures.gallery)}"
        return [Line(name, percent(figures.right), chance)]

    @classmethod
    def section(
        cls, figures: Identification, config: ModelConfig, files: Mapping[str, str]
    ) -> Section:
        """A table of one line."""
        row = (
            f"found among {figures.gallery}",
            f"{figures.queries:,} real",
            percent(figures.right),
        )
        rows = [row]
        blocks = [table(("Figure", "Images", "Value"), rows), MEANING]
        return Section("Encoders and reconstructions", blocks)


def measure_identification(
    networks: IcGANNetworks,
    dataset: PreparedDataset,
    referee: Referee,
    *,
    gallery: int = 100,
    limit: int = 1000,
    refine: int = 0,
) -> Identification:
    """`IdentificationMetric` alone.

    Args:
        networks: In eval mode.
        dataset: One partition, not empty.
        referee: In eval mode, of the same attributes.
        gallery: Originals to choose from; all pictures where there are fewer.
        limit: Only the first so many pictures are used.
        refine: Optimisation steps on z, as in `icgan_sdk.IcGAN.edit`.
    """
    bench = Bench(networks, RealPictures(dataset, {"residual": referee}), refine=refine)
    return measure_alone(IdentificationMetric(bench, gallery=gallery, limit=limit))
