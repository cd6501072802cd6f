"""The edited photo at the size it was uploaded in, under its name, in its format."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from icgan_sdk.demo.faces import ALL
from icgan_sdk.demo.parts import Upload, bare, kept
from icgan_sdk.editing import Detail
from icgan_sdk.errors import ImageError
from icgan_sdk.icgan import IcGAN
from icgan_sdk.photo import Face, FaceOrAll
from icgan_sdk.pictures.saving import save_picture

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
"""Of the formats that an edited photo keeps; others become PNG."""


def full_size(
    model: IcGAN,
    upload: Upload,
    picture: Image.Image,
    wanted: Mapping[str, float],
    *,
    face: str,
    detail: Detail,
    whole: bool,
) -> Path:
    """Edit the file itself, or the example, and write the result.

    Args:
        model: What edits it.
        upload: The visitor's file.
        picture: What is kept of it for the session.
        wanted: Presences by name.
        face: As in `look`.
        detail: As in `IcGAN.edit`.
        whole: Whether the result is the whole photo.

    Raises:
        ImageError: If the file is gone: it is kept for an hour at most.
    """
    if upload.path is not None and not upload.path.is_file():
        raise ImageError(f"{upload.name} is no longer here: upload it again")
    source = picture if upload.path is None else upload.path
    one: Face = int(face) if face.isdecimal() else "largest"
    if whole:
        chosen: FaceOrAll = "all" if face == ALL else one
        edited = model.edit(source, wanted, detail=detail, face=chosen, paste_back=True)
    else:
        edited = model.edit(source, wanted, detail=detail, face=one, paste_back=False)
    name = Path(upload.name)
    suffix = name.suffix.lower() if name.suffix.lower() in SUFFIXES else ".png"
    path = kept(f"{name.stem[:100]}-edited{suffix}", folder=secrets.token_hex(8))
    save_picture(bare(edited), path, metadata=True)  # which is no more than a JPEG's quality
    return path
