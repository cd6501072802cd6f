"""What is written can be read again, and holds of the original's metadata only what tells of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, TiffImagePlugin

from icgan_sdk import SaveError, save_picture
from icgan_sdk.photo.subject import open_photo
from icgan_sdk.pictures.metadata import CAMERA, HEIGHT, KEPT, KEPT_OF_CAMERA, PLACE, WIDTH

MAKER, MAKER_NOTE, EXPOSURE = 0x010F, 0x927C, 0x829A
LAYOUT = {254, 256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338}
"""TIFF tags that say how a file is laid out."""


@pytest.fixture
def photo() -> Image.Image:
    y, x = np.mgrid[:40, :56]
    return Image.fromarray(np.dstack([4 * x, 6 * y, 255 - 4 * x]).astype(np.uint8))


def difference(path: Path, photo: Image.Image) -> float:
    with Image.open(path) as again:
        pixels = np.asarray(again.convert("RGB"), np.int16)
    return float(np.abs(pixels - np.asarray(photo.convert("RGB"), np.int16)).mean())


@pytest.mark.parametrize("mode", ["CMYK", "P", "LAB", "L", "LA", "RGBA", "1", "I;16"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_tiffs_of_every_kind_come_back_readable(
    photo: Image.Image, mode: str, compression: str | None, tmp_path: Path
) -> None:
    source = photo.convert("L").convert("I;16") if mode == "I;16" else photo.convert(mode)
    source.save(tmp_path / "in.tif", compression=compression)
    flat, kept = open_photo(tmp_path / "in.tif", 3)
    save_picture(kept, tmp_path / "out.tif", metadata=True)
    assert difference(tmp_path / "out.tif", flat) <= 1
    with Image.open(tmp_path / "out.tif") as again:
        assert again.size == photo.size
        # Whatever layout it has is Pillow's own for these pixels.
        kept.info = {}
        kept.save(tmp_path / "plain.tif")
        with Image.open(tmp_path / "plain.tif") as plain:
            ours, theirs = (dict(t.tag_v2) for t in (again, plain))  # type: ignore[attr-defined]
        assert {t: ours.get(t) for t in LAYOUT - {273, 279}} == {
            t: theirs.get(t) for t in LAYOUT - {273, 279}
        }


def test_tiffs_with_planes_or_an_unnamed_channel_come_back_readable(
    photo: Image.Image, tmp_path: Path
) -> None:
    planes = tmp_path / "planes.tif"
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[MAKER], info[317], info[338] = "Maker", 2, (0,)  # a predictor, a channel without a name
    pixels = np.asarray(photo)
    four = Image.fromarray(np.dstack([pixels, pixels[..., :1]]))
    four.save(planes, tiffinfo=info)
    _, kept = open_photo(planes, 3)
    save_picture(kept, planes, metadata=True)
    assert difference(planes, photo) == 0
    with Image.open(planes) as again:
        assert again.getexif()[MAKER] == "Maker"


FORMATS = ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "tif", "tiff", "avif"]


def exif_of(size: tuple[int, int]) -> Image.Exif:
    exif = Image.Exif()
    exif[MAKER], exif[0x0112], exif[0x0131] = "Maker", 6, "Program"
    exif[0x8649], exif[0x0201] = b"8BIM", 44  # Photoshop's block and a thumbnail's place
    exif.get_ifd(CAMERA).update(
        {EXPOSURE: 0.25, MAKER_NOTE: b"a small copy", WIDTH: size[0], HEIGHT: size[1]}
    )
    exif.get_ifd(PLACE).update({1: "N", 2: (48.0, 1.0, 2.0)})
    exif[CAMERA] = exif[PLACE] = 0
    return exif


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("through", ["jpg", "tif", "png"])
def test_exif_stays_in_every_format_that_holds_it(
    photo: Image.Image, suffix: str, through: str, tmp_path: Path
) -> None:
    turned = photo.transpose(Image.Transpose.ROTATE_90)
    source = tmp_path / f"in.{through}"
    turned.save(source, exif=exif_of(turned.size))
    target = tmp_path / f"out.{suffix}"
    save_picture(open_photo(source, 3)[1], target, metadata=True)
    second = tmp_path / f"again.{through}"  # and through a second format
    save_picture(open_photo(target, 3)[1], second, metadata=True)
    for path in (target, second):
        with Image.open(path) as again:
            assert again.size == photo.size
            exif = again.getexif()
            camera, place = exif.get_ifd(CAMERA), exif.get_ifd(PLACE)
            thumbnail = exif.get_ifd(ExifTags.IFD.IFD1)
        assert (exif[MAKER], exif[0x0131]) == ("Maker", "Program")
        assert float(camera[EXPOSURE]) == 0.25
        assert (camera[WIDTH], camera[HEIGHT]) == photo.size
        assert place[1] == "N"
        assert MAKER_NOTE not in camera
        assert not thumbnail
        within = set(exif) - LAYOUT - {CAMERA, PLACE, 282, 283, 296, 34675}
        assert within <= KEPT
        assert set(camera) <= KEPT_OF_CAMERA


def test_resolution_stays(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "in.jpg", dpi=(300, 300))
    for name in ("out.jpg", "out.png", "out.tif"):
        save_picture(open_photo(tmp_path / "in.jpg", 3)[1], tmp_path / name, metadata=True)
        with Image.open(tmp_path / name) as again:
            assert again.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_a_users_own_tiff_is_written_as_it_looks(photo: Image.Image, tmp_path: Path) -> None:
    photo.convert("1").save(tmp_path / "fax.tif", compression="group4")
    with Image.open(tmp_path / "fax.tif") as fax:
        fax.load()
        coloured = fax.convert("RGB")  # keeps the compression in its info
        save_picture(coloured, tmp_path / "out.tif")
        save_picture(fax, tmp_path / "same.tif")
    assert difference(tmp_path / "out.tif", coloured) == 0
    assert difference(tmp_path / "same.tif", coloured) == 0


def test_what_comes_out_wrong_leaves_the_old_file(
    photo: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "photo.png"
    photo.save(target)
    before = target.read_bytes()

    written = b""

    def write_something_else(self: Image.Image, path: Path, **_: Any) -> None:
        path.write_bytes(written)

    monkeypatch.setattr(Image.Image, "save", write_something_else)
    for damage, message in (
        (b"", "can't be read after writing it"),
        (before[: len(before) // 2], "can't be read after writing it"),
        (png_of(Image.new("RGB", photo.size)), "would show something else"),
        (png_of(Image.new("RGB", (9, 9))), "would show something else"),
    ):
        written = damage
        with pytest.raises(SaveError, match=message):
            save_picture(photo, target)
        assert target.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["photo.png"]


PNG_SAVE = Image.Image.save


def png_of(picture: Image.Image) -> bytes:
    from io import BytesIO

    with BytesIO() as file:
        PNG_SAVE(picture, file, "PNG")
        return file.getvalue()
