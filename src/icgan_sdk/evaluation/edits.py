"""Whether edits of real pictures do what they are asked, and nothing else, as a referee sees it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.data import PreparedDataset
from icgan_sdk.engines.batches import Latent, decode, encode, with_presences
from icgan_sdk.evaluation.confusion import Confusion, read_real
from icgan_sdk.evaluation.distances import perceptual_distance
from icgan_sdk.evaluation.passes import device_of, features_of, real_images
from icgan_sdk.evaluation.referee import Referee
from icgan_sdk.evaluation.regions import outside
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.compositing import Detail, carry_change
from icgan_sdk.training.rows import chunks

MEN_ONLY: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("Bald", "Mustache", "Receding_Hairline"), "Male")
)
"""Attributes to add only to pictures labelled with another: CelebA has hardly a woman with them."""

GALLERY = 100
"""Originals among which an edited picture is sought."""


@dataclass(frozen=True)
class EditFigures:
    """What became of edits in one direction of one attribute, or means of such figures.

    Shares and means over edits; None where there was none, or the figure has no meaning. The
    *unedited* picture is what the model gives without the edit: the reconstruction, or the
    original where the change is carried onto the photo.

    Attributes:
        edits: How many pictures were edited.
        hit: Share of edited pictures in which the referee reads the attribute as asked for.
        relative: `hit` over the share of real pictures with such a label that the referee reads
            so (its true-positive rate for adding, true-negative rate for removing), at most 1:
            the referee's own misses are not the model's.
        preservation: Share of all other attributes, outside the edited one's exclusive group,
            that the referee reads as in the unedited picture.
        identity: Cosine between the referee's features of the edited and the unedited picture.
        recognised: Share of edited pictures whose original is the nearest of `GALLERY` originals,
            itself among them, by the cosine of the referee's features (all, where there are fewer).
        change_outside: `perceptual_distance` of the edited from the unedited picture where the
            attribute doesn't show (see `regions`; for attributes of no known place, everywhere).
            What the attribute concerns is taken from the unedited picture, so that it can't be
            felt from outside, and only places outside count.
    """

    edits: int
    hit: float | None
    relative: float | None
    preservation: float | None
    identity: float | None
    recognised: float | None
    change_outside: float | None


@dataclass(frozen=True)
class Edits:
    """Figures of all edits.

    Attributes:
        images: Real pictures used.
        adding: By attribute: setting it to 1 where the label says absent.
        removing: By attribute: setting it to 0 where the label says present. Empty for classes,
            which can only change to another.
        mean_adding: Mean over the attributes that have the figure.
        mean_removing: The same.
        mean: Mean of the two directions that have the figure.
    """

    images: int
    adding: dict[str, EditFigures]
    removing: dict[str, EditFigures]
    mean_adding: EditFigures
    mean_removing: EditFigures
    mean: EditFigures


class _Unedited(NamedTuple):
    """A chunk of pictures before any edit, their rows, and what the referee makes of it."""

    rows: Tensor
    x: Tensor
    y: Tensor
    latent: Latent
    rebuilt: Tensor
    images: Tensor
    present: Tensor
    features: Tensor
    maps: list[Tensor]

    def at(self, rows: Tensor) -> "_Unedited":
        """Some of the pictures, by their numbers [B]."""
        return _Unedited(
            rows=self.rows[rows],
            x=self.x[rows],
            y=self.y[rows],
            latent=Latent(self.latent.z[rows], self.latent.y[rows]),
            rebuilt=self.rebuilt[rows],
            images=self.images[rows],
            present=self.present[rows],
            features=self.features[rows],
            maps=[m[rows] for m in self.maps],
        )


@torch.inference_mode()
def measure_edits(
    networks: IcGANNetworks,
    dataset: PreparedDataset,
    referee: Referee,
    *,
    limit: int = 1000,
    refine: int = 0,
    detail: Detail = "generated",
    only_where: Mapping[str, str] = MEN_ONLY,
    real: Confusion | None = None,
) -> Edits:
    """Edit real pictures, one attribute at a time, and let the referee judge.

    Pictures are encoded and edited as `icgan_sdk.IcGAN.edit` does: y as E_y read it, the attribute
    set to 1 or 0, and when it is set, the others of its exclusive group cleared. Labels only
    choose the pictures. Class labels: every picture is changed to each other class.

    Args:
        networks: In eval mode.
        dataset: One partition, not empty.
        referee: In eval mode, of the same attributes.
        limit: The first so many pictures are edited.
        refine: Optimisation steps on z, as in `edit`.
        detail: "generated" judges G's pictures, "photo" the change carried onto the originals.
        only_where: Attributes that are added only to pictures labelled with another attribute,
            where the data has that.
        real: What `read_real` gave for the same data and referee, to spare doing it again.
    """
    referee.check_fits(networks.config)
    count, attributes = min(limit, len(dataset)), dataset.attributes
    directions = (True,) if attributes.one_hot else (True, False)
    measured: dict[tuple[str, bool], list[Tensor]] = {
        (name, adding): [] for adding in directions for name in attributes.names
    }
    originals = features_of(referee, real_images(dataset, count)).to(referee.device)
    for at in chunks(count, dataset.image_size):
        before = _unedited(networks, dataset, at, referee, refine, detail)
        for (name, adding), parts in measured.items():
            rows = _editable(before.y, attributes, name, adding, only_where)
            if len(rows):
                chosen = before.at(rows)
                images = _edited(networks, chosen, {name: float(adding)}, detail)
                weights = outside(name, networks.config)
                judged = _judge(images, chosen, name, adding, weights, referee)
                found = _recognised(judged.features, originals, chosen.rows)
                parts.append(torch.cat([judged.figures, found[:, None].cpu()], dim=1))
    rates = _own_rates(real or read_real(referee, dataset))
    figures = {key: _figures(parts, rates[key]) for key, parts in measured.items()}
    added, removed = (
        {name: f for (name, adding), f in figures.items() if adding == wanted}
        for wanted in (True, False)
    )
    means = [_mean(list(direction.values())) for direction in (added, removed)]
    return Edits(count, added, removed, means[0], means[1], mean=_mean(means))


def _unedited(
    networks: IcGANNetworks,
    dataset: PreparedDataset,
    at: slice,
    referee: Referee,
    refine: int,
    detail: Detail,
) -> _Unedited:
    device = device_of(networks)
    x, y, rows = dataset.images(at), dataset.labels(at), torch.arange(at.start, at.stop)
    latent = encode(networks, x, device, refine)
    rebuilt = decode(networks, latent, device)
    images = rebuilt if detail == "generated" else x
    return _Unedited(rows, x, y, latent, rebuilt, images, *referee.look(images.to(referee.device)))


def _editable(
    y: Tensor, attributes: AttributeSet, name: str, adding: bool, only_where: Mapping[str, str]
) -> Tensor:
    present = dict(zip(attributes.names, (y > 0).T, strict=True))
    chosen = ~present[name] if adding else present[name]
    if adding and only_where.get(name) in present:
        chosen = chosen & present[only_where[name]]
    rows: Tensor = chosen.nonzero()[:, 0]
    return rows


def _edited(
    networks: IcGANNetworks, before: _Unedited, presences: Mapping[str, float], detail: Detail
) -> Tensor:
    latent = with_presences(before.latent, networks.config.attributes, presences)
    images = decode(networks, latent, device_of(networks))
    if detail == "photo":
        return carry_change(before.x, before.rebuilt, images)
    return images


class _Judged(NamedTuple):
    """Hit, preservation, identity and change outside [B, 4] on the CPU, and features [B, F]."""

    figures: Tensor
    features: Tensor


def _judge(
    images: Tensor, before: _Unedited, name: str, adding: bool, weights: Tensor, referee: Referee
) -> _Judged:
    attributes, device = referee.attributes, referee.device
    edited = (name, *attributes.group_of(name))
    others = [i for i, other in enumerate(attributes.names) if other not in edited]
    seen = referee.look(images.to(device))
    hit = seen.present[:, attributes.names.index(name)] == adding
    kept = (seen.present == before.present)[:, others].float().mean(1)  # NaN without others
    identity = F.cosine_similarity(seen.features, before.features)
    around = torch.where(weights > 0, images, before.images).to(device)
    change = perceptual_distance(referee.maps(around), before.maps, weights.to(device))
    figures = torch.stack([hit.float(), kept, identity, change], dim=1).cpu()
    return _Judged(figures, seen.features)


def _recognised(features: Tensor, originals: Tensor, rows: Tensor) -> Tensor:
    """1 where features [B, F] are nearest to their own of the originals [N, F], else 0: [B].

    Each is sought in the run of `GALLERY` originals it belongs to; the last are among the last.
    """
    count = len(originals)
    first = (rows // GALLERY * GALLERY).clamp_max(max(count - GALLERY, 0))
    gallery = first[:, None] + torch.arange(min(GALLERY, count))
    candidates = originals[gallery.to(originals.device)]
    nearest = F.cosine_similarity(features[:, None], candidates, dim=2).argmax(1).cpu()
    return (first + nearest == rows).float()


def _own_rates(real: Confusion) -> dict[tuple[str, bool], float]:
    """How often the referee reads real pictures as labelled, by attribute and presence."""
    found = real.tp.double() / (real.tp + real.fn)
    not_found = real.tn.double() / (real.tn + real.fp)
    rates = {(name, True): rate for name, rate in zip(real.names, found.tolist(), strict=True)}
    for name, rate in zip(real.names, not_found.tolist(), strict=True):
        rates[name, False] = rate
    return rates


def _figures(parts: Sequence[Tensor], rate: float) -> EditFigures:
    if not parts:
        return EditFigures(0, None, None, None, None, None, None)
    edits = torch.cat(list(parts)).double()
    hit, *others = edits.mean(0).tolist()
    relative = min(hit / rate, 1.0) if rate > 0 else None
    preservation, identity, change, recognised = (None if math.isnan(v) else v for v in others)
    return EditFigures(len(edits), hit, relative, preservation, identity, recognised, change)


def _mean(figures: Sequence[EditFigures]) -> EditFigures:
    means: dict[str, float | None] = {}
    for name in (field.name for field in fields(EditFigures) if field.name != "edits"):
        there = [v for v in (getattr(f, name) for f in figures) if v is not None]
        means[name] = sum(there) / len(there) if there else None
    return EditFigures(edits=sum(f.edits for f in figures), **means)
