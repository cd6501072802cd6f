"""Editing a batch of pictures, one attribute at a time, and judging what came out."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.engines.latents import Latent, with_presences
from icgan_sdk.engines.pytorch import decode
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.edit_regions import outside
from icgan_sdk.evaluation.metrics.perceptual_distance import perceptual_distance
from icgan_sdk.evaluation.metrics.seeing import RealBatch
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.compositing import carry_change
from icgan_sdk.model.devices import device_of

MEN_ONLY: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("Bald", "Mustache", "Receding_Hairline"), "Male")
)
"""Attributes that are added only to pictures labelled with another attribute. CelebA has hardly any
women with these three."""

GALLERY = 100
"""Originals among which an edited picture is sought."""


class Unedited(NamedTuple):
    """A batch of pictures before any edit, and what the referee makes of it.

    Attributes:
        rows: Numbers of the pictures, [B].
        x: The originals [B, C, S, S], on the CPU.
        y: Their labels [B, n_y].
        latent: Where the edits start.
        rebuilt: The reconstructions [B, C, S, S], on the CPU.
        images: What the edited pictures are compared with: reconstructions or originals.
        present: What the referee reads off `images`.
        features: Its features of them.
        maps: Its maps of them.
    """

    rows: Tensor
    x: Tensor
    y: Tensor
    latent: Latent
    rebuilt: Tensor
    images: Tensor
    present: Tensor
    features: Tensor
    maps: list[Tensor]

    def at(self, rows: Tensor) -> "Unedited":
        """Some of the pictures, by their places in the batch, [B]."""
        return Unedited(
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


class Judged(NamedTuple):
    """What became of edited pictures, on the CPU.

    Attributes:
        figures: Hit, preservation, identity and change outside, [B, 4].
        features: The referee's features of the edited pictures, [B, F].
        rows: Numbers of the pictures, [B].
    """

    figures: Tensor
    features: Tensor
    rows: Tensor


def unedited(bench: Bench, batch: RealBatch) -> Unedited:
    """A batch before any edit."""
    seen = batch.refined if bench.detail == "generated" else batch.real
    return Unedited(
        torch.arange(batch.at.start, batch.at.stop),
        batch.real.images,
        batch.labels,
        batch.refined_latent,
        batch.refined.images,
        seen.images,
        *seen.look("residual"),
    )


def editable(
    y: Tensor, attributes: AttributeSet, name: str, adding: bool, only_where: Mapping[str, str]
) -> Tensor:
    """Places in a batch of the pictures that an edit makes sense for, [B]."""
    present = dict(zip(attributes.names, (y > 0).T, strict=True))
    chosen = ~present[name] if adding else present[name]
    if adding and only_where.get(name) in present:
        chosen = chosen & present[only_where[name]]
    places: Tensor = chosen.nonzero()[:, 0]
    return places


def edit_and_judge(bench: Bench, before: Unedited, name: str, adding: bool) -> Judged:
    """Add or remove an attribute in every picture of a batch, and judge the results."""
    latent = with_presences(before.latent, bench.networks.config.attributes, {name: float(adding)})
    images = decode(bench.networks, latent, device_of(bench.networks))
    if bench.detail == "photo":
        images = _onto_photo(bench.networks, before, latent.y, images)
    weights = outside(name, bench.networks.config)
    return _judge(images, before, name, adding, weights, bench.pictures.referees["residual"])


@torch.inference_mode()
def _onto_photo(
    networks: IcGANNetworks, before: Unedited, y_new: Tensor, generated: Tensor
) -> Tensor:
    """What `detail="photo"` gives: pictures [B, C, S, S] with the change put onto them.

    A painter's photos may be larger than the data: they are scaled up, and its change down.
    """
    if networks.painter is None:
        return carry_change(before.x, before.rebuilt, generated)
    device, side = device_of(networks), networks.config.photo.image_size
    x = F.interpolate(before.x.to(device), (side, side), mode="bilinear", align_corners=False)
    change = networks.paint(x, before.latent.y.to(device), y_new.to(device)) - x
    return (before.x + networks.shrink(change).to(before.x.device)).clamp(-1.0, 1.0)


def _judge(
    images: Tensor, before: Unedited, name: str, adding: bool, weights: Tensor, referee: Referee
) -> Judged:
    attributes, device = referee.attributes, referee.device
    edited = (name, *attributes.group_of(name))
    others = [i for i, other in enumerate(attributes.names) if other not in edited]
    seen = referee.look(images.to(device))
    hit = seen.present[:, attributes.names.index(name)] == adding
    kept = (seen.present == before.present)[:, others].float().mean(1)  # NaN without others
    identity = F.cosine_similarity(seen.features, before.features)
    maps = seen.maps
    if not bool(weights.all()):
        # Convolutions would carry a change from inside the attribute's place to maps outside. So
        # the unedited picture fills that place.
        maps = referee.maps(torch.where(weights > 0, images, before.images).to(device))
    change = perceptual_distance(maps, before.maps, weights.to(device))
    figures = torch.stack([hit.float(), kept, identity, change], dim=1).cpu()
    return Judged(figures, seen.features.cpu(), before.rows)


def recognised(features: Tensor, originals: Tensor, rows: Tensor) -> Tensor:
    """1 where an edited picture is nearer to its own original than to any other, else 0: [B].

    Each is sought in the consecutive `GALLERY` originals that it belongs to. The last pictures,
    which don't fill a gallery, are sought among the last `GALLERY`.

    Args:
        features: Of the edited pictures, [B, F].
        originals: Of all originals, [N, F].
        rows: Numbers of the originals of the edited pictures, [B].
    """
    count = len(originals)
    first = (rows // GALLERY * GALLERY).clamp_max(max(count - GALLERY, 0))
    gallery = first[:, None] + torch.arange(min(GALLERY, count))
    nearest = F.cosine_similarity(features[:, None], originals[gallery], dim=2).argmax(1)
    return (first + nearest == rows).float()
