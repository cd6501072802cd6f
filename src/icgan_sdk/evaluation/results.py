"""What an evaluation found, and its file ``evaluation.json``."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from icgan_sdk.errors import ConfigError, IcGANError
from icgan_sdk.evaluation.metrics.attribute_readings import Readings
from icgan_sdk.evaluation.metrics.class_confusion import Counts
from icgan_sdk.evaluation.metrics.diversity import Diversity
from icgan_sdk.evaluation.metrics.edit_figures import Edits
from icgan_sdk.evaluation.metrics.encoder_errors import EncoderErrors
from icgan_sdk.evaluation.metrics.fidelity import Fidelity
from icgan_sdk.evaluation.metrics.identification import Identification
from icgan_sdk.evaluation.metrics.memorisation import Memorisation
from icgan_sdk.evaluation.metrics.same_person import SamePerson
from icgan_sdk.evaluation.metrics.told_apart import ToldApart
from icgan_sdk.versioned import JsonFormat

RESULT_FORMAT = JsonFormat(version=2, error=IcGANError, key="format")
"""The format of ``evaluation.json``. Version 1 also had ``plain_f1`` and ``mean_plain_f1``."""


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
        figures: What each metric measured, by its name. The properties below name those that come
            with the package.
        seconds: What each part took.
    """

    subject: Subject
    referees: dict[str, dict[str, Any]]
    figures: dict[str, Any]
    seconds: dict[str, float]

    @property
    def attributes(self) -> Readings:
        """What was read off images.

        By reader ("anet", "residual", and "encoder_y" for E_y itself) and images ("real",
        "generated", "reconstructed"). E_y reads only real ones.
        """
        readings: Readings = self._measured("attributes")
        return readings

    @property
    def classes(self) -> Counts | None:
        """Of classes, counts of generated images; None for other attributes.

        A row for each class that was asked for, a column for each that the residual referee read.
        """
        counts: Counts | None = self._measured("classes")
        return counts

    @property
    def edits(self) -> Edits:
        """Of edits, as the residual referee sees them. It also judges all that follows."""
        edits: Edits = self._measured("edits")
        return edits

    @property
    def told_apart(self) -> ToldApart:
        """Of generated pictures and reconstructions, by classifiers of their own."""
        told: ToldApart = self._measured("told_apart")
        return told

    @property
    def same_person(self) -> SamePerson:
        """Of reconstructions and edits of faces, by a face-recognition network."""
        same: SamePerson = self._measured("same_person")
        return same

    @property
    def inversion(self) -> EncoderErrors:
        """Of the encoders."""
        errors: EncoderErrors = self._measured("inversion")
        return errors

    @property
    def identification(self) -> Identification:
        """Of reconstructions."""
        identification: Identification = self._measured("identification")
        return identification

    @property
    def fidelity(self) -> Fidelity:
        """FID and KID."""
        fidelity: Fidelity = self._measured("fidelity")
        return fidelity

    @property
    def diversity(self) -> Diversity:
        """Of images with the same labels."""
        diversity: Diversity = self._measured("diversity")
        return diversity

    @property
    def memorisation(self) -> Memorisation:
        """Of training images."""
        memorisation: Memorisation = self._measured("memorisation")
        return memorisation

    def _measured(self, name: str) -> Any:
        if name not in self.figures:
            raise ConfigError(f"{name} was not measured: it is not among the evaluation's metrics")
        return self.figures[name]

    def to_json(self) -> str:
        """The text of ``evaluation.json``: each metric's figures under its name; null for NaN."""
        plain = {
            "subject": _plain(self.subject),
            "referees": _plain(self.referees),
            **_plain(self.figures),
            "seconds": _plain(self.seconds),
        }
        return RESULT_FORMAT.to_json(plain)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    # The figures of a network that diverged may be NaN or infinite, which JSON doesn't have.
    return None if isinstance(value, float) and not math.isfinite(value) else value
