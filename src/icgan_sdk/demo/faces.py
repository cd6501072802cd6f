"""The faces of a visitor's picture: which there are, and which are edited."""

from collections.abc import Sequence
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from icgan_sdk.demo.uploads import invert
from icgan_sdk.editing import Inversion
from icgan_sdk.icgan import IcGAN
from icgan_sdk.photo import FoundFace, find_faces
from icgan_sdk.pictures.arrays import needs_alignment

LARGEST: Literal["largest"] = "largest"
ALL: Literal["all"] = "all"

FRAME = 1.6
"""Width of a frame, in widths of the face."""


def look(
    model: IcGAN, picture: Image.Image, face: str
) -> tuple[Inversion | None, tuple[FoundFace, ...]]:
    """Encode the chosen faces of a picture.

    Args:
        model: What encodes it.
        picture: Of any size.
        face: "largest", "all", or a face's number, counted from 0 at the left; the largest where
            there is none of that number.

    Returns:
        The picture with the chosen faces, None where a face was looked for in vain; and all its
        faces, from left to right, if it was searched.
    """
    if not needs_alignment(picture, model.config):
        return invert(model, picture, told=False), ()
    found = tuple(find_faces(picture))
    if not found:
        return None, ()
    if face == ALL:
        return invert(model, picture, ALL), found
    numbered = face.isdecimal() and int(face) < len(found)
    chosen = found[int(face)] if numbered else max(found, key=lambda one: one.width)
    return invert(model, picture, chosen), found


def choices(faces: Sequence[FoundFace]) -> list[tuple[str, str]]:
    """What a visitor can choose, by its words."""
    numbers = [(str(number + 1), str(number)) for number in range(len(faces))]
    return [("The largest", LARGEST), *numbers, ("All", ALL)]


def marked(picture: Image.Image, faces: Sequence[FoundFace]) -> Image.Image:
    """A picture with a numbered frame around each face."""
    shown = picture.convert("RGB")
    draw = ImageDraw.Draw(shown)
    size = max(14, max(shown.size) // 32)
    font = ImageFont.load_default(size)
    for number, face in enumerate(faces, start=1):
        x, y = face.points.mean(axis=0)
        reach = FRAME * face.width / 2
        left, top = x - reach, y - 1.2 * reach
        draw.rectangle((left, top, x + reach, y + 1.2 * reach), outline="white", width=size // 6)
        draw.rectangle((left, top, left + size, top + 1.2 * size), fill="white")
        draw.text((left + size / 2, top + size * 0.6), str(number), "black", font, anchor="mm")
    return shown
