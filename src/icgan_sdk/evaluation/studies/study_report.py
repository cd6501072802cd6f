"""The Markdown report of a study."""

from collections.abc import Mapping

from icgan_sdk.evaluation.studies.study import Ordering, Study, StudyResult
from icgan_sdk.evaluation.studies.study_columns import COLUMNS

_SCALES = {
    "full": "full scale: the paper's networks and epochs",
    "small": "small scale: smaller networks and few epochs. Orderings count here; the level of a "
    "figure is not comparable with the paper's",
}


def study_report(study: Study, result: StudyResult, pictures: Mapping[str, str]) -> str:
    """A report that reads well on its own.

    Args:
        study: What was asked.
        result: What was found.
        pictures: A file of generated images for each variant, relative to the report.
    """
    return (
        "\n\n".join(
            [
                f"# {study.title}",
                study.question,
                _circumstances(study, result),
                _table(study, result),
                _legend(study),
                "## Do the claims come out?",
                "\n".join(_verdict(ordering, result.figures) for ordering in study.orderings),
                "## Generated images",
                "A row shares z; column *i* has attribute *i* only. All variants get the same z; "
                "those that share a generator show one picture.",
                *(f"{name}:\n\n![{name}]({file})" for name, file in pictures.items()),
            ]
        )
        + "\n"
    )


def _circumstances(study: Study, result: StudyResult) -> str:
    lines = [f"- {_SCALES[result.scale]}", f"- data: {result.data}", f"- seed {result.seed}"]
    if result.settings:
        lines.append(f"- every variant with {_code(result.settings)}")
    for variant in study.variants:
        own = result.own_settings.get(variant.name, ())
        of = f"recipe `{variant.recipe}`" + (f" with {_code(own)}" if own else "")
        lines.append(f"- {variant.name}: {of}")
    return "\n".join(lines)


def _code(settings: tuple[str, ...]) -> str:
    return ", ".join(f"`{setting}`" for setting in settings)


def _table(study: Study, result: StudyResult) -> str:
    columns = study.columns
    reported = [c for c in columns if any(c in v.paper for v in study.variants)]
    head = ["", *columns, *(f"paper's {c}" for c in reported)]
    rows = [head, ["---", *["---:"] * (len(head) - 1)]]
    if any(c in result.real for c in columns):
        rows.append(_row("real test images", result.real, columns, [""] * len(reported)))
    for variant in study.variants:
        paper = [_number(variant.paper.get(c)) for c in reported]
        rows.append(_row(variant.name, result.figures[variant.name], columns, paper))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(
    name: str, figures: Mapping[str, float], columns: tuple[str, ...], paper: list[str]
) -> list[str]:
    return [name, *(_number(figures.get(column)) for column in columns), *paper]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.4f}"


def _legend(study: Study) -> str:
    return "\n".join(f"- `{column}`: {COLUMNS[column].meaning}" for column in study.columns)


def _verdict(ordering: Ordering, figures: Mapping[str, Mapping[str, float]]) -> str:
    """What the claim says, what was found, and how many of its pairs agree."""
    values = {name: figures[name][ordering.column] for name in ordering.best_first}
    found = sorted(values, key=values.__getitem__, reverse=ordering.larger_is_better)
    pairs = [
        (better, worse)
        for i, better in enumerate(ordering.best_first)
        for worse in ordering.best_first[i + 1 :]
    ]
    agreeing = sum(found.index(better) < found.index(worse) for better, worse in pairs)
    shown = " > ".join(f"{name} ({_number(values[name])})" for name in found)
    return (
        f"- Claimed: {ordering.claim}. Found by `{ordering.column}`, best first: {shown}. "
        f"{agreeing} of {len(pairs)} pairs are in the claimed order."
    )
