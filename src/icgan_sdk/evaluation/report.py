"""The Markdown report of an evaluation."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeGuard

from icgan_sdk.config import ModelConfig
from icgan_sdk.evaluation.edits import EditFigures
from icgan_sdk.evaluation.inversion import Spread
from icgan_sdk.evaluation.report_texts import (
    CAPTIONS,
    DISTRIBUTION,
    EDITS,
    ENCODERS,
    NOVELTY,
    READINGS,
    REFEREES,
)
from icgan_sdk.evaluation.results import Evaluation

READERS = {"anet": "Anet", "residual": "residual referee", "encoder_y": "E_y"}
KINDS = ("real", "generated", "reconstructed")
EDIT_COLUMNS = (
    "Edits",
    "Hit, %",
    "Relative, %",
    "Kept, %",
    "Identity",
    "Recognised, %",
    "Change outside",
)
NONE = "–"
"""Stands where there is no figure."""


class Line(NamedTuple):
    """A line of the summary: what is measured, the model's value, what to compare it with."""

    figure: str
    value: str
    compare: str


def summary(result: Evaluation) -> list[Line]:
    """The handful of figures that people compare models by; those that there are."""
    edits, inversion, found = result.edits, result.inversion, result.identification
    fidelity, diversity, copies = result.fidelity, result.diversity, result.memorisation
    is_classes, is_normal = result.classes is not None, result.subject.config["noise"] == "normal"
    guess = "guessing: 1" if is_normal else "guessing: 0.333"
    adding = "Changed classes" if is_classes else "Added attributes"
    identity = None if is_classes else edits.mean.identity  # another class is another picture
    hits = [
        Line(f"{what} read as asked: hit (relative)", _hits(means), "best: 100 %")
        for what, means in (
            (adding, edits.mean_adding),
            ("Removed attributes", edits.mean_removing),
        )
        if means.edits
    ]
    lines = [
        *(_reading_line(result, reader) for reader in ("anet", "residual")),
        *hits,
        Line("Other attributes an edit keeps", _percent(edits.mean.preservation), "best: 100 %"),
        Line("Identity an edit keeps", _number(identity), "best: 1"),
        Line(
            f"Reconstructions recognised among {found.gallery}",
            _percent(found.right),
            f"chance: {_percent(1 / found.gallery)}",
        ),
        Line("Error of z, L_ez", _number(inversion.z_error), f"best: 0; {guess}"),
        Line("Error of reconstructed pixels", _number(inversion.pixel_error), "best: 0"),
        Line("FID (referee features)", _number(fidelity.fid), "best: 0"),
        Line("Inception FID", _number(fidelity.inception_fid), "best: 0"),
        Line("Diversity", _number(diversity.generated), f"real: {_number(diversity.real)}"),
        Line("Distance to training images", _number(copies.ratio), "real: 1; copies: 0"),
    ]
    return [line for line in lines if line.value != NONE]


def report(result: Evaluation, images: Mapping[str, str]) -> str:
    """The whole report.

    Args:
        result: What was measured.
        images: Plots and pictures that there are, by name, with their files relative to the
            report.
    """
    sections = [
        f"# Evaluation of {_code(result.subject.model)}",
        _subject(result),
        "## Summary",
        _table(("Figure", "This model", "Compare with"), summary(result)),
        "## Attributes that can be read (Table 3)",
        *_attributes(result, images),
        "## Edits",
        *_edits(result, images),
        "## Encoders and reconstructions",
        *_encoders(result),
        "## Distribution of generated images",
        *_distribution(result),
        "## Diversity and memorisation",
        *_novelty(result),
        "## Pictures",
        *_pictures(images),
        *(["## Training", _image("losses", images)] if "losses" in images else []),
        "## How this was measured",
        *_circumstances(result),
    ]
    return "\n\n".join(sections) + "\n"


