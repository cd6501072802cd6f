"""How far an edit goes from photos towards real ones that show what was asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import ClassVar

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from icgan_sdk.artefacts.quality import Quality
from icgan_sdk.config import ModelConfig
from icgan_sdk.editing.latents import Latent, with_presences
from icgan_sdk.engines.pytorch import decode, encode
from icgan_sdk.errors import ConfigError
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.making_edits import Edit, Inverted, editable, edited, edits_of
from icgan_sdk.evaluation.metrics.metric import NO_REFEREE, Metric
from icgan_sdk.evaluation.metrics.seeing import enlarge
from icgan_sdk.evaluation.report.markdown import NONE, Line, Section, number, table
from icgan_sdk.model.devices import device_of
from icgan_sdk.model.image_features import REMEDY, ImageFeatures
from icgan_sdk.pictures.arrays import to_pictures
from icgan_sdk.pictures.grids import grid, titled

MOST, FEWEST = 80, 20
"""Photos that each edit is judged by, and below how many no figure is given."""

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
        """As a model's folder keeps it: the part of the way that was gone."""
        adding, taking = (
            {
                name: min(max(1.0 - left, 0.0), 1.0)
                for name, left in found.items()
                if left is not None
            }
            for found in (self.adding, self.taking_away)
        )
        return Quality(adding, taking)


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
                if whole > 0:
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
        others = ((y[:, column] > 0) == adding).nonzero()[:, 0]
        count = min(MOST, len(rows), len(others))
        rows = rows[(torch.arange(count) * len(rows)) // max(count, 1)]
        wanted = with_presences(
            Latent(y[rows][:, :0], y[rows]), attributes, {name: float(adding)}
        ).y
        faces = self.bench.config.faces
        persons = faces.other_person if faces else frozenset()
        weights = torch.tensor([PERSON_WEIGHT if n in persons else 1.0 for n in attributes.names])
        differences = torch.cdist(wanted * weights, y[others] * weights, p=1)
        chosen = []
        for row in differences:
            at = int(row.argmin())
            differences[:, at] = torch.inf
            chosen.append(at)
        return rows, others[torch.tensor(chosen, dtype=torch.long)]

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


def squared_distance(a: Tensor, b: Tensor) -> float:
    """Unbiased squared MMD of features [N, F] and [M, F], with the kernel (a·b / F + 1)³.

    Without bias it is 0 on average for two draws of one distribution, and may be negative.
    """
    a, b = a.double(), b.double()

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / x.shape[1] + 1.0) ** 3

    def within(x: Tensor) -> Tensor:
        products = kernel(x, x)
        return (products.sum() - products.diagonal().sum()) / (len(x) * (len(x) - 1))

    return float(within(a) + within(b) - 2 * kernel(a, b).mean())


def probe(a: Tensor, b: Tensor) -> float:
    """How well a linear probe tells features [N, F] from others [M, F]: AUC over two folds."""
    x, target = torch.cat([a, b]).double(), torch.cat([torch.ones(len(a)), torch.zeros(len(b))])
    fold = torch.cat([torch.arange(len(a)), torch.arange(len(b))]) % 2
    areas = []
    for held in (0, 1):
        weights = _fit(x[fold != held], target[fold != held].double())
        scores = x[fold == held] @ weights[:-1]
        own, other = (scores[target[fold == held] == kind] for kind in (1, 0))
        above = (own[:, None] > other).double() + (own[:, None] == other).double() / 2
        areas.append(float(above.mean()))
    return sum(areas) / len(areas)


def _fit(x: Tensor, target: Tensor) -> Tensor:
    """Logistic regression with a penalty on the weights: [F + 1], the last the bias."""
    with torch.inference_mode(False), torch.enable_grad():
        x, target = x.clone(), target.clone()
        weights = torch.zeros(x.shape[1] + 1, dtype=torch.double, requires_grad=True)
        optimiser = torch.optim.LBFGS([weights], max_iter=50, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimiser.zero_grad()
            logits = x @ weights[:-1] + weights[-1]
            error = F.binary_cross_entropy_with_logits(logits, target)
            total = error + PENALTY * weights[:-1].square().sum()
            torch.autograd.backward(total)
            return total

        optimiser.step(loss)
        return weights.detach()


PENALTY = 0.01
"""Weight of the probe's squared weights: with few photos it would else learn them by heart."""
