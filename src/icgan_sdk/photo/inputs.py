"""The one rule of how a picture becomes a model's input: aligned by its face, or cropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Literal, get_args

from PIL import Image

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, NoFaceFoundError, warn_of_photo
from icgan_sdk.photo.faces import FoundFace, search_faces
from icgan_sdk.photo.paste import open_photo
from icgan_sdk.photo.placement import Matrix, box_matrix, cut, face_matrix
from icgan_sdk.pictures.arrays import Floats, picture_to_array, tensor_to_array
from icgan_sdk.pictures.opening import (
    ImageLike,
    check_picture,
    is_tensor,
    name_of,
    open_picture,
)
from icgan_sdk.pictures.squares import fit_picture, fitting_box, needs_alignment

Align = Literal["auto", "always", "none"]
"""Whether faces are looked for: where it helps, in every picture, or never."""

Face = int | FoundFace | Literal["largest"]
"""Which face of a photo is taken: by number from the left, beginning with 0; one that `find_faces`
found; or the largest."""

FaceOrAll = Face | Literal["all"]

PasteBack = bool | Literal["auto"]
"""Whether an edit gives the whole photo, or the square; "auto": the photo, if a face was found."""

Missing = Literal["centre", "leave", "refuse"]
"""What becomes of a photo in which a face is looked for in vain."""


@dataclass(frozen=True, eq=False)
class Cut:
    """The square of a picture that the model sees.

    Attributes:
        square: Of the model's picture size.
        matrix: Where it lies in the upright picture: unit square to pixels, [2, 3].
        missed: Whether a face was looked for in vain, and this is the centre.
        found: Whether it lies where a face was found.
    """

    square: Image.Image
    matrix: Matrix
    missed: bool = False
    found: bool = False


@dataclass(frozen=True, eq=False)
class Placed:
    """What of a picture goes into the networks.

    Attributes:
        pixels: [C, P, P] in [-1, 1], P being the side of `ModelConfig.photo`.
        matrix: Where it lies in the upright picture, as in `Cut`; None for tensors.
    """

    pixels: Floats
    matrix: Matrix | None = None


def place(
    image: ImageLike,
    config: ModelConfig,
    align: Align = "auto",
    face: FaceOrAll = "largest",
    name: str = "the picture",
) -> Placed:
    """The square of one picture that the model sees; tensors are that square as they are.

    Args:
        image: One picture.
        config: The model's.
        align: As in `cut_photo`.
        face: As in `cut_photo`, but not "all": one picture gives one result.
        name: What messages call a picture that is no file.

    Raises:
        ConfigError: If an option is unknown, or the model can't align.
        ImageError: If a file can't be read.
        NoFaceFoundError: As in `cut_photo`.
        ShapeError: If an array or tensor doesn't fit.
    """
    check_options(config, align, face)
    refuse_all(face)
    if is_tensor(image):
        return Placed(tensor_to_array(image, config))
    source = check_picture(image)
    picture = open_picture(source, config.channels)
    (cut,) = cut_photo(picture, config, align, face, name_of(source) or name)
    return Placed(picture_to_array(cut.square, config.photo), cut.matrix)


@dataclass(frozen=True, eq=False)
class Subject:
    """What an edit changes of one picture.

    Attributes:
        squares: What goes into the networks, [C, P, P] each.
        photo: The photo that the changes go into; None: the one square itself is edited.
        matrices: Where the squares lie in the photo, as in `Cut`.
    """

    squares: Sequence[Floats]
    photo: Image.Image | None = None
    matrices: Sequence[Matrix] = ()


def find_subject(
    image: ImageLike,
    config: ModelConfig,
    align: Align,
    face: FaceOrAll,
    paste_back: PasteBack,
    name: str,
    *,
    alone: bool,
) -> Subject:
    """What an edit changes of a picture.

    Args:
        image: One picture.
        config: The model's.
        align: As in `cut_photo`.
        face: As in `cut_photo`.
        paste_back: Whether the result is the photo or the square.
        name: What messages call a picture that is no file.
        alone: Whether it is the only picture. A photo of several stays as it is where no face is
            found, with a warning, so that the others are edited.

    Raises:
        ConfigError: If an option is unknown, or the model can't align.
        ImageError: If a file can't be read.
        NoFaceFoundError: If there is no such face, or none in a single photo.
        ShapeError: If an array or tensor doesn't fit, or a tensor should be pasted back.
    """
    if paste_back is False or (paste_back == "auto" and is_tensor(image)):
        return Subject([place(image, config, align, face, name).pixels])
    flat, photo = open_photo(image, config.channels)
    missing: Missing = "refuse" if alone else "leave"
    cuts = cut_photo(flat, config, align, face, name_of(image) or name, missing=missing)
    squares = [picture_to_array(cut.square, config.photo) for cut in cuts]
    if paste_back == "auto" and cuts and not cuts[0].found:
        return Subject(squares)  # a picture that was aligned already
    return Subject(squares, photo, [cut.matrix for cut in cuts])


def cut_photo(
    picture: Image.Image,
    config: ModelConfig,
    align: Align = "auto",
    face: FaceOrAll = "largest",
    name: str = "the picture",
    *,
    missing: Missing = "centre",
) -> list[Cut]:
    """The squares of a picture that the model sees.

    With "auto", pictures of the proportions of the aligned frame or of the model's own size count
    as aligned already and are cropped, unless a face's number is given.

    Args:
        picture: Upright, "L" or "RGB", as `open_picture` gives it.
        config: The model's.
        align: Whether to look for faces.
        face: Which to take.
        name: What messages call the picture.
        missing: Where no face is found: "centre" crops with a warning, "leave" gives no square
            with a warning, "refuse" raises an error.

    Returns:
        One square; with face "all" one for each face.

    Raises:
        ConfigError: If an option is unknown, or the model can't align.
        NoFaceFoundError: If there is no face and align is "always" or missing is "refuse", or none
            of that number, or the given one is another picture's.
    """
    check_options(config, align, face)
    looked = _looks(picture, config, align, face)
    faces = search_faces(picture) if looked else []
    if isinstance(face, FoundFace):
        faces = [_within(picture, face, name)]
    if looked and not faces:
        if align == "always" or _is_number(face) or missing == "refuse":
            raise NoFaceFoundError(
                f"no face found in {name}; align='none' (--align none) takes the centre square"
            )
        fate = "its centre square is taken" if missing == "centre" else "it is left as it is"
        warn_of_photo(f"no face found in {name}: {fate}")
        if missing == "leave":
            return []
    matrices = [
        matrix
        for chosen in _choose(faces, face, name)
        if config.alignment and config.crop
        if (matrix := face_matrix(chosen.points, config.alignment, config.crop)) is not None
    ]
    size = config.photo.picture_size
    if not matrices:
        square = fit_picture(picture, size, config.crop)
        return [Cut(square, box_matrix(fitting_box(*picture.size, config.crop)), missed=looked)]
    return [Cut(cut(picture, matrix, size), matrix, found=True) for matrix in matrices]


def check_options(config: ModelConfig, align: object, face: object) -> None:
    """Raise ConfigError unless the options are known and the model can be aligned for."""
    if align not in get_args(Align):
        raise ConfigError(f"align must be 'auto', 'always' or 'none', not {align!r}")
    chosen = _is_number(face) or isinstance(face, FoundFace)
    if not chosen and face not in ("largest", "all"):
        raise ConfigError(
            f"face must be 'largest', 'all', a number from 0 or one that find_faces found, "
            f"not {face!r}"
        )
    if align == "always" and config.alignment is None:
        raise ConfigError("align='always' needs a model of aligned faces, which this is not")
    if face != "largest" and (align == "none" or config.alignment is None):
        reason = "align is 'none'" if align == "none" else "this is no model of aligned faces"
        raise ConfigError(f"no face is looked for, as {reason}: leave face={face!r} out")


def _is_number(face: object) -> bool:
    if isinstance(face, bool):
        return False
    return isinstance(face, Integral) and int(face) >= 0


def refuse_all(face: FaceOrAll) -> None:
    """Raise ConfigError where all faces are asked for but one picture gives one result."""
    if face == "all":
        raise ConfigError("all faces can only be edited where they are pasted back into the photo")


def _looks(picture: Image.Image, config: ModelConfig, align: Align, face: FaceOrAll) -> bool:
    """Whether to look for faces."""
    if align == "none" or config.alignment is None or isinstance(face, FoundFace):
        return False
    return align == "always" or _is_number(face) or needs_alignment(picture, config)


def refuse_shared(face: FaceOrAll, alone: bool) -> None:
    """Raise ConfigError where several pictures are given one found face."""
    if isinstance(face, FoundFace) and not alone:
        raise ConfigError("a face that find_faces found is of one picture: give that one alone")


def _within(picture: Image.Image, face: FoundFace, name: str) -> FoundFace:
    """The face, if it can be one of the picture's."""
    x, y = face.points.mean(axis=0)
    spread = face.points.std(axis=0).max()
    if not (0 <= x < picture.width and 0 <= y < picture.height and spread > 0):
        raise NoFaceFoundError(f"there is no face at {x:.0f}, {y:.0f} of {name}: find it anew")
    return face


def _choose(faces: list[FoundFace], face: FaceOrAll, name: str) -> list[FoundFace]:
    if not faces or face == "all" or isinstance(face, FoundFace):
        return faces
    if face == "largest":
        return [max(faces, key=lambda found: found.width)]
    if face >= len(faces):
        known = "one face, number 0" if len(faces) == 1 else f"{len(faces)} faces, numbered from 0"
        raise NoFaceFoundError(f"{name} has {known}: there is no face {face}")
    return [faces[face]]
