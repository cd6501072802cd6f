"""PNGs with large texts or colours named by numbers, and raw photos."""

import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

from icgan_sdk import ImageError, PhotoWarning
from icgan_sdk.pictures.formats import open_listed
from icgan_sdk.pictures.opening import open_picture
from icgan_sdk.pictures.profiles import PRIMARIES, profile_for
from tests.pictures.wide_gamut import as_wide_gamut, difference, wide_gamut

LARGE = "".join(chr(97 + i % 26) for i in range(1_500_000))


@pytest.fixture
def photo() -> Image.Image:
    y, x = np.mgrid[:40, :56]
    return Image.fromarray(np.dstack([4 * x, 6 * y, 255 - 4 * x]).astype(np.uint8))


def as_png(picture: Image.Image, *chunks: tuple[bytes, bytes], before: bytes = b"IDAT") -> BytesIO:
    """A PNG with chunks of one's own before another."""
    with BytesIO() as file:
        picture.save(file, "PNG")
        data = file.getvalue()
    at, own = data.index(before) - 4, b""
    for kind, contents in chunks:
        own += struct.pack(">I", len(contents)) + kind + contents
        own += struct.pack(">I", zlib.crc32(kind + contents))
    return BytesIO(data[:at] + own + data[at:])


def test_large_texts_and_profiles_are_left_aside(photo: Image.Image, tmp_path: Path) -> None:
    infos = {name: PngImagePlugin.PngInfo() for name in ("itxt", "ztxt", "text", "many")}
    infos["itxt"].add_itxt("XML:com.adobe.xmp", LARGE, zip=True)
    infos["ztxt"].add_text("parameters", LARGE, zip=True)
    infos["text"].add_text("parameters", LARGE)
    for number in range(70):
        infos["many"].add_text(f"k{number}", "a" * 1_000_000, zip=True)
    for name, info in infos.items():
        info.add_text("Author", "somebody")
        photo.save(tmp_path / f"{name}.png", pnginfo=info)
    photo.save(tmp_path / "icc.png", icc_profile=b"x" * 1_500_000)
    for path in tmp_path.iterdir():
        with path.open("rb") as opened:
            for source in (path, opened, BytesIO(path.read_bytes())):
                assert difference(open_picture(source, 3), photo) == 0
    with open_listed(tmp_path / "itxt.png") as picture:
        picture.load()
        assert picture.info["Author"] == "somebody"


def test_large_texts_after_the_pixels_are_left_aside_too(photo: Image.Image) -> None:
    text = b"parameters\0\0" + zlib.compress(LARGE.encode())
    file = as_png(photo, (b"zTXt", text), before=b"IEND")
    assert difference(open_picture(file, 3), photo) == 0


def test_a_bomb_is_not_unpacked(photo: Image.Image) -> None:
    bomb = zlib.compress(b"a" * 300_000_000, 9)
    file = as_png(photo, (b"zTXt", b"k\0\0" + bomb), (b"iCCP", b"p\0\0" + bomb))
    import tracemalloc

    tracemalloc.start()
    assert difference(open_picture(file, 3), photo) == 0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30_000_000


@pytest.mark.parametrize("cut", [9, 20, 40, 60])
def test_cut_pngs_are_told(photo: Image.Image, cut: int) -> None:
    data = as_png(photo, (b"cICP", bytes([12, 13, 0, 1]))).getvalue()
    with pytest.raises(ImageError):
        open_picture(BytesIO(data[:cut]), 3)


def test_colours_named_by_numbers_are_converted(photo: Image.Image) -> None:
    wide = as_wide_gamut(photo)
    del wide.info["icc_profile"]
    signalled = open_picture(as_png(wide, (b"cICP", bytes([12, 13, 0, 1]))), 3)
    assert difference(signalled, photo) <= 8  # at the edge of what sRGB holds
    # As sRGB it says nothing new, whatever profile stands beside it.
    wide.info["icc_profile"] = wide_gamut()
    plain = open_picture(as_png(wide, (b"cICP", bytes([1, 13, 0, 1]))), 3)
    assert difference(plain, wide) <= 2


