"""Pictures as they come from strangers: limited in bytes and pixels, never a path or an address."""

import html
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image

from icgan_sdk.editing import Inversion
from icgan_sdk.errors import IcGANError, ImageError, PhotoWarning
from icgan_sdk.icgan import IcGAN
from icgan_sdk.photo import FaceOrAll
from icgan_sdk.pictures.formats import open_listed
from icgan_sdk.pictures.opening import open_picture

MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
"""What phones' cameras give, and no more: reading takes up to 20 bytes of memory a pixel."""

_INVERTING = threading.Lock()

KEPT_SIDE = 1024
"""Larger pictures are scaled down to this, pixels, before they are kept for the session."""


@contextmanager
def as_messages() -> Iterator[None]:
    """Show the package's errors as messages on the page."""
    try:
        yield
    except IcGANError as error:
        # Gradio's messages are HTML, and the error may quote what a visitor named a file.
        raise gr.Error(html.escape(str(error)), print_exception=False) from error


def invert(
    model: IcGAN, picture: Image.Image, face: FaceOrAll = "largest", *, told: bool = True
) -> Inversion:
    """A picture encoded, for the session.

    Args:
        model: What encodes it.
        picture: Of any size.
        face: Which face.
        told: Whether a message says so where no face is found.
    """
    # Python's filters of warnings are shared by all threads.
    with _INVERTING, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", PhotoWarning)
        inversion = model.invert(picture, face=face)
    for warning in warned:
        if told and issubclass(warning.category, PhotoWarning):
            gr.Warning(html.escape(str(warning.message)))
    return inversion


def read_upload(path: Path, name: str) -> Image.Image:
    """An uploaded picture: upright, RGB, no side longer than KEPT_SIDE.

    Args:
        path: Where it lies.
        name: What the visitor called it, for messages.

    Raises:
        ImageError: If it has too many pixels, or is no picture that can be read.
    """
    try:
        file = open_listed(path)
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} has too many pixels: scale it down first") from error
    except Exception as error:  # decoders raise errors of many kinds
        raise ImageError(f"{name} is not a picture that can be read") from error
    with file:
        if file.width * file.height > MAX_PIXELS:
            raise ImageError(
                f"{name} has {file.width}×{file.height} pixels, more than "
                f"{MAX_PIXELS // 10**6} million: scale it down first"
            )
        file.draft("RGB", (KEPT_SIDE, KEPT_SIDE))  # JPEG's decoder gives less than all it could
        try:
            picture = open_picture(file, channels=3)
        except ImageError as error:
            raise ImageError(f"{name} can't be read, it may be damaged") from error
    picture.thumbnail((KEPT_SIDE, KEPT_SIDE))
    return picture


def accept_upload(payload: Mapping[str, object] | None) -> Image.Image | None:
    """The picture that a browser says it has uploaded; for listeners with ``preprocess=False``.

    Gradio's own preprocessing would fetch addresses that a visitor sends, and decode before anyone
    counts pixels.

    Args:
        payload: Gradio's description of a file, as the visitor sent it; None: no picture.

    Raises:
        gr.Error: If no such file was uploaded, or `read_upload` refuses it.
    """
    if payload is None:
        return None
    path = Path(str(payload.get("path"))).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()) or not path.is_file():
        raise gr.Error("Upload the picture itself.", print_exception=False)
    with as_messages():
        return read_upload(path, Path(str(payload.get("orig_name") or "The picture")).name)
