"""One edit, to be made in any number of pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PIL.Image import Image

from icgan_sdk.editing.inversion import Inversion
from icgan_sdk.editing.inverting import Pictures, inverted
from icgan_sdk.editing.latents import Detail
from icgan_sdk.engines.engine import Engine
from icgan_sdk.photo import Align, FaceOrAll, PasteBack, paste_changes


@dataclass(frozen=True)
class Editor:
    """An edit and its options, see `IcGAN.edit`.

    Attributes:
        engine: Runs the networks.
        presences: The edit, as `AttributeSet.resolve` gives it.
        detail: What it shows.
        paints: Whether a painter makes it.
        refine: Optimisation steps on z.
        align: Whether to look for faces.
        face: Which to take.
        keep: Whether the whole photo comes back.
    """

    engine: Engine
    presences: Mapping[str, float]
    detail: Detail
    paints: bool
    refine: int
    align: Align
    face: FaceOrAll
    keep: PasteBack

    def __call__(self, pictures: Pictures) -> Iterator[tuple[Image, Inversion]]:
        """The edited pictures, each with what was read in it before."""
        for found in inverted(
            self.engine,
            pictures,
            refine=self.refine,
            align=self.align,
            face=self.face,
            keep=self.keep,
            centre=self.keep is False,
        ):
            photo, matrices = found.subject.photo, found.subject.matrices
            if photo is None:
                yield found.edited(self.presences, self.detail), found
                continue
            if matrices:
                # In place: a large photo isn't kept twice.
                paste_changes(photo, found.change(self.presences), matrices)
            yield photo, found