def _subject(result: Evaluation) -> str:
    subject = result.subject
    config = ModelConfig.from_dict(subject.config)
    parameters = ", ".join(f"{name} {count:,}" for name, count in subject.parameters.items())
    return (
        f"{config.n_attributes} attributes, pictures of {config.picture_size}×"
        f"{config.picture_size}, z of {config.z_dim} numbers, encoder design "
        f"{_code(config.encoder_design)}; parameters: {parameters}.\n\n"
        f"Judged by {subject.images:,} pictures of the partition {_code(subject.partition)} of "
        f"{subject.source or 'a data set without a name'}. All figures are in "
        "[evaluation.json](evaluation.json)."
    )


def _reading_line(result: Evaluation, reader: str) -> Line:
    generated, real = (result.attributes[reader][kind] for kind in ("generated", "real"))
    if generated.class_accuracy is not None:
        name = f"Classes of generated images, read by the {READERS[reader]}"
        return Line(
            name, _percent(generated.class_accuracy), f"real: {_percent(real.class_accuracy)}"
        )
    name = f"Generated attributes, read by the {READERS[reader]}: accuracy / F1"
    values = [f"{_percent(r.mean_accuracy)} / {_percent(r.mean_f1)}" for r in (generated, real)]
    return Line(name, values[0], f"real: {values[1]}")


def _hits(means: EditFigures) -> str:
    return f"{_percent(means.hit)} ({_percent(means.relative)})"


def _attributes(result: Evaluation, images: Mapping[str, str]) -> list[str]:
    rows = [
        (READERS[reader], kind, *map(_share, (r.mean_accuracy, r.mean_f1, r.class_accuracy)))
        for reader, kinds in result.attributes.items()
        for kind, r in kinds.items()
    ]
    head = ("Read by", "Images", "Accuracy, %", "F1, %", "Class accuracy, %")
    columns = [f"{kind}: {share}" for kind in KINDS for share in ("accuracy", "F1")]
    sections = [READINGS, _table(head, rows), _image("attributes", images)]
    for reader in ("anet", "residual"):
        read = [result.attributes[reader][kind].by_attribute for kind in KINDS]
        shares = {
            name: [s for part in read for s in (part[name].accuracy, part[name].f1)]
            for name in read[0]
        }
        by_attribute = [(_code(name), *map(_share, row)) for name, row in shares.items()]
        sections += [
            f"### By the {READERS[reader]}, in %",
            _table(("Attribute", *columns), by_attribute),
        ]
    return [*sections, _image("confusion", images)]


def _edits(result: Evaluation, images: Mapping[str, str]) -> list[str]:
    edits = result.edits
    sections = [f"{edits.images:,} pictures were edited. {EDITS}", _image("edits", images)]
    adding = "Changing the class" if result.classes is not None else "Adding"
    for kind, figures, mean in (
        (adding, edits.adding, edits.mean_adding),
        ("Removing", edits.removing, edits.mean_removing),
    ):
        if figures:
            rows = [(_code(name), *_edit_row(f)) for name, f in figures.items()]
            rows.append(("**mean**", *_edit_row(mean)))
            sections += [f"### {kind}", _table(("Attribute", *EDIT_COLUMNS), rows)]
    return sections


def _edit_row(f: EditFigures) -> tuple[str, ...]:
    shares = [_share(s) for s in (f.hit, f.relative, f.preservation)]
    numbers = (_number(f.identity), _share(f.recognised), _number(f.change_outside))
    return f"{f.edits:,}", *shares, *numbers


def _encoders(result: Evaluation) -> list[str]:
    inversion, found = result.inversion, result.identification
    rows = [
        ("L_ez", f"{inversion.generated:,} generated", _number(inversion.z_error)),
        ("L_ey", f"{inversion.real:,} real", _number(inversion.y_error)),
        ("pixels", f"{inversion.real:,} real", _number(inversion.pixel_error)),
        ("spread of z", f"{inversion.generated:,} generated", _spread(inversion.z_generated)),
        ("spread of z", f"{inversion.real:,} real", _spread(inversion.z_real)),
        (f"found among {found.gallery}", f"{found.queries:,} real", _percent(found.right)),
    ]
    return [_table(("Figure", "Images", "Value"), rows), ENCODERS]


