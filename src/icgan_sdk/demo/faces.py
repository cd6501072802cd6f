"""The faces of a visitor's picture: which there are, and which are edited."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from icgan_sdk.demo.uploads import invert
from icgan_sdk.editing import Inversion
from icgan_sdk.icgan import IcGAN
from icgan_sdk.photo import FoundFace, find_faces
from icgan_sdk.pictures.arrays import needs_alignment

LARGEST, ALL = "largest", "all"

FRAME = 1.6
"""Width of a frame, in widths of the face."""


class Found(NamedTuple):
    """What an edit of a picture changes.

    Attributes:
        pictures: One for each face that is chosen; none where no face was found.
        faces: All faces of the picture, from left to right, if there are several.
    """

    pictures: tuple[Inversion, ...] = ()
    faces: tuple[FoundFace, ...] = ()

    @property
    def first(self) -> Inversion | None:
        """The one whose readings are shown."""
        return self.pictures[0] if self.pictures else None

    def refined(self, steps: int) -> "Found":
        """The same with better z, see `Inversion.refined`."""
        return self._replace(pictures=tuple(picture.refined(steps) for picture in self.pictures))

    def whole(self, edit: Mapping[str, object]) -> Image.Image:
        """The whole photo with all chosen faces edited."""
        photo = self.pictures[0].photo
        for picture in self.pictures:
            photo = picture.paste_back(edit, onto=photo)
        return photo


def look(model: IcGAN, picture: Image.Image, face: str) -> Found:
    """Encode the chosen faces of a picture.

    Args:
        model: What encodes it.
        picture: Of any size.
        face: "largest", "all", or a face's number, counted from 0 at the left; the largest where
            there is none of that number.
    """
    aligned = not needs_alignment(picture, model.config)
    faces = () if aligned else tuple(find_faces(picture))
    if not faces:
        found = invert(model, picture, told=False) if aligned else None
        return Found((found,)) if found and found.box else Found()
    numbers = range(len(faces)) if face == ALL else [int(face)] if face.isdecimal() else []
    chosen = [faces[n] for n in numbers if n < len(faces)]
    chosen = chosen or [max(faces, key=lambda found: found.width)]
    pictures = tuple(invert(model, picture, one) for one in chosen)
    return Found(pictures, faces if len(faces) > 1 else ())


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
