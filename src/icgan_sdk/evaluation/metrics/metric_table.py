"""The metrics of an evaluation: the package's, and those that `icgan_sdk.plugins` registers."""

from collections.abc import Sequence
from typing import Any

from icgan_sdk.errors import ConfigError, did_you_mean
from icgan_sdk.evaluation.metrics.attribute_readings import AttributeReadings
from icgan_sdk.evaluation.metrics.class_confusion import ClassConfusion
from icgan_sdk.evaluation.metrics.diversity import DiversityMetric
from icgan_sdk.evaluation.metrics.edits import EditsMetric
from icgan_sdk.evaluation.metrics.encoder_errors import EncoderErrorsMetric
from icgan_sdk.evaluation.metrics.fidelity import FidelityMetric
from icgan_sdk.evaluation.metrics.identification import IdentificationMetric
from icgan_sdk.evaluation.metrics.memorisation import MemorisationMetric
from icgan_sdk.evaluation.metrics.metric import Metric
from icgan_sdk.evaluation.metrics.same_person import SamePersonMetric
from icgan_sdk.evaluation.metrics.told_apart import ToldApartMetric
from icgan_sdk.evaluation.metrics.wearers import WearersMetric
from icgan_sdk.extensions import load_plugins

METRICS: list[type[Metric[Any]]] = [
    AttributeReadings,
    ClassConfusion,
    EditsMetric,
    ToldApartMetric,
    WearersMetric,
    SamePersonMetric,
    EncoderErrorsMetric,
    IdentificationMetric,
    FidelityMetric,
    DiversityMetric,
    MemorisationMetric,
]
"""In the order of ``evaluation.json`` and of the report."""


def chosen(names: Sequence[str] | None = None) -> list[type[Metric[Any]]]:
    """The metrics of these names; None: all, those of plug-ins included.

    Raises:
        ConfigError: If there is none of a name.
    """
    load_plugins()
    table = {metric.name: metric for metric in METRICS}
    for name in names or ():
        if name not in table:
            raise ConfigError(f"no metric {name!r}; {did_you_mean(name, table)}")
    return [metric for name, metric in table.items() if names is None or name in names]
