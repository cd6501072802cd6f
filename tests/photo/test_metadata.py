"""What an edited photo's file keeps of its original's."""

from pathlib import Path
from typing import cast

import pytest
from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from icgan_sdk.cli.main import run
from icgan_sdk.pictures.metadata import metadata_of

MAKER, ORIENTATION, GPS, THUMBNAIL_AT = 0x010F, 0x0112, 0x8825, 0x0201
SIDEWAYS = 6


@pytest.fixture
def folder(photo: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a photo of a camera that was held upright, and as it is viewed."""
    monkeypatch.chdir(tmp_path)
    exif = Image.Exif()
    exif[MAKER], exif[ORIENTATION] = "Maker", SIDEWAYS
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 1.0, 2.0)})
    stored = photo.transpose(Image.Transpose.ROTATE_90)
    stored.save("photo.jpg", exif=exif, quality=63, subsampling=0)
    return tmp_path


def test_exif_and_quality_are_kept(folder: Path, photo: Image.Image) -> None:
    for name in ("out.jpg", "out.webp", "out.png"):
        assert run(["edit", "photo.jpg", "--set", "Smiling=0", "-o", name]) == 0
        with Image.open(name) as edited:
            assert edited.size == photo.size
            exif = edited.getexif()
            assert (exif[MAKER], ORIENTATION in exif) == ("Maker", False)
            assert exif.get_ifd(GPS)[1] == "N"
    with Image.open("photo.jpg") as original, Image.open("out.jpg") as edited:
        ours, theirs = cast(JpegImageFile, edited), cast(JpegImageFile, original)
        assert ours.quantization == theirs.quantization
        assert get_sampling(ours) == get_sampling(theirs)


def test_metadata_are_dropped_if_asked(folder: Path) -> None:
    command = ["edit", "photo.jpg", "Smiling=0", "--strip-metadata", "-o"]
    for name in ("out.jpg", "out.png"):
        assert run([*command, name]) == 0
        with Image.open(name) as edited:
            assert dict(edited.getexif()) == {}


def test_jpegs_stay_jpegs_in_a_folder(folder: Path, photo: Image.Image) -> None:
    photo.save("other.png")
    photo.save("loud.JPG")
    files = ["photo.jpg", "other.png", "loud.JPG"]
    assert run(["edit", *files, "--set", "Smiling=0", "-o", "out"]) == 0
    assert sorted(p.name for p in Path("out").iterdir()) == ["loud.JPG", "other.png", "photo.jpg"]
    assert run(["edit", *files, "--set", "Smiling=0", "--crop", "-o", "squares"]) == 0
    assert {p.suffix for p in Path("squares").iterdir()} == {".png"}


def test_the_small_copy_within_is_dropped() -> None:
    """It would still show the photo as it was."""
    photo = Image.new("RGB", (4, 4))
    photo.info["exif"] = THUMBNAILED
    assert photo.getexif().get_ifd(ExifTags.IFD.IFD1) == {THUMBNAIL_AT: 44}
    kept = Image.Exif()
    kept.load(metadata_of(photo)["exif"])
    assert kept[MAKER] == "Maker"
    assert not kept.get_ifd(ExifTags.IFD.IFD1)


def test_exif_that_a_jpeg_can_not_hold_is_dropped(folder: Path, photo: Image.Image) -> None:
    exif = Image.Exif()
    exif[MAKER] = "M" * 70_000
    photo.save("long.png", exif=exif)
    for name, kept in (("out.jpg", False), ("out.png", True)):
        assert run(["edit", "long.png", "Smiling=0", "-o", name]) == 0
        with Image.open(name) as edited:
            assert (MAKER in edited.getexif()) is kept


def test_damaged_exif_is_dropped() -> None:
    photo = Image.new("RGB", (4, 4))
    photo.info["exif"] = b"Exif\0\0MM\0*\0\0\0\x08\0\xff"
    assert "exif" not in metadata_of(photo)


# One directory with the maker's name, then a second one with a place of a thumbnail.
THUMBNAILED = (
    b"Exif\0\0MM\0*\0\0\0\x08"
    b"\0\x01\x01\x0f\0\x02\0\0\0\x06\0\0\0\x2c\0\0\0\x1a"
    b"\0\x01\x02\x01\0\x04\0\0\0\x01\0\0\0\x2c\0\0\0\0"
    b"Maker\0"
)
