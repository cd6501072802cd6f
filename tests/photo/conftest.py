"""Photos with faces: the shipped portrait, put into larger pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.photo.faces import FoundFace, find_faces

PORTRAIT = Path(__file__).parents[2] / "examples" / "astronaut.jpg"


def blank(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), (120, 130, 125))


@pytest.fixture(scope="session")
def portrait() -> Image.Image:
    with Image.open(PORTRAIT) as picture:
        return picture.convert("RGB")


@pytest.fixture(scope="session")
def photo(portrait: Image.Image) -> Image.Image:
    """A wide photo with one face, right of the centre."""
    canvas = blank(700, 460)
    canvas.paste(portrait.resize((267, 327)), (400, 80))
    return canvas


@pytest.fixture(scope="session")
def pair(portrait: Image.Image) -> Image.Image:
    """Two faces, the right one larger."""
    canvas = blank(760, 460)
    canvas.paste(portrait.resize((214, 262)), (60, 120))
    canvas.paste(portrait, (390, 10))
    return canvas


@pytest.fixture(scope="session")
def found(photo: Image.Image) -> FoundFace:
    (face,) = find_faces(photo)
    return face


@pytest.fixture(scope="session")
def celeba() -> IcGAN:
    return IcGAN.from_pretrained("celeba", device="cpu", local_files_only=True)


def difference(a: Image.Image, b: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """How far apart the pixels of two pictures are, from 0 to 255, the largest of the channels."""
    apart = np.abs(np.asarray(a, np.int64) - np.asarray(b, np.int64))
    return np.asarray(apart.max(axis=2) if apart.ndim == 3 else apart)
