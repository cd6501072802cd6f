"""The columns of the studies' tables: what each says, and which metric measures it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from icgan_sdk.evaluation.metrics.attribute_readings import (
    AttributeReadings,
    Kind,
    Reader,
    Reading,
    Readings,
)
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.edits import EditsMetric
from icgan_sdk.evaluation.metrics.encoder_errors import EncoderErrorsMetric
from icgan_sdk.evaluation.metrics.fidelity import FidelityMetric
from icgan_sdk.evaluation.metrics.identification import IdentificationMetric
from icgan_sdk.evaluation.metrics.measuring import measure
from icgan_sdk.evaluation.metrics.metric import Metric, Viewer
from icgan_sdk.evaluation.progress import Watcher

EDITED_IMAGES = 500
"""Real test images that edits are judged on."""


@dataclass(frozen=True)
class Column:
    """A column of a study's table.

    Attributes:
        meaning: What it says, for the legend.
        take: Takes its value from the figures of all metrics by name; None: there is none.
        make: Makes the metric that measures it.
        reading: Who reads what, for columns of `AttributeReadings`.
    """

    meaning: str
    take: Callable[[Mapping[str, Any]], float | None]
    make: Callable[[Bench], Metric[Any]] | None = None
    reading: tuple[Reader, Kind] | None = None


def _read(meaning: str, reader: Reader, kind: Kind, take: Callable[[Reading], float]) -> Column:
    """A column of readings, in %."""

    def percent(figures: Mapping[str, Any]) -> float:
        readings: Readings = figures["attributes"]
        return 100 * take(readings[reader][kind])

    return Column(meaning, percent, reading=(reader, kind))


def _accuracy(reading: Reading) -> float:
    return reading.mean_accuracy


def _f1(reading: Reading) -> float:
    return reading.mean_f1


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _edits(bench: Bench) -> Metric[Any]:
    return EditsMetric(bench, limit=EDITED_IMAGES)


def _identification(bench: Bench) -> Metric[Any]:
    return IdentificationMetric(bench, limit=EDITED_IMAGES)


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "anet_accuracy": _read(
            "accuracy read by the Anet off G(z, y), mean over attributes, %",
            "anet",
            "generated",
            _accuracy,
        ),
        "anet_f1": _read(
            "F1 read by the Anet off G(z, y), mean over attributes, %", "anet", "generated", _f1
        ),
        "referee_accuracy": _read(
            "accuracy read by the residual referee off G(z, y), %",
            "residual",
            "generated",
            _accuracy,
        ),
        "referee_f1": _read(
            "F1 read by the residual referee off G(z, y), %", "residual", "generated", _f1
        ),
        "fid": Column(
            "FID (referee features) of G(z, y) against the test images",
            lambda figures: figures["fidelity"].fid,
            FidelityMetric,
        ),
        "z_error": Column(
            "L_ez: mean square error of z per dimension, on fresh generated images",
            lambda figures: figures["inversion"].z_error,
            EncoderErrorsMetric,
        ),
        "y_error": Column(
            "L_ey: mean square error of y per attribute, on real test images",
            lambda figures: figures["inversion"].y_error,
            EncoderErrorsMetric,
        ),
        "ey_accuracy": _read(
            "accuracy of E_y on real test images, mean over attributes, %",
            "encoder_y",
            "real",
            _accuracy,
        ),
        "ey_f1": _read(
            "F1 of E_y on real test images, mean over attributes, %", "encoder_y", "real", _f1
        ),
        "pixel_error": Column(
            "mean square error of reconstructions of real test images, pixels in [0, 1]",
            lambda figures: figures["inversion"].pixel_error,
            EncoderErrorsMetric,
        ),
        "z_std": Column(
            "standard deviation of z encoded from real test images (prior: 1)",
            lambda figures: figures["inversion"].z_real.std,
            EncoderErrorsMetric,
        ),
        "hit_adding": Column(
            "adding an attribute to real test images: target hit, relative to the referee, %",
            lambda figures: _percent(figures["edits"].mean_adding.relative),
            _edits,
        ),
        "hit_removing": Column(
            "removing an attribute: the same, %",
            lambda figures: _percent(figures["edits"].mean_removing.relative),
            _edits,
        ),
        "recognised": Column(
            "right original among 100 by the referee's features of the reconstruction, %",
            lambda figures: _percent(figures["identification"].right),
            _identification,
        ),
        "preservation": Column(
            "other attributes that read as in the reconstruction, %",
            lambda figures: _percent(figures["edits"].mean.preservation),
            _edits,
        ),
    }
)

ON_REAL: Mapping[str, Column] = MappingProxyType(
    {
        "anet_accuracy": _read("", "anet", "real", _accuracy),
        "anet_f1": _read("", "anet", "real", _f1),
        "referee_accuracy": _read("", "residual", "real", _accuracy),
        "referee_f1": _read("", "residual", "real", _f1),
    }
)
"""What the same readers read off the real test images."""


def measure_columns(
    bench: Bench, columns: Collection[str], viewers: Collection[Viewer], watcher: Watcher
) -> tuple[dict[str, float], dict[str, float]]:
    """Measure a variant.

    Args:
        bench: The model, the data, the referees.
        columns: What to measure.
        viewers: Others that want to see the pictures.
        watcher: Told of the progress.

    Returns:
        The variant's value in each column that has one, and those of the real test images.
    """
    wanted = {name: column for name, column in COLUMNS.items() if name in columns}
    readings = [c.reading for c in (*wanted.values(), *ON_REAL.values()) if c.reading is not None]
    makers = dict.fromkeys(c.make for c in wanted.values() if c.make is not None)
    metrics = [AttributeReadings(bench, readings), *(make(bench) for make in makers)]
    figures = measure(bench, metrics, list(viewers), watcher)
    values = {name: column.take(figures) for name, column in wanted.items()}
    real = {name: column.take(figures) for name, column in ON_REAL.items()}
    return _there(values), _there(real)


def _there(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}
