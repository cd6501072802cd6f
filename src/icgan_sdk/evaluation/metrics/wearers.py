"""How far an edit goes from photos towards real ones that show what was asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import ClassVar

import torch
from PIL import Image
from torch import Tensor

from icgan_sdk.artefacts.quality import Quality
from icgan_sdk.config import ModelConfig
from icgan_sdk.editing.latents import Latent, with_presences
from icgan_sdk.engines.pytorch import decode, encode
from icgan_sdk.errors import ConfigError
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.making_edits import (
    MEN_ONLY,
    Edit,
    Inverted,
    editable,
    edited,
    edits_of,
)
from icgan_sdk.evaluation.metrics.metric import NO_REFEREE, Metric
from icgan_sdk.evaluation.metrics.paired_samples import chance, matched, probe, squared_distance
from icgan_sdk.evaluation.metrics.seeing import enlarge
from icgan_sdk.evaluation.report.markdown import NONE, Line, Section, number, table
from icgan_sdk.model.devices import device_of
from icgan_sdk.model.image_features import REMEDY, ImageFeatures
from icgan_sdk.pictures.arrays import to_pictures
from icgan_sdk.pictures.grids import grid, titled

MOST, FEWEST = 80, 20
"""Photos that each edit is judged by, and below how many no figure is given."""

CLEAR = 3.0
"""Standard deviations of chance that photos must be away from real ones that show what is asked
for: a share of what chance alone may give says nothing."""

SURELY = 0.96
"""How well a probe must tell edited photos for them not to look real, whatever the way left."""

CHUNK = 64

PERSON_WEIGHT = 4.0
"""How much it counts against a real photo that it shows another kind of person; else 1."""

SHOWN = 6
"""Photos of each edit in the report."""

MEANING = f"""\
*Way left*: the squared kernel distance (MMD, unbiased, with the cubic kernel of
[Bińkowski et al. 2018](https://arxiv.org/abs/1801.01401)) between edited photos and real ones that
show what was asked for, as a share of the same distance from the photos as they were: 0 is like
real ones, 1 no nearer than doing nothing. Each photo has a real one of its own, of the same kind of
person and as alike in all other labels as possible; else the figure would tell of who wears hats.
So those are edited who are like people that show it. No figure is given from fewer than {FEWEST}
photos, or where photos lie no farther from the real ones than chance may put them.
Features are those of EfficientNet-Lite1, which learnt ImageNet and which no training here uses; up
to {MOST} photos each. *Told apart*: how well a linear probe on the same features tells edited from
real ones (area under the ROC curve, two folds; 0.5: it can't)."""


@dataclass(frozen=True)
class WayLeft:
    """What `WearersMetric` found; empty if the extra `features` isn't installed.

    Attributes:
        adding: Share of the way left, by attribute, where it is put on; None: too few photos.
        taking_away: The same where it is taken off.
        told_adding: How well a linear probe tells edited photos from real ones, 0.5 to 1.
        told_taking_away: The same where it is taken off.
    """

    adding: dict[str, float | None] = field(default_factory=dict)
    taking_away: dict[str, float | None] = field(default_factory=dict)
    told_adding: dict[str, float | None] = field(default_factory=dict)
    told_taking_away: dict[str, float | None] = field(default_factory=dict)

    def quality(self) -> Quality:
        """As a model's folder keeps it: the part of the way that was gone.

        It is 0 for what the probe nearly always tells, however near it came.
        """

        def gone(
            found: Mapping[str, float | None], told: Mapping[str, float | None]
        ) -> dict[str, float]:
            known = {name: left for name, left in found.items() if left is not None}
            return {
                name: 0.0 if (told.get(name) or 0.0) >= SURELY else min(max(1.0 - left, 0.0), 1.0)
                for name, left in known.items()
            }

        return Quality(
            gone(self.adding, self.told_adding), gone(self.taking_away, self.told_taking_away)
        )


class WearersMetric(Metric[WayLeft]):
    """Compare edited photos with real ones that show what was asked for.

    Args:
        bench: The model and the data.
    """

    name = "way_left"
    round = NO_REFEREE
    captions: ClassVar[Mapping[str, tuple[str, str]]] = {
        "wearers": (
            "Edited photos and real ones",
            "Of each attribute a photo, its edit, and the real photo that it is compared with.",
        )
    }

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self._strips: dict[str, list[Tensor]] = {}

    def figures(self) -> WayLeft:
        """Make all edits, and measure."""
        try:
            network = ImageFeatures("lite1").to(device_of(self.bench.networks))
        except ConfigError:
            return WayLeft()
        found = WayLeft()
        with self.bench.clock.part(self.name):
            real = torch.cat([self._look(network, images) for images in self._all_images()])
            mean, deviation = real.mean(0), real.std(0).clamp_min(1e-6)
            for edit in edits_of(self.bench.config.attributes):
                name, adding = edit
                left = found.adding if adding else found.taking_away
                told = found.told_adding if adding else found.told_taking_away
                left[name] = told[name] = None
                rows, others = self._pairs(edit)
                if len(rows) < FEWEST:
                    continue
                images = self._edited(rows, edit)
                painted = (self._look(network, images) - mean) / deviation
                before, wearers = ((real[at] - mean) / deviation for at in (rows, others))
                whole = squared_distance(before, wearers)
                if whole > CLEAR * chance(before, wearers):
                    left[name] = max(squared_distance(painted, wearers), 0.0) / whole
                told[name] = probe(painted, wearers)
                self._keep_strip(edit, rows, images, others)
        return found

    def _all_images(self) -> Iterator[Tensor]:
        data = self.bench.pictures.dataset
        for at in range(0, len(data), CHUNK):
            yield data.images(slice(at, min(at + CHUNK, len(data))))

    @torch.inference_mode()
    def _look(self, network: ImageFeatures, images: Tensor) -> Tensor:
        device = device_of(self.bench.networks)
        parts = [network.pooled(x.to(device)).float().cpu() for x in torch.split(images, CHUNK)]
        return torch.cat(parts)

    def _pairs(self, edit: Edit) -> tuple[Tensor, Tensor]:
        """Rows of photos to edit, and for each that of a real one, which is no other's."""
        data, attributes = self.bench.pictures.dataset, self.bench.config.attributes
        y = data.labels(slice(0, len(data)))
        name, adding = edit
        column = attributes.names.index(name)
        rows = editable(y, attributes, edit).nonzero()[:, 0]
        shown = (y[:, column] > 0) == adding
        if adding and MEN_ONLY.get(name) in attributes.names:
            shown &= y[:, attributes.names.index(MEN_ONLY[name])] > 0
        others = shown.nonzero()[:, 0]
        start = Latent(y[rows][:, :0], y[rows])
        wanted = with_presences(start, attributes, {name: float(adding)}).y
        faces = self.bench.config.faces
        persons = faces.other_person if faces else frozenset()
        weights = torch.tensor([PERSON_WEIGHT if n in persons else 1.0 for n in attributes.names])
        differences = torch.cdist(wanted * weights, y[others] * weights, p=1)
        # The rarer kind looks for its like among the many. The other way round, half of the women
        # who are given grey hair would have to be compared with men.
        if len(others) < len(rows):
            found, at = matched(differences.T, MOST)
        else:
            at, found = matched(differences, MOST)
        return rows[at], others[found]

    def _edited(self, rows: Tensor, edit: Edit) -> Tensor:
        """The photos after the edit, [N, C, S, S]."""
        bench, (name, adding) = self.bench, edit
        networks, device = bench.networks, device_of(bench.networks)
        parts = []
        for at in torch.split(rows, CHUNK):
            images = bench.pictures.dataset.images(at)
            square = enlarge(images, networks.config.photo.image_size)
            latent = Latent(*encode(networks, square, device))
            rebuilt = images
            if bench.detail == "generated" or networks.painter is None:
                rebuilt = decode(networks, latent.z, latent.y, device)
            presences = {name: float(adding)}
            y = with_presences(latent, bench.config.attributes, presences).y
            start = Inverted(images, latent, rebuilt)
            found = edited(networks, bench.detail, start, y)
            parts.append(enlarge(found, bench.config.image_size))
        return torch.cat(parts)

    def _keep_strip(self, edit: Edit, rows: Tensor, images: Tensor, others: Tensor) -> None:
        data, (name, adding) = self.bench.pictures.dataset, edit
        shown = slice(0, SHOWN)
        trio = (data.images(rows[shown]), images[shown], data.images(others[shown]))
        self._strips[name if adding else f"not {name}"] = [
            torch.stack(t) for t in zip(*trio, strict=True)
        ]

    def pictures(self) -> dict[str, Image.Image]:
        """For each edit a row of photos, edits and real ones."""
        if not self._strips:
            return {}
        rows = [to_pictures(torch.cat(strip), self.bench.config) for strip in self._strips.values()]
        heads = ["photo", "edited", "real"] * SHOWN
        return {"wearers": titled(grid(rows), heads[: len(rows[0])])}

    @classmethod
    def summary(cls, figures: WayLeft, config: ModelConfig) -> list[Line]:
        """The median and the worst of both directions."""
        return [
            Line(f"Way left to real photos, {what}", f"{median(known):.2f}; {max(known):.2f}", "0")
            for what, found in (("adding", figures.adding), ("taking away", figures.taking_away))
            if (known := [left for left in found.values() if left is not None])
        ]

    @classmethod
    def section(
        cls, figures: WayLeft, config: ModelConfig, files: Mapping[str, str]
    ) -> Section | None:
        """A table by attribute."""
        title = "Edited photos beside real ones"
        if not figures.adding:
            return Section(title, [f"Not measured: {REMEDY}"])
        columns = (
            figures.adding, figures.told_adding, figures.taking_away, figures.told_taking_away
        )  # fmt: skip
        rows = [(name, *(cell(found.get(name)) for found in columns)) for name in figures.adding]
        head = (
            "Attribute",
            "Adding: way left",
            "told apart",
            "Taking away: way left",
            "told apart",
        )
        return Section(title, [table(head, rows), MEANING])


def cell(value: float | None) -> str:
    """A figure in a table."""
    return NONE if value is None else number(value)
