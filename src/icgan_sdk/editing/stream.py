"""Edits of any number of pictures, one after another, with a record of each."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any, Literal

from PIL.Image import Image

from icgan_sdk.artefacts.quality import Quality
from icgan_sdk.config import ModelConfig
from icgan_sdk.editing.inversion import Inversion
from icgan_sdk.editing.inverting import Pictures
from icgan_sdk.editing.notes import already_there, not_real_yet
from icgan_sdk.engines.engine import CHUNK, Engine
from icgan_sdk.errors import IcGANError
from icgan_sdk.ordered import in_order
from icgan_sdk.pictures.opening import is_tensor, name_of

OnError = Literal["raise", "skip"]
"""What a stream does with a picture that can't be edited: stop there, or tell and go on."""

AT_ONCE = 4
"""Pictures that are edited at the same time at most: each takes memory."""

Named = tuple[Any, str]
"""A picture, and what messages call it if it is no file."""


@dataclass(frozen=True)
class EditResult:
    """What became of one picture of a stream.

    It holds neither the model nor the picture as it was, and can be pickled.

    Attributes:
        image: The edited picture; None if there was an error.
        number: Of the picture in the stream, from 0.
        source: The picture's path; "" for what is no file.
        box: Where the model looked in the photo: left, top, right, bottom in its pixels; None where
            that is the whole of it.
        scores: What E_y read before the edit, 0 absent to 1 present, by attribute.
        already_there: What was asked for and read so already.
        not_real_yet: What was asked for and is known not to look real, see `IcGAN.quality`.
        error: Why there is no picture.
    """

    image: Image | None
    number: int
    source: str = ""
    box: tuple[int, int, int, int] | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    already_there: tuple[str, ...] = ()
    not_real_yet: tuple[str, ...] = ()
    error: IcGANError | None = None


@dataclass(frozen=True)
class Streaming:
    """How a stream edits.

    Attributes:
        engine: Of the model.
        edit: Edits pictures that belong together: gives each with its inversion.
        presences: The edit.
        quality: Of the model.
        on_error: What happens to a picture that can't be edited.
    """

    engine: Engine
    edit: Callable[[Pictures], Iterator[tuple[Image, Inversion]]]
    presences: Mapping[str, float]
    quality: Quality | None
    on_error: OnError

    def results(self, images: Iterable[object], at_once: int) -> Iterator[EditResult]:
        """The results, in the pictures' order; pictures are asked for as they are needed.

        Raises:
            IcGANError: What the first picture raises that can't be edited, if that is to stop all.
        """
        named = ((image, f"picture {n}") for n, image in enumerate(images, start=1))
        groups, number = _together(named, self.engine.config), 0
        with _shared(self.engine, at_once):
            for done in in_order(groups, self._edit_group, at_once):
                for picture, outcome in done():
                    if isinstance(outcome, IcGANError) and self.on_error == "raise":
                        raise outcome
                    yield self._record(picture, outcome, number)
                    number += 1

    def _edit_group(
        self, group: list[Named]
    ) -> list[tuple[Named, tuple[Image, Inversion] | IcGANError]]:
        try:
            edited = list(self.edit(Pictures(group, len(group) == 1)))
        except IcGANError as error:
            if len(group) == 1:
                return [(group[0], error)]
            return [outcome for picture in group for outcome in self._edit_group([picture])]
        return list(zip(group, edited, strict=True))

    def _record(
        self, picture: Named, outcome: tuple[Image, Inversion] | IcGANError, number: int
    ) -> EditResult:
        source = name_of(picture[0])
        if isinstance(outcome, IcGANError):
            return EditResult(None, number, source, error=outcome)
        image, found = outcome
        return EditResult(
            image,
            number,
            source,
            found.box,
            found.scores,
            already_there(found.scores, self.presences),
            not_real_yet(self.quality, self.presences),
        )


def _together(named: Iterable[Named], config: ModelConfig) -> Iterator[list[Named]]:
    """Squares in groups that go through the networks together, and each photo alone."""
    for square, group in groupby(named, lambda picture: _is_square(picture[0], config)):
        while together := list(islice(group, CHUNK if square else 1)):
            yield together


def _is_square(image: object, config: ModelConfig) -> bool:
    if is_tensor(image):
        return True
    shape = getattr(image, "shape", None)
    side = config.photo.picture_size
    return config.faces is None and shape is not None and max(shape[:2], default=0) <= side


@contextmanager
def _shared(engine: Engine, callers: int) -> Iterator[None]:
    """Let so many threads share the cores meanwhile."""
    before = engine.share_cores(callers)
    try:
        yield
    finally:
        engine.share_cores(before)