def test_the_colours_go_with_the_edited_photo(photo: Image.Image, tmp_path: Path) -> None:
    from icgan_sdk import save_picture
    from icgan_sdk.photo.subject import open_photo

    wide = as_wide_gamut(photo)
    del wide.info["icc_profile"]
    _, kept = open_photo(as_png(wide, (b"cICP", bytes([12, 13, 0, 1]))), 3)
    save_picture(kept, tmp_path / "out.png", metadata=True)
    assert difference(open_picture(tmp_path / "out.png", 3), photo) <= 8
    with Image.open(tmp_path / "out.png") as written:
        assert difference(written, wide) == 0


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_told(photo: Image.Image, transfer: int, name: str) -> None:
    with pytest.warns(PhotoWarning, match=rf"an HDR picture \({name}\)"):
        found = open_picture(as_png(photo, (b"cICP", bytes([9, transfer, 0, 1]))), 3)
    assert difference(found, photo) == 0


def test_an_unusual_gamma_is_applied_and_the_usual_one_is_not(photo: Image.Image) -> None:
    def with_gamma(gamma: int, *others: tuple[bytes, bytes]) -> Image.Image:
        return open_picture(as_png(photo, (b"gAMA", struct.pack(">I", gamma)), *others), 3)

    assert difference(with_gamma(45455), photo) == 0
    assert difference(with_gamma(100000, (b"sRGB", b"\0")), photo) == 0
    linear = np.asarray(with_gamma(100000), np.float64) / 255
    light = np.asarray(photo, np.float64) / 255
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(linear - expected).max() < 0.02


@pytest.mark.parametrize("primaries", PRIMARIES)
@pytest.mark.parametrize("curve", [None, 1.0, 2.2])
def test_profiles_are_ones_that_little_cms_reads(primaries: int, curve: float | None) -> None:
    profile = profile_for(primaries, curve)
    assert profile is not None
    own = ImageCms.ImageCmsProfile(BytesIO(profile))
    white = Image.new("RGB", (1, 1), "white")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    converted = ImageCms.ImageCmsTransform(own, srgb, "RGB", "RGB").apply(white)
    assert difference(converted, white) <= 1
    assert profile_for(77) is None


def raw(folder: Path, preview: Image.Image, *others: tuple[int, Image.Image]) -> Path:
    """A file of TIFF's kind with a preview first, as cameras write them."""
    frames = []
    for kind, picture in ((1, preview), *others):
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[254] = kind
        framed = picture.copy()
        framed.encoderinfo = {"tiffinfo": info}
        frames.append(framed)
    path = folder / "photo.dng"
    frames[0].save(path, "TIFF", save_all=True, append_images=frames[1:], tiffinfo=info_of(1))
    return path


def info_of(kind: int) -> TiffImagePlugin.ImageFileDirectory_v2:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[254] = kind
    return info


def test_a_raw_photos_preview_is_not_taken_for_it(photo: Image.Image, tmp_path: Path) -> None:
    path = raw(tmp_path, photo.resize((14, 10)))
    message = r"photo\.dng: a raw photo: only its preview of 14×10 can be read; develop it first"
    with pytest.raises(ImageError, match=message):
        open_picture(path, 3)


def test_the_largest_picture_of_a_raw_photo_is_taken(photo: Image.Image, tmp_path: Path) -> None:
    path = raw(tmp_path, photo.resize((14, 10)), (0, photo), (0, photo.resize((28, 20))))
    assert difference(open_picture(path, 3), photo) == 0


def test_ordinary_tiffs_begin_with_their_picture(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "pages.tif", save_all=True, append_images=[photo.resize((80, 80))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert difference(open_picture(tmp_path / "pages.tif", 3), photo) == 0
