"""Faces as their photos show them, for sheets and animations."""

from collections.abc import Mapping

from PIL import Image

from icgan_sdk.editing import Inversion
from icgan_sdk.errors import ConfigError
from icgan_sdk.pictures.grids import captioned

CELL = 256
"""Side of a face that is shown as its photo has it, pixels."""

COLUMNS = 5
"""Of a sheet that shows what each attribute does to a photo."""

LONGEST = 640
"""Longer side of a photo that is animated, pixels."""


def shows_photo(found: Inversion, paste_back: bool | None) -> bool:
    """Whether a picture is shown as its photo has it, rather than as the model's square.

    Args:
        found: The picture.
        paste_back: As the user said; None: where a face was looked for and found.

    Raises:
        ConfigError: If the photo is asked for, but no face was found in it.
    """
    if paste_back and found.box is None:
        raise ConfigError("no face found to paste back: leave --paste-back out")
    return found.is_cut if paste_back is None else paste_back


def turned_round(
    found: Inversion, paste_back: bool | None, *, titles: bool
) -> list[list[Image.Image]]:
    """Rows of a sheet: a picture, and an edit of it for each attribute.

    Args:
        found: The picture.
        paste_back: As in `shows_photo`.
        titles: Whether each is named.
    """
    edits: dict[str, dict[str, float]] = {"Original": {}, **found.opposites()}
    if shows_photo(found, paste_back):
        pictures = [_face(found.paste_back(edit), found) for edit in edits.values()]
    else:
        pictures = [found.edit(edit, detail="photo") for edit in edits.values()]
    cells = captioned(pictures, list(edits)) if titles else pictures
    return [cells[i : i + COLUMNS] for i in range(0, len(cells), COLUMNS)]


def _face(photo: Image.Image, found: Inversion) -> Image.Image:
    """What a photo shows where the model looks."""
    return photo.convert("RGB").resize((CELL, CELL), Image.Resampling.LANCZOS, box=found.box)


def transition(
    found: Inversion,
    edit: Mapping[str, object],
    steps: int,
    paste_back: bool | None,
    is_animation: bool,
) -> list[Image.Image]:
    """Pictures from a photo to an edit of it; an animation shows the whole photo, and goes back.

    Args:
        found: The photo.
        edit: Changes by name.
        steps: Pictures one way.
        paste_back: As in `shows_photo`.
        is_animation: Whether they are shown one after another.
    """
    whole = shows_photo(found, paste_back)
    pictures = found.towards(edit, steps=steps, paste_back=whole)
    if not is_animation:
        return [_face(picture, found) for picture in pictures] if whole else pictures
    for picture in pictures if whole else ():
        picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    return [*pictures, *pictures[-2:0:-1]]
