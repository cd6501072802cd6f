"""What a study is: which models it trains, what it asks of them, and what it found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Scale = Literal["full", "small"]
StudyName = Literal[
    "table3", "encoders", "ey-source", "sampling", "poster", "ingredients", "ingredients128"
]

GAN: tuple[str, ...] = ("gan", "generated")
ALL: tuple[str, ...] = ("gan", "generated", "encoder_z", "encoder_y")


@dataclass(frozen=True)
class Variant:
    """One model of a study.

    Attributes:
        name: Its row in the tables.
        settings: What differs from the recipe, as overrides.
        stages: The stages that are trained.
        shares: The variant whose GAN it takes over; "": none.
        paper: The figures that the paper reports, by column.
        recipe: The recipe it starts from.
        small: Further overrides at small scale.
    """

    name: str
    settings: tuple[str, ...] = ()
    stages: tuple[str, ...] = GAN
    shares: str = ""
    paper: Mapping[str, float] = field(default_factory=dict)
    recipe: str = "paper"
    small: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ordering:
    """A claim of the paper: which variants are better by a figure, best first.

    Attributes:
        claim: In words, with its place in the paper.
        column: The figure compared.
        best_first: Names of variants.
        larger_is_better: Whether a larger figure is the better one.
    """

    claim: str
    column: str
    best_first: tuple[str, ...]
    larger_is_better: bool = True


@dataclass(frozen=True)
class Study:
    """One comparison.

    Attributes:
        title: Of its report.
        question: What it asks, and where the paper answers that.
        variants: The models.
        columns: Figures shown, in order; `study_columns` explains them.
        orderings: The paper's claims to check.
    """

    title: str
    question: str
    variants: tuple[Variant, ...]
    columns: tuple[str, ...]
    orderings: tuple[Ordering, ...]


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    Attributes:
        name: Which study.
        scale: "full" or "small".
        data: Source of the data set, and images by partition.
        seed: Everything random follows from it.
        settings: Overrides of the recipe that all variants share.
        own_settings: Overrides of single variants, by their names.
        real: What the referees read off the real test images, by column.
        figures: By variant and column.
    """

    name: StudyName
    scale: Scale
    data: str
    seed: int
    settings: tuple[str, ...]
    own_settings: dict[str, tuple[str, ...]]
    real: dict[str, float]
    figures: dict[str, dict[str, float]]
