"""The bundled model of faces, on the shipped portrait and on real test faces."""

from io import BytesIO
from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.bundled import BUNDLED_ROOT
from icgan_sdk.pictures.arrays import fit_picture

PORTRAIT = Path(__file__).parents[2] / "examples" / "astronaut.jpg"
CLEAR = ("Black_Hair", "Blond_Hair", "Eyeglasses", "Gray_Hair", "Pale_Skin", "Smiling")


@pytest.fixture(scope="module")
def celeba() -> IcGAN:
    return IcGAN.from_pretrained("celeba", device="cpu", local_files_only=True)


def pixels(picture: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(picture, np.float64) / 255


def test_has_the_papers_attributes_and_is_small() -> None:
    model = IcGAN.from_pretrained("celeba", device="cpu")
    assert model.attributes == AttributeSet.celeba().names
    assert (model.config.image_size, model.config.painter_size) == (128, 128)
    files = (BUNDLED_ROOT / "celeba").glob("*.safetensors")
    assert sum(path.stat().st_size for path in files) < 60e6


@pytest.mark.parametrize("name", CLEAR)
def test_edits_of_the_shipped_portrait_read_as_asked(celeba: IcGAN, name: str) -> None:
    absent, present = (
        celeba.predict_attributes(celeba.edit(PORTRAIT, {name: presence}, detail="generated"))
        for presence in (0, 1)
    )
    assert present[name] > 0.5 > absent[name]


def test_fractions_lie_between(celeba: IcGAN) -> None:
    steps = [
        pixels(celeba.edit(PORTRAIT, Eyeglasses=a, detail="generated"))
        for a in (0, 0.25, 0.5, 0.75, 1)
    ]
    jumps = [np.abs(b - a).mean() for a, b in pairwise(steps)]
    assert max(jumps) < 0.75 * np.abs(steps[-1] - steps[0]).mean()


def test_exclusive_groups(celeba: IcGAN) -> None:
    edited = celeba.edit(PORTRAIT, hair_color="Black_Hair", detail="generated")
    scores = celeba.predict_attributes(edited)
    hair = {name: scores[name] for name in celeba.groups["hair_color"]}
    assert max(hair, key=hair.__getitem__) == "Black_Hair"


def test_reconstruction_and_refinement(celeba: IcGAN) -> None:
    with Image.open(PORTRAIT) as picture:
        original = pixels(fit_picture(picture.convert("RGB"), 128, celeba.config.crop))
    plain, refined = (
        float(np.mean((pixels(celeba.reconstruct(PORTRAIT, refine=n)) - original) ** 2))
        for n in (0, 50)
    )
    assert plain < 0.03
    assert refined < 0.8 * plain


def read_test_faces(shared: Path, count: int) -> list[Image.Image]:
    folder = shared / "data" / "celeba"
    lines = (folder / "list_eval_partition.txt").read_text().splitlines()
    tested = {line.split()[0] for line in lines if line.split()[1] == "2"}
    with ZipFile(folder / "img_align_celeba.zip") as archive:
        paths = [path for path in archive.namelist() if Path(path).name in tested][:count]
        return [Image.open(BytesIO(archive.read(path))) for path in paths]


@pytest.mark.slow
def test_real_test_faces(celeba: IcGAN, shared: Path) -> None:
    """100 faces the model has not seen; the published figures are those of another judge."""
    faces = read_test_faces(shared, 100)
    for name in ("Eyeglasses", "Smiling"):
        for presence in (0, 1):
            edited = celeba.edit(faces, {name: presence}, detail="generated")
            scores = [scores[name] for scores in celeba.predict_attributes(edited)]
            right = sum((score > 0.5) == bool(presence) for score in scores)
            assert right >= 85, (name, presence)
