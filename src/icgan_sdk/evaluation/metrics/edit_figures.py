"""What is measured of edits, from what became of each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from icgan_sdk.evaluation.metrics.edit_judging import Judged, recognised
from icgan_sdk.evaluation.metrics.two_sample import Apart

_NO_MEAN = ("edits", "told_apart_error")


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
            so (its true-positive rate for adding, true-negative rate for removing), at most 1.
            The referee's own misses are not the model's.
        preservation: Share of all other attributes, outside the edited one's exclusive group,
            that the referee reads as in the unedited picture.
        identity: Cosine between the referee's features of the edited and the unedited picture.
        recognised: Share of edited pictures whose original is the nearest of 100 originals by the
            cosine of the referee's features. The original is one of the 100. Of fewer than 100
            pictures, all are in the gallery.
        change_outside: `perceptual_distance` of the edited from the unedited picture where the
            attribute doesn't show (see `icgan_sdk.model.regions`; for attributes of no known place,
            everywhere). The attribute's own place shows the unedited picture in both, and only
            places outside count.
        told_apart: How well a fresh classifier tells edited pictures from real ones of other
            pictures that have the attribute as asked for: area under its ROC curve, 0.5 if it
            can't (see `EditsToldApart`). An edit that changes nothing isn't told either, but
            doesn't hit.
        told_apart_error: Its standard error. Means have none.
    """

    edits: int
    hit: float | None
    relative: float | None
    preservation: float | None
    identity: float | None
    recognised: float | None
    change_outside: float | None
    told_apart: float | None = None
    told_apart_error: float | None = None


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
        told_apart: Of one edit of each held-out picture, all attributes together.
    """

    images: int
    adding: dict[str, EditFigures]
    removing: dict[str, EditFigures]
    mean_adding: EditFigures
    mean_removing: EditFigures
    mean: EditFigures
    told_apart: Apart | None = None


def figures_of(
    judged: Sequence[Judged], originals: Tensor, rate: float, told: Apart | None
) -> EditFigures:
    """The figures of all edits in one direction of one attribute.

    Args:
        judged: The edits.
        originals: The referee's features of all pictures that were edited, [N, F].
        rate: Share of real pictures with such labels that the referee reads so.
        told: How well the edits are told from real pictures.
    """
    if not judged:
        return EditFigures(0, None, None, None, None, None, None)
    found = [recognised(part.features, originals, part.rows) for part in judged]
    edits = torch.cat([part.figures for part in judged]).double()
    hit, *others = edits.mean(0).tolist()
    relative = min(hit / rate, 1.0) if rate > 0 else None
    preservation, identity, change = (None if math.isnan(v) else v for v in others)
    right = float(torch.cat(found).double().mean())
    auc, error = (None, None) if told is None else (told.auc, told.error)
    return EditFigures(len(edits), hit, relative, preservation, identity, right, change, auc, error)


def mean_of(figures: Sequence[EditFigures]) -> EditFigures:
    """Means of figures, each over those that are there."""
    means: dict[str, float | None] = {}
    for name in (field.name for field in fields(EditFigures) if field.name not in _NO_MEAN):
        there = [v for v in (getattr(f, name) for f in figures) if v is not None]
        means[name] = sum(there) / len(there) if there else None
    return EditFigures(edits=sum(f.edits for f in figures), **means)
