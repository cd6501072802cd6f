"""The metrics of an evaluation. A new one is a file with its class, and a line here."""

from typing import Any

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

METRICS: tuple[type[Metric[Any]], ...] = (
    AttributeReadings,
    ClassConfusion,
    EditsMetric,
    ToldApartMetric,
    SamePersonMetric,
    EncoderErrorsMetric,
    IdentificationMetric,
    FidelityMetric,
    DiversityMetric,
    MemorisationMetric,
)
"""In the order of ``evaluation.json`` and of the report."""
