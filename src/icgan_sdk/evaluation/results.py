"""What an evaluation found, and its file ``evaluation.json``."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from icgan_sdk.evaluation.confusion import Confusion
from icgan_sdk.evaluation.diversity import Diversity, Memorisation
from icgan_sdk.evaluation.edits import Edits
from icgan_sdk.evaluation.fidelity import Fidelity
from icgan_sdk.evaluation.identification import Identification
from icgan_sdk.evaluation.inversion import Inversion

FORMAT = 1
"""Version of ``evaluation.json``."""


@dataclass(frozen=True)
class AttributeReading:
    """How one attribute was read; counts of images, and shares in 0…1 (see `Confusion`).

    Attributes:
        tp: Found and true.
        fp: Found but not true.
        fn: True but not found.
        tn: Neither.
        accuracy: (tp + tn) / N.
        f1: 2·tp / (2·tp + fp + fn), 0 where that is 0/0.
        plain_f1: The same, None where it is 0/0.
    """

    tp: int
    fp: int
    fn: int
    tn: int
    accuracy: float
    f1: float
    plain_f1: float | None


@dataclass(frozen=True)
class Reading:
    """How all attributes of a set of images were read: a row of the paper's Table 3.

    Attributes:
        images: How many.
        mean_accuracy: Mean of the attributes' accuracies.
        mean_f1: Mean of their `f1`.
        mean_plain_f1: Mean of their `plain_f1`, where they have one; None if none has.
        class_accuracy: Of classes, the share of images whose class was read right; else None.
        by_attribute: Every attribute, in the model's order.
    """

    images: int
    mean_accuracy: float
    mean_f1: float
    mean_plain_f1: float | None
    class_accuracy: float | None
    by_attribute: dict[str, AttributeReading]

    @classmethod
    def of(cls, counts: Confusion, one_hot: bool) -> "Reading":
        """The figures that follow from counts."""
        plain_f1 = [_finite(value) for value in counts.plain_f1.tolist()]
        columns = [t.tolist() for t in (counts.tp, counts.fp, counts.fn, counts.tn)]
        columns += [counts.accuracy.tolist(), counts.f1.tolist(), plain_f1]
        return cls(
            images=counts.images,
            mean_accuracy=counts.mean_accuracy,
            mean_f1=counts.mean_f1,
            mean_plain_f1=_finite(counts.mean_plain_f1),
            class_accuracy=counts.class_accuracy if one_hot else None,
            by_attribute={
                name: AttributeReading(*row)
                for name, *row in zip(counts.names, *columns, strict=True)
            },
        )


@dataclass(frozen=True)
class Subject:
    """What was judged, on what, and how.

    Attributes:
        model: Its name.
        config: `ModelConfig.to_dict`.
        parameters: Parameters of each network.
        source: Where the data come from.
        partition: The part of the data.
        images: How many of it were used.
        fingerprint: Changes with the data set.
        limit: The most that were to be used; None: all.
        refine: Optimisation steps on z.
        detail: "generated" or "photo", of the edits.
        seed: Of everything random.
        version: Of icgan-sdk.
    """

    model: str
    config: dict[str, Any]
    parameters: dict[str, int]
    source: str
    partition: str
    images: int
    fingerprint: str
    limit: int | None
    refine: int
    detail: str
    seed: int
    version: str


@dataclass(frozen=True)
class Evaluation:
    """All figures of one model; shares in 0…1.

    Attributes:
        subject: What was judged, on what, and how.
        referees: How each referee was trained, and its own figures, by its architecture.
        attributes: What "anet", "residual" and "encoder_y" (E_y itself) read off "real",
            "generated" and "reconstructed" images, E_y off real ones only.
        classes: Of classes: how many generated images asked to show the row's class were read by
            the residual referee as the column's. None for other attributes.
        inversion: Of the encoders.
        edits: As the residual referee sees them, like all that follow.
        identification: Of reconstructions.
        fidelity: FID and KID.
        diversity: Among images of the same labels.
        memorisation: Of training images.
        seconds: What each part took.
    """

    subject: Subject
    referees: dict[str, dict[str, Any]]
    attributes: dict[str, dict[str, Reading]]
    classes: list[list[int]] | None
    inversion: Inversion
    edits: Edits
    identification: Identification
    fidelity: Fidelity
    diversity: Diversity
    memorisation: Memorisation
    seconds: dict[str, float]

    def to_json(self) -> str:
        """The text of ``evaluation.json``: the fields by name; null for what is no number."""
        plain = {"format": FORMAT, **_plain(asdict(self))}
        return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return _finite(value) if isinstance(value, float) else value


def _finite(value: float) -> float | None:
    # A network that diverged gives figures that are none.
    return value if math.isfinite(value) else None
