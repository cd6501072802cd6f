"""How a picture becomes a model's input: every rule of alignment and of choosing faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Literal, get_args

import numpy as np
from PIL import Image

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, NoFaceFoundError, ShapeError, warn_of_photo
from icgan_sdk.photo.faces import FoundFace, search_faces
from icgan_sdk.photo.placement import Matrix, box_matrix, cut, face_matrix
from icgan_sdk.pictures.arrays import (
    Floats,
    fit_picture,
    fitting_box,
    needs_alignment,
    picture_to_array,
    tensor_to_array,
)
from icgan_sdk.pictures.colour import profile_of, to_srgb
from icgan_sdk.pictures.metadata import metadata_of
from icgan_sdk.pictures.opening import (
    ImageLike,
    check_picture,
    decoded,
    in_mode,
    in_own_colours,
    is_tensor,
    name_of,
    upright,
)

Align = Literal["auto", "always", "none"]
"""Whether faces are looked for.

- "auto": in photos, whose face is turned, scaled and cut as in the training pictures. Of an aligned
  picture (the frame's proportions, or the model's size) the crop is taken.
- "always": in every picture, whatever its size; none found: NoFaceFoundError.
- "none": never; the crop or the centre square is taken.
"""

Face = int | FoundFace | Literal["largest"]
"""Which face of a photo is taken: by number from the left, beginning with 0; one that `find_faces`
found; or the largest."""

FaceOrAll = Face | Literal["all"]

PasteBack = bool | Literal["auto"]
"""Whether an edit gives the whole photo, or the square; "auto": the photo, if a face was found."""

NO_PHOTO = "a tensor is no photo to paste back into: give a path, image or array"

EIGHT_BIT_MODES = {"L", "LA", "P", "PA", "RGB", "RGBA", "RGBa"}


@dataclass(frozen=True, eq=False)
class Subject:
    """What of a picture goes into the networks, and where it lies in the picture.

    Attributes:
        pixels: One square for each chosen face, or one for the picture: [N, C, P, P] in [-1, 1], N
            from 1, P being the side of `ModelConfig.photo`.
        photo: The picture upright, as `open_photo` keeps it; None for tensors, and where only the
            squares are wanted.
        matrices: Where the squares lie in the picture: N maps [2, 3] from the unit square to
            pixels. None at all for tensors, and where no face was found: the one square is then the
            centre, which nothing is pasted into.
        found: Whether the squares lie where faces were found.
    """

    pixels: Floats
    photo: Image.Image | None = None
    matrices: Sequence[Matrix] = ()
    found: bool = False


def find_subject(
    image: ImageLike,
    config: ModelConfig,
    align: Align = "auto",
    face: FaceOrAll = "largest",
    *,
    name: str = "the picture",
    alone: bool = True,
    keep: PasteBack = False,
    centre: bool = True,
) -> Subject:
    """Open a picture and cut out what a model sees of it; a tensor is that square already.

    With align "auto", pictures of the proportions of the aligned frame or of the model's own size
    count as aligned already and are cropped, unless a face's number is given.

    Args:
        image: One picture.
        config: The model's.
        align: Whether to look for faces.
        face: Which to take.
        name: What messages call a picture that is no file.
        alone: Whether it is the only picture.
        keep: Whether the photo is kept; "auto": if a face was looked for.
        centre: Whether the centre square stands in for a face that isn't found, with a warning;
            else a photo of several is left as it is, with a warning, and a lone one refused.

    Raises:
        ConfigError: If an option is unknown, the model can't align, or the options don't go
            together.
        ImageError: If a file can't be read.
        NoFaceFoundError: If there is no face and align is "always", or nothing stands in for it,
            or none of that number, or the given one is another picture's.
        ShapeError: If an array or tensor doesn't fit, or a tensor should be a photo.
    """
    _check_options(config, align, face, alone)
    if face == "all" and (keep is False or (is_tensor(image) and keep == "auto")):
        raise ConfigError("all faces can only be edited where they are pasted back into the photo")
    if is_tensor(image):
        if keep is True and (face == "all" or not centre):
            raise ShapeError(NO_PHOTO)
        return Subject(tensor_to_array(image, config)[None])
    picture, photo = open_photo(image, config.channels)
    name = name_of(image) or name
    looked = _looks(picture, config, align, face)
    faces = search_faces(picture) if looked else []
    if looked and not faces:
        if align == "always" or _is_number(face) or (alone and not centre):
            raise NoFaceFoundError(
                f"no face found in {name}; align='none' (--align none) takes the centre square"
            )
        fate = "its centre square is taken" if centre else "it is left as it is"
        warn_of_photo(f"no face found in {name}: {fate}")
    matrices = [
        matrix
        for chosen in _choose(picture, faces, face, name)
        if config.faces and config.crop
        if (matrix := face_matrix(chosen.points, config.faces, config.crop)) is not None
    ]
    side = config.photo.picture_size
    kept = photo if keep is True or (keep == "auto" and (looked or matrices)) else None
    if matrices:
        squares = [cut(picture, matrix, side) for matrix in matrices]
        return Subject(_stacked(squares, config), kept, matrices, found=True)
    square = fit_picture(picture, side, config.crop)
    at = [] if looked else [box_matrix(fitting_box(*picture.size, config.crop))]
    return Subject(_stacked([square], config), kept, at)


def open_photo(image: object, channels: int) -> tuple[Image.Image, Image.Image]:
    """Read a photo as the model sees it, and with all that an edit should leave as it is.

    Args:
        image: PIL image, path or uint8 array.
        channels: 1 (grey) or 3 (RGB).

    Returns:
        The photo upright, as the model wants it ("L" or "RGB"); the same as it was, grey or
        coloured, in 8 bits, with its alpha channel, if it has one ("LA", "RGBA"), and in ``info``
        its colour profile, as far as that still fits, and `metadata_of` it.

    Raises:
        ImageError: If the file is missing, not a picture, damaged or absurdly large.
        ShapeError: If it is a tensor or else no photo.
    """
    if is_tensor(image):
        raise ShapeError(NO_PHOTO)
    source = check_picture(image)
    with decoded(source) as picture:
        own, profile = in_own_colours(picture), profile_of(picture)
        if own is source:  # the caller's stays as it is
            own = own.copy()
        flat = in_mode(to_srgb(own, profile), "L" if channels == 1 else "RGB")
        return flat, _complete(picture, own, profile, flat)


def _complete(
    source: Image.Image, own: Image.Image, profile: bytes | None, flat: Image.Image
) -> Image.Image:
    if source.mode == "La":  # the only mode that Pillow converts it to
        source = source.convert("LA")
    # Other colours than the model's come back as the model saw them.
    keeps_colours = own.mode in {"L", flat.mode}
    result = own if keeps_colours else flat
    if source.has_transparency_data and source.mode in EIGHT_BIT_MODES:
        rgba = upright(source).convert("RGBA")
        result = (rgba if keeps_colours else flat).convert(result.mode)
        result.putalpha(rgba.getchannel("A"))
    # A profile of 16-bit grey is not one of 8-bit grey.
    fits = profile is not None and keeps_colours and source.mode in EIGHT_BIT_MODES
    kept = metadata_of(source)  # before what may be the source's own
    result.info = {"icc_profile": profile} if fits else {}
    result.info.update(kept)
    return result


def _check_options(config: ModelConfig, align: object, face: object, alone: bool) -> None:
    """Raise ConfigError unless the options are known, fit each other and the model."""
    if align not in get_args(Align):
        raise ConfigError(f"align must be 'auto', 'always' or 'none', not {align!r}")
    chosen = _is_number(face) or isinstance(face, FoundFace)
    if not chosen and face not in ("largest", "all"):
        raise ConfigError(
            f"face must be 'largest', 'all', a number from 0 or one that find_faces found, "
            f"not {face!r}"
        )
    if align == "always" and config.faces is None:
        raise ConfigError("align='always' needs a model of aligned faces, which this is not")
    if face != "largest" and (align == "none" or config.faces is None):
        reason = "align is 'none'" if align == "none" else "this is no model of aligned faces"
        raise ConfigError(f"no face is looked for, as {reason}: leave face={face!r} out")
    if isinstance(face, FoundFace) and not alone:
        raise ConfigError("a face that find_faces found is of one picture: give that one alone")


def _is_number(face: object) -> bool:
    if isinstance(face, bool):
        return False
    return isinstance(face, Integral) and int(face) >= 0


def _looks(picture: Image.Image, config: ModelConfig, align: Align, face: FaceOrAll) -> bool:
    """Whether to look for faces."""
    if align == "none" or config.faces is None or isinstance(face, FoundFace):
        return False
    return align == "always" or _is_number(face) or needs_alignment(picture, config)


def _choose(
    picture: Image.Image, faces: list[FoundFace], face: FaceOrAll, name: str
) -> list[FoundFace]:
    """Those of the found faces that are asked for.

    Raises:
        NoFaceFoundError: If there is none of that number, or the given one can't be the picture's.
    """
    if isinstance(face, FoundFace):
        x, y = face.points.mean(axis=0)
        spread = face.points.std(axis=0).max()
        if not (0 <= x < picture.width and 0 <= y < picture.height and spread > 0):
            raise NoFaceFoundError(f"there is no face at {x:.0f}, {y:.0f} of {name}: find it anew")
        return [face]
    if not faces or face == "all":
        return faces
    if face == "largest":
        return [max(faces, key=lambda found: found.width)]
    if face >= len(faces):
        known = "one face, number 0" if len(faces) == 1 else f"{len(faces)} faces, numbered from 0"
        raise NoFaceFoundError(f"{name} has {known}: there is no face {face}")
    return [faces[face]]


def _stacked(squares: Sequence[Image.Image], config: ModelConfig) -> Floats:
    return np.stack([picture_to_array(square, config.photo) for square in squares])
