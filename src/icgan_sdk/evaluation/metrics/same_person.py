"""Whether a face-recognition network takes reconstructed and edited faces for the same person."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from icgan_sdk.celeba import CELEBA
from icgan_sdk.config import ModelConfig
from icgan_sdk.editing.latents import Latent, with_presences
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.making_edits import (
    MEN_ONLY,
    editable,
    edited,
    edits_of,
    inverted,
)
from icgan_sdk.evaluation.metrics.metric import NO_REFEREE, Metric
from icgan_sdk.evaluation.metrics.seeing import RealBatch, enlarge
from icgan_sdk.evaluation.report.markdown import NONE, Line, Section, number, percent, table
from icgan_sdk.model.devices import device_of
from icgan_sdk.model.face_recognition import SAME_PERSON

MEANING = f"""\
*Same person*: share of pictures whose face lies nearer than {SAME_PERSON} to the original's, by the
vectors of [dlib's face-recognition network](http://blog.dlib.net/2017/02/high-quality-face-recognition-with-deep.html);
below that distance its author takes two faces for one person's. *Distance*: the median. Of each
picture one edit is judged, drawn at random from all but *Male*. With `--refine`, and of models
trained with `joint.identity_weight`, pictures were made to please the same network: the figure
flatters what is drawn anew then. *Found among* is told by another."""


@dataclass(frozen=True)
class Recognition:
    """How near faces are to their originals.

    Attributes:
        pictures: How many were compared.
        same: Share that is taken for the same person.
        distance: Median distance of the vectors; 0 for equal faces.
    """

    pictures: int
    same: float
    distance: float


@dataclass(frozen=True)
class SamePerson:
    """Whether people stay who they are.

    Attributes:
        reconstructed: Of reconstructions; None of models that know no aligned colour faces.
        edited: Of edits, made as the bench says; None likewise, or where no edit makes sense.
    """

    reconstructed: Recognition | None
    edited: Recognition | None


class SamePersonMetric(Metric[SamePerson]):
    """Compare reconstructions and edits with their originals by a face-recognition network.

    Args:
        bench: The model and the data.
        limit: Only the first so many pictures are used.
    """

    name = "same_person"
    round = NO_REFEREE

    def __init__(self, bench: Bench, *, limit: int = 1000) -> None:
        super().__init__(bench)
        self.limit = limit
        self._draws = bench.draws(self.name)
        attributes = bench.config.attributes
        self._edits = [edit for edit in edits_of(attributes) if edit[0] not in CELEBA.other_person]
        self._rebuilt: list[Tensor] = []
        self._edited: list[Tensor] = []

    def see_real(self, batch: RealBatch) -> None:
        """Compare a batch's reconstructions, and one edit of each picture."""
        if self.bench.faces is None or not self.wants(batch):
            return
        originals = self._vectors(batch.real.images)
        self._rebuilt.append((self._vectors(batch.refined.images) - originals).norm(dim=1))
        rows, y_new = self._drawn_edits(batch)
        if not len(rows):
            return
        images = edited(self.bench.networks, self.bench.detail, inverted(batch).at(rows), y_new)
        images = enlarge(images, self.bench.config.image_size)
        self._edited.append((self._vectors(images) - originals[rows]).norm(dim=1))

    def figures(self) -> SamePerson:
        """Shares and medians."""
        return SamePerson(_recognition(self._rebuilt), _recognition(self._edited))

    def _vectors(self, images: Tensor) -> Tensor:
        """Vectors of faces [B, 128] on the CPU."""
        assert self.bench.faces is not None  # see `see_real`
        vectors: Tensor = self.bench.faces(images.to(device_of(self.bench.networks)))
        return vectors.cpu()

    def _drawn_edits(self, batch: RealBatch) -> tuple[Tensor, Tensor]:
        """Rows of a batch, and y after one edit of each that makes sense for it."""
        attributes, latent = self.bench.config.attributes, batch.refined_latent
        if not self._edits:
            return torch.empty(0, dtype=torch.int64), latent.y[:0]
        possible = torch.stack(
            [editable(batch.labels, attributes, edit, MEN_ONLY) for edit in self._edits], dim=1
        )
        rows = possible.any(1).nonzero()[:, 0]
        changed = [latent.y[:0]]
        for row in rows.tolist():
            chances = possible[row].double()
            choice = int(torch.multinomial(chances, 1, generator=self._draws))
            name, adding = self._edits[choice]
            one = Latent(latent.z[row : row + 1], latent.y[row : row + 1])
            changed.append(with_presences(one, attributes, {name: float(adding)}).y)
        return rows, torch.cat(changed)

    @classmethod
    def summary(cls, figures: SamePerson, config: ModelConfig) -> list[Line]:
        """Both shares; none of models that know no aligned colour faces."""
        if figures.reconstructed is None:
            return []
        kinds = {"Reconstructions": figures.reconstructed, "Edits": figures.edited}
        return [
            Line(f"{kind} that stay the same person", _share(found), "best: 100 %")
            for kind, found in kinds.items()
        ]

    @classmethod
    def section(
        cls, figures: SamePerson, config: ModelConfig, files: Mapping[str, str]
    ) -> Section | None:
        """A table of both; None of models that know no aligned colour faces."""
        kinds = {"reconstructions": figures.reconstructed, "edits": figures.edited}
        rows = [
            (kind, f"{found.pictures:,}", percent(found.same), number(found.distance))
            for kind, found in kinds.items()
            if found is not None
        ]
        if not rows:
            return None
        head = ("Pictures", "Compared", "Same person", "Distance")
        return Section("The same person", [table(head, rows), MEANING])


def _recognition(distances: list[Tensor]) -> Recognition | None:
    if not distances:
        return None
    all_of_them = torch.cat(distances)
    same = float((all_of_them < SAME_PERSON).double().mean())
    return Recognition(len(all_of_them), same, float(all_of_them.median()))


def _share(found: Recognition | None) -> str:
    return NONE if found is None else percent(found.same)