def _spread(z: Spread) -> str:
    return f"{z.mean:.3f} ± {z.std:.3f} (dimensions: {z.std_min:.3f} to {z.std_max:.3f})"


def _distribution(result: Evaluation) -> list[str]:
    f = result.fidelity
    rows = [
        ("FID (referee features)", _number(f.fid)),
        ("KID (referee features)", f"{_number(f.kid)} ± {_number(f.kid_std)}"),
        ("Inception FID", _number(f.inception_fid)),
    ]
    text = f"{f.images:,} generated images against as many real ones; {f.features} features."
    why_not = [f"No Inception FID: {f.inception_note}."] if f.inception_note else []
    return [text, _table(("Figure", "Value"), rows), *why_not, DISTRIBUTION]


def _novelty(result: Evaluation) -> list[str]:
    d, m = result.diversity, result.memorisation
    rows = [
        ("Diversity: perceptual distance", _number(d.generated), _number(d.real)),
        ("Diversity: pixels", _number(d.generated_pixels), _number(d.real_pixels)),
        ("Distance to the nearest training image", _number(m.generated), _number(m.real)),
    ]
    text = (
        f"Diversity of {d.label_vectors} label vectors, {d.samples} images each; nearest of "
        f"{m.training_images:,} training images to {m.images:,} images, ratio {_number(m.ratio)}."
    )
    return [_table(("Figure", "Generated", "Real"), rows), text, NOVELTY]


def _pictures(images: Mapping[str, str]) -> list[str]:
    sections = []
    for name, (title, caption) in CAPTIONS.items():
        if name in images:
            sections += [f"### {title}", caption, _image(name, images)]
    if not sections:
        return ["Pictures were left out."]
    if "reconstructions" not in images:
        sections.append("Pictures of the data set, and those made from them, were left out.")
    return sections


def _circumstances(result: Evaluation) -> list[str]:
    subject = result.subject
    shares = ("accuracy", "f1", "class_accuracy")
    rows = [
        (READERS[name], _code(partition), *(_share(figures.get(share)) for share in shares))
        for name, record in result.referees.items()
        for partition, figures in record["figures"].items()
    ]
    seconds = ", ".join(f"{part} {round(taken)}" for part, taken in result.seconds.items())
    lines = [
        f"- icgan-sdk {subject.version}, seed {subject.seed}",
        f"- edits: detail {_code(subject.detail)}; {subject.refine} steps of refinement",
        f"- data set {_code(subject.fingerprint[:16])}",
        f"- seconds: {seconds}",
    ]
    head = ("Referee", "Partition", "Accuracy, %", "F1, %", "Class accuracy, %")
    return ["\n".join(lines), REFEREES, _table(head, rows)]


def _image(name: str, images: Mapping[str, str]) -> str:
    return f"![{name}]({images[name]})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table without the columns that hold nothing; numbers to the right."""
    there = [
        (title, *cells)
        for title, *cells in zip(head, *rows, strict=True)
        if not cells or any(cell != NONE for cell in cells)
    ]
    marks = ["---:" if all(_is_number(c) for c in cells) else "---" for _, *cells in there]
    title, *lines = zip(*there, strict=True)
    return "\n".join(f"| {' | '.join(line)} |" for line in (title, marks, *lines))


def _is_number(cell: str) -> bool:
    return cell == NONE or cell.removeprefix("-")[0].isdigit()


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`"


def _percent(share: float | None) -> str:
    return f"{100 * share:.2f} %" if _is_there(share) else NONE


def _share(share: float | None) -> str:
    return f"{100 * share:.2f}" if _is_there(share) else NONE


def _number(value: float | None) -> str:
    return f"{value:.4g}" if _is_there(value) else NONE


def _is_there(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)
