"""Editing a batch of pictures, one attribute at a time, and judging what came out."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from icgan_sdk.editing.latents import with_presences
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.making_edits import Edit, Inverted, edited, inverted
from icgan_sdk.evaluation.metrics.perceptual_distance import perceptual_distance
from icgan_sdk.evaluation.metrics.seeing import RealBatch, enlarge
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.model.regions import outside

GALLERY = 100
"""Originals among which an edited picture is sought."""


class Unedited(NamedTuple):
    """A batch of pictures before any edit, and what the referee makes of it.

    Attributes:
        rows: Numbers of the pictures, [B].
        y: Their labels [B, n_y].
        start: Where the edits start.
        images: What the edited pictures are compared with: reconstructions or originals,
            [B, C, P, P] on the CPU.
        present: What the referee reads off `images`.
        features: Its features of them.
        maps: Its maps of them.
    """

    rows: Tensor
    y: Tensor
    start: Inverted
    images: Tensor
    present: Tensor
    features: Tensor
    maps: list[Tensor]

    def at(self, rows: Tensor) -> "Unedited":
        """Some of the pictures, by their places in the batch, [B]."""
        return Unedited(
            rows=self.rows[rows],
            y=self.y[rows],
            start=self.start.at(rows),
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
        batch.labels,
        inverted(batch),
        seen.images,
        *seen.look("residual"),
    )


def edit_and_judge(bench: Bench, before: Unedited, edit: Edit) -> Judged:
    """Make an edit in every picture of a batch, and judge the results."""
    name, adding = edit
    networks, config = bench.networks, bench.config
    y = with_presences(before.start.latent, config.attributes, {name: float(adding)}).y
    images = enlarge(edited(networks, bench.detail, before.start, y), config.image_size)
    weights = outside(name, config)
    return _judge(images, before, edit, weights, bench.pictures.referees["residual"])


def _judge(
    images: Tensor, before: Unedited, edit: Edit, weights: Tensor, referee: Referee
) -> Judged:
    (name, adding), attributes, device = edit, referee.attributes, referee.device
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
