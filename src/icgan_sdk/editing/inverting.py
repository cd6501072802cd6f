"""Pictures to inversions: the one way from what users give to what every method works on."""

from collections.abc import Iterator, Mapping
from itertools import groupby, islice
from typing import Any, NamedTuple, TypedDict

import numpy as np

from icgan_sdk.checks import check_whole
from icgan_sdk.editing.inversion import Inversion
from icgan_sdk.editing.latents import Batch
from icgan_sdk.engines.engine import CHUNK, Engine
from icgan_sdk.errors import ConfigError, ShapeError, did_you_mean
from icgan_sdk.photo import Align, Face, FaceOrAll, PasteBack, Subject, find_subject
from icgan_sdk.pictures.opening import listed


class Placing(TypedDict, total=False):
    """How a photo becomes the square a model sees; see `IcGAN`."""

    align: Align
    face: Face


class Encoding(Placing, total=False):
    """`Placing`, and how z is found: `refine`, optimisation steps, by default none."""

    refine: int


class Inverting(TypedDict, total=False):
    """`Encoding` of a photo whose faces may all be taken."""

    align: Align
    face: FaceOrAll
    refine: int


class Pictures(NamedTuple):
    """What a user gave.

    Attributes:
        named: The pictures, with what messages call them if they are no files.
        single: Whether one was given, rather than several.
    """

    named: list[tuple[Any, str]]
    single: bool


def list_pictures(images: object) -> Pictures:
    """Pictures one by one.

    Raises:
        ShapeError: If there are none, or one is an inversion.
    """
    pictures, single = listed(images)
    return _named(pictures, single)


def list_singles(*images: object) -> Pictures:
    """Pictures, each of which may be the only one of a sequence.

    Raises:
        ShapeError: If a sequence has none or several, or one is an inversion.
    """
    found = []
    for image in images:
        pictures, _ = listed(image)
        if len(pictures) != 1:
            raise ShapeError(f"expected one picture here, not {len(pictures)}")
        found += pictures
    return _named(found, len(found) == 1)


def _named(pictures: list[Any], single: bool) -> Pictures:
    if any(isinstance(picture, Inversion) for picture in pictures):
        raise ShapeError("an Inversion is no picture, and edits itself: inversion.edit(Smiling=1)")
    if single:
        return Pictures([(pictures[0], "the picture")], True)
    return Pictures([(p, f"picture {n}") for n, p in enumerate(pictures, start=1)], False)


def check_options(options: Mapping[str, object], known: type) -> None:
    """Raise ConfigError for an option that a typed dictionary doesn't have."""
    names = list(known.__annotations__)
    for name in options:
        if name not in names:
            raise ConfigError(f"there is no option {name!r} here; {did_you_mean(name, names)}")


def inverted(
    engine: Engine,
    pictures: Pictures,
    *,
    refine: int = 0,
    align: Align = "auto",
    face: FaceOrAll = "largest",
    keep: PasteBack = False,
    centre: bool = True,
) -> Iterator[Inversion]:
    """An inversion for each picture; those without a photo go through the networks together.

    Pictures are opened as they are asked for, at most CHUNK at a time.

    Args:
        engine: Runs the networks.
        pictures: What a user gave.
        refine: Optimisation steps on z.
        align: As in `find_subject`, and so the rest.
        face: Which to take.
        keep: Whether photos are kept.
        centre: Whether the centre square stands in for a face that isn't found.

    Raises:
        IcGANError: Whatever `find_subject` raises; ConfigError for steps that are no whole number
            from 0, or that the engine can't do.
    """
    refine = check_whole("refine", refine, 0)
    subjects = (
        find_subject(
            image,
            engine.config,
            align,
            face,
            name=name,
            alone=pictures.single,
            keep=keep,
            centre=centre,
        )
        for image, name in pictures.named
    )
    for whole, group in groupby(subjects, lambda subject: subject.photo is not None):
        while together := list(islice(group, 1 if whole else CHUNK)):
            yield from _views(engine, together, refine)


def _views(engine: Engine, subjects: list[Subject], refine: int) -> Iterator[Inversion]:
    images = np.concatenate([subject.pixels for subject in subjects])
    batch, first = Batch(engine, images).refined(refine), 0
    for subject in subjects:
        yield Inversion(batch, subject, first)
        first += len(subject.pixels)
