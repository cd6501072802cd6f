"""Colours are read as they look, whatever numbers a file has for them."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from icgan_sdk.pictures.colour import from_deep, from_srgb, to_srgb
from icgan_sdk.pictures.opening import open_picture
from tests.pictures.wide_gamut import as_wide_gamut, difference, wide_gamut

PORTRAIT = Path(__file__).parents[2] / "examples" / "astronaut.jpg"


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    with Image.open(PORTRAIT) as picture:
        return picture.convert("RGB").resize((64, 64))


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_wide_gamut_pictures_look_as_they_should(portrait: Image.Image, file_format: str) -> None:
    wide, file = as_wide_gamut(portrait), BytesIO()
    assert difference(wide, portrait) > 10
    wide.save(file, file_format, icc_profile=wide_gamut(), **_lossless(file_format))
    with Image.open(file) as written:
        as_stored = written.convert("RGB")
    read = open_picture(file, 3)
    assert _mean_difference(read, portrait) < _mean_difference(as_stored, portrait) / 2
    assert np.asarray(read).std() > np.asarray(as_stored).std()  # not dull


def test_transparent_and_palette_pictures_are_converted(portrait: Image.Image) -> None:
    wide = as_wide_gamut(portrait)
    transparent = wide.copy()
    transparent.putalpha(255)
    transparent.info["icc_profile"] = wide_gamut()
    assert difference(open_picture(transparent, 3), open_picture(wide, 3)) == 0
    transparent.putalpha(0)
    transparent.info["icc_profile"] = wide_gamut()
    assert open_picture(transparent, 3).getpixel((5, 5)) == (255, 255, 255)
    palette = wide.quantize(256)
    palette.info["icc_profile"] = wide_gamut()
    assert difference(open_picture(palette, 3), to_srgb(palette.convert("RGB"), wide_gamut())) == 0


def test_srgb_stays_bit_for_bit(portrait: Image.Image) -> None:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert to_srgb(portrait, own) is portrait
    assert to_srgb(portrait, None) is portrait


def test_unfit_profiles_are_left_alone(portrait: Image.Image) -> None:
    for profile in (b"nonsense", wide_gamut()[:200], b""):
        assert to_srgb(portrait, profile) is portrait
    grey = portrait.convert("L")
    assert to_srgb(grey, wide_gamut()) is grey  # a profile of RGB says nothing about grey


def test_there_and_back(portrait: Image.Image) -> None:
    wide = as_wide_gamut(portrait)
    again = from_srgb(to_srgb(wide, wide_gamut()), wide_gamut())
    assert np.abs(np.asarray(again, float) - np.asarray(wide, float)).mean() < 1


def test_lab_is_read_as_colour(portrait: Image.Image) -> None:
    srgb, lab = (ImageCms.createProfile(name) for name in ("sRGB", "LAB"))
    converted = ImageCms.profileToProfile(portrait, srgb, lab, outputMode="LAB")
    assert converted is not None
    assert np.abs(np.asarray(open_picture(converted, 3), float) - np.asarray(portrait)).mean() < 3


def test_twelve_bits_in_sixteen() -> None:
    ramp = np.linspace(0, 4095, 64).astype(np.uint16).reshape(8, 8)
    seen = np.asarray(from_deep(Image.fromarray(ramp)))
    assert (int(seen.min()), int(seen.max())) == (0, 255)
    full = np.asarray(from_deep(Image.fromarray(ramp * 16)))
    assert np.array_equal(full, seen)


def test_damaged_metadata_leaves_the_pixels(portrait: Image.Image, tmp_path: Path) -> None:
    for suffix in ("png", "webp", "jpg"):
        path = tmp_path / f"portrait.{suffix}"
        portrait.save(path, exif=b"Exif\x00\x00this is no TIFF block", **_lossless(suffix))
        assert open_picture(path, 3).size == portrait.size


def _mean_difference(a: Image.Image, b: Image.Image) -> float:
    return float(np.abs(np.asarray(a, float) - np.asarray(b, float)).mean())


def _lossless(file_format: str) -> dict[str, Any]:
    if file_format == "JPEG":
        return {"quality": 100, "subsampling": 0}
    return {"lossless": True} if file_format == "WEBP" else {}
