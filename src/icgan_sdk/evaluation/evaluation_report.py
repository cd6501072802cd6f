"""The Markdown report of an evaluation, assembled from what the metrics say."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from icgan_sdk.config import ModelConfig
from icgan_sdk.evaluation.metrics import metric_table
from icgan_sdk.evaluation.metrics.attribute_readings import READERS
from icgan_sdk.evaluation.metrics.metric import Metric
from icgan_sdk.evaluation.report.markdown import (
    NONE,
    Line,
    Section,
    code,
    document,
    image,
    share_cell,
    table,
)
from icgan_sdk.evaluation.report.paper_pictures import CAPTIONS
from icgan_sdk.evaluation.results import Evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REFEREES = "The referees on real pictures, when they were trained:"


def summary(result: Evaluation) -> list[Line]:
    """The handful of figures that people compare models by, as far as there are any."""
    config = ModelConfig.from_dict(result.subject.config)
    lines = [
        line
        for metric in _measured(result)
        for line in metric.summary(result.figures[metric.name], config)
    ]
    return [line for line in lines if line.value != NONE]


def plots(result: Evaluation) -> "dict[str, Figure]":
    """The plots of all metrics, by name."""
    config = ModelConfig.from_dict(result.subject.config)
    return {
        name: plot
        for metric in _measured(result)
        for name, plot in metric.plots(result.figures[metric.name], config).items()
    }


def report(result: Evaluation, files: Mapping[str, str], missing: Sequence[str] = ()) -> str:
    """The whole report.

    Args:
        result: What was measured.
        files: Files of the plots and pictures, relative to the report, by name.
        missing: Metrics that are still to be measured.
    """
    config = ModelConfig.from_dict(result.subject.config)
    measured = [
        metric.section(result.figures[metric.name], config, files) for metric in _measured(result)
    ]
    losses = [Section("Training", [image("losses", files)])] if "losses" in files else []
    lines = table(("Figure", "This model", "Compare with"), summary(result))
    summarised = Section("Summary", [lines])
    sections = [
        summarised,
        *(section for section in measured if section is not None),
        Section("Pictures", _pictures(files)),
        *losses,
        Section("How this was measured", _circumstances(result)),
    ]
    title = f"Evaluation of {code(result.subject.model)}"
    subject = _subject(result, config)
    if missing:
        to_come = ", ".join(map(code, missing))
        subject += f"\n\n*Still being measured: {to_come}; pictures and plots come last.*"
    return document(title, subject, sections)


def _measured(result: Evaluation) -> list[type[Metric[Any]]]:
    return [metric for metric in metric_table.METRICS if metric.name in result.figures]


def _subject(result: Evaluation, config: ModelConfig) -> str:
    subject = result.subject
    parameters = ", ".join(f"{name} {count:,}" for name, count in subject.parameters.items())
    return (
        f"{config.n_attributes} attributes, pictures of {config.picture_size}×"
        f"{config.picture_size}, z of {config.z_dim} numbers, encoder design "
        f"{code(config.encoder_design)}; parameters: {parameters}.\n\n"
        f"Judged by {subject.images:,} pictures of the partition {code(subject.partition)} of "
        f"{subject.source or 'a data set without a name'}. All figures are in "
        "[evaluation.json](evaluation.json)."
    )


def _pictures(files: Mapping[str, str]) -> list[str]:
    captions = dict(CAPTIONS)
    for metric in metric_table.METRICS:
        captions |= metric.captions
    blocks = []
    for name, (title, caption) in captions.items():
        if name in files:
            blocks += [f"### {title}", caption, image(name, files)]
    if not blocks:
        return ["Pictures were left out."]
    if "reconstructions" not in files:
        blocks.append("Pictures of the data set, and those made from them, were left out.")
    return blocks


def _circumstances(result: Evaluation) -> list[str]:
    subject = result.subject
    shares = ("accuracy", "f1", "class_accuracy")
    rows = [
        (READERS[name], code(partition), *(share_cell(figures.get(share)) for share in shares))
        for name, record in result.referees.items()
        for partition, figures in record["figures"].items()
    ]
    seconds = ", ".join(f"{part} {round(taken)}" for part, taken in result.seconds.items())
    lines = [
        f"- icgan-sdk {subject.version}, seed {subject.seed}",
        f"- edits: detail {code(subject.detail)}; {subject.refine} steps of refinement",
        f"- data set {code(subject.fingerprint[:16])}",
        f"- seconds: {seconds}",
    ]
    head = ("Referee", "Partition", "Accuracy, %", "F1, %", "Class accuracy, %")
    return ["\n".join(lines), REFEREES, table(head, rows)]
