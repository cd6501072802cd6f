"""Faces of group photos in the demo."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.demo import faces
from icgan_sdk.demo.full_size import full_size
from icgan_sdk.demo.parts import Upload
from icgan_sdk.errors import ImageError

EXAMPLE = Path(__file__).parents[2] / "examples" / "astronaut.jpg"


@pytest.fixture(scope="module")
def celeba() -> IcGAN:
    return IcGAN.from_pretrained("celeba", device="cpu")


@pytest.fixture(scope="module")
def pair() -> Image.Image:
    """Two faces, the right one larger."""
    page = Image.new("RGB", (700, 420), "gray")
    with Image.open(EXAMPLE) as face:
        page.paste(face.convert("RGB").resize((280, 280)), (10, 60))
        page.paste(face.convert("RGB").resize((380, 380)), (310, 20))
    return page


def changed(after: Image.Image, before: Image.Image) -> tuple[bool, bool]:
    """Whether the left and the right half differ."""
    apart = np.asarray(after) != np.asarray(before)
    return bool(apart[:, :300].any()), bool(apart[:, 310:].any())


@pytest.mark.parametrize(
    ("face", "halves"),
    [("largest", (False, True)), ("0", (True, False)), ("1", (False, True)), ("all", (True, True)),
     ("7", (False, True))],
)  # fmt: skip
def test_the_chosen_faces_are_edited(
    celeba: IcGAN, pair: Image.Image, face: str, halves: tuple[bool, bool]
) -> None:
    found, both = faces.look(celeba, pair, face)
    assert found is not None
    assert len(both) == 2
    assert [words for words, _ in faces.choices(both)] == ["The largest", "1", "2", "All"]
    assert changed(found.paste_back({"hair_color": "Blond_Hair"}), pair) == halves
    assert changed(faces.marked(pair, both), pair) == (True, True)


def test_where_there_is_no_face_nothing_is_read(celeba: IcGAN) -> None:
    assert faces.look(celeba, Image.new("RGB", (300, 200)), "largest") == (None, ())


def test_the_file_itself_is_edited(
    celeba: IcGAN, pair: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    pair.save(tmp_path / "us.webp", lossless=True)
    small = pair.resize((350, 210))
    for face in ("all", "0"):
        upload = Upload(tmp_path / "us.webp", "us.webp")
        path = full_size(
            celeba, upload, small, {"Smiling": 0.0}, face=face, detail="auto", whole=True
        )
        assert path.name == "us-edited.webp"
        with Image.open(path) as saved:
            assert saved.size == pair.size
    square = full_size(
        celeba, Upload(None, "x.bmp"), pair, {"Smiling": 0.0}, face="all", detail="photo",
        whole=False,
    )  # fmt: skip
    with Image.open(square) as saved:
        assert (square.name, saved.size) == ("x-edited.png", (128, 128))
    (tmp_path / "us.webp").unlink()
    with pytest.raises(ImageError, match=r"us\.webp is no longer here: upload it again"):
        full_size(celeba, upload, small, {}, face="all", detail="auto", whole=True)
