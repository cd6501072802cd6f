import os
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import EpsImagePlugin, Image, features
from PIL.PngImagePlugin import PngImageFile

from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.errors import ImageError, SaveError, ShapeError
from icgan_sdk.photo import find_subject
from icgan_sdk.photo.subject import open_photo
from icgan_sdk.pictures import opening
from icgan_sdk.pictures.arrays import (
    array_to_pixels,
    fit_picture,
    pixels_to_array,
    pixels_to_tensor,
    tensor_to_pixels,
    to_pictures,
)
from icgan_sdk.pictures.formats import picture_suffixes
from icgan_sdk.pictures.opening import listed, open_picture
from icgan_sdk.pictures.saving import save_animation, save_picture


@settings(deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([8, 28, 64]))
def test_any_picture_fits(width: int, height: int, size: int) -> None:
    for crop in (None, CELEBA_CROP):
        assert fit_picture(Image.new("RGB", (width, height)), size, crop).size == (size, size)


def test_the_centre_square_is_taken() -> None:
    pixels = np.zeros((10, 30, 3), dtype=np.uint8)
    pixels[:, 10:20] = 255
    assert np.asarray(fit_picture(Image.fromarray(pixels), 10)).min() == 255


@pytest.mark.parametrize("scale", [1, 3])
def test_an_aligned_frame_is_cut_by_the_crop_at_any_resolution(scale: int) -> None:
    pixels = np.zeros((218 * scale, 178 * scale, 3), dtype=np.uint8)
    pixels[20 * scale : 198 * scale] = 255
    fitted = np.asarray(fit_picture(Image.fromarray(pixels), 178, CELEBA_CROP))
    assert fitted[2:-2].min() == 255  # the filter's reach blends the very edge


def test_a_fitting_picture_passes_unchanged(picture: Image.Image) -> None:
    fitted = fit_picture(picture, 16)
    assert fit_picture(fitted, 16, CELEBA_CROP) is fitted


@given(st.binary(min_size=48, max_size=48))
def test_pixels_survive_the_way_to_tensors_and_back(data: bytes) -> None:
    pixels = np.frombuffer(data, dtype=np.uint8).reshape(1, 4, 4, 3)
    tensor = pixels_to_tensor(pixels)
    assert tensor.shape == (1, 3, 4, 4)
    assert tensor.abs().max() <= 1
    assert np.array_equal(tensor_to_pixels(tensor), pixels)


def test_arrays_are_the_same_numbers_as_tensors() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    assert np.array_equal(pixels_to_array(pixels), pixels_to_tensor(pixels))
    values = np.linspace(-1.5, 1.5, 3 * 16 * 16, dtype=np.float32).reshape(1, 3, 16, 16)
    assert np.array_equal(array_to_pixels(values), tensor_to_pixels(torch.from_numpy(values)))


def test_every_kind_of_input_gives_the_same_pixels(
    tiny_config: ModelConfig, picture: Image.Image, tmp_path: Path
) -> None:
    path = tmp_path / "in.png"
    picture.save(path)
    expected = find_subject(picture, tiny_config).pixels[0]
    assert expected.shape == (3, 16, 16)
    data = path.read_bytes()
    for source in (path, str(path), np.asarray(picture), data, BytesIO(data)):
        assert np.array_equal(find_subject(source, tiny_config).pixels[0], expected)
    with path.open("rb") as file:
        assert np.array_equal(find_subject(file, tiny_config).pixels[0], expected)
        assert not file.closed
    assert np.array_equal(find_subject(torch.from_numpy(expected), tiny_config).pixels[0], expected)


def test_one_picture_and_several_are_told_apart(picture: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "in.png"
    picture.save(path)
    pixels = np.asarray(picture)
    with path.open("rb") as file:
        for one in (picture, path, str(path), b"", BytesIO(), file, pixels, torch.zeros(3, 4, 4)):
            pictures, single = listed(one)
            assert single
            assert pictures[0] is one
    tensors, arrays = torch.zeros(2, 3, 4, 4), np.stack([pixels, pixels])
    same = [picture, path]
    for several in (
        same,
        (picture, path),
        iter(same),
        dict(enumerate(same)).values(),
        tensors,
        arrays,
    ):
        pictures, single = listed(several)
        assert len(pictures) == 2
        assert not single
    assert listed(tmp_path.glob("*.png")) == ([path], False)
    assert listed(x for x in same) == (same, False)
    nothing: tuple[object, ...] = ([], (), iter(()), torch.zeros(0, 3, 4, 4), arrays[:0])
    for images in nothing:
        with pytest.raises(ShapeError, match="no images given: the sequence is empty"):
            listed(images)


def test_padding_is_put_around_and_taken_away(digits_config: ModelConfig) -> None:
    picture = Image.fromarray(np.full((12, 12), 200, dtype=np.uint8))
    pixels = find_subject(picture, digits_config).pixels[0]
    assert pixels.shape == (1, 16, 16)
    assert (pixels[..., :2] == -1).all()
    (seen,) = to_pictures(pixels[None], digits_config)
    assert np.array_equal(np.asarray(seen), np.asarray(picture))
    tensor = torch.from_numpy(pixels)
    for source in (tensor, tensor[:, 2:-2, 2:-2]):
        assert np.array_equal(find_subject(source, digits_config).pixels[0], pixels)


def test_turned_transparent_and_deep_pictures_are_read_as_seen(tmp_path: Path) -> None:
    turned = Image.new("RGB", (6, 4))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    assert open_picture(tmp_path / "turned.jpg", 3).size == (4, 6)
    clear = Image.new("RGBA", (2, 2), (255, 0, 0, 0))
    assert open_picture(clear, 3).getpixel((0, 0)) == (255, 255, 255)
    deep = Image.fromarray(np.full((2, 2), 40000, dtype=np.uint16))
    assert open_picture(deep, 1).getpixel((0, 0)) == 40000 >> 8
    for mode, value, seen in (("I", 40000, 156), ("I", 200, 200), ("I", 70000, 255)):
        assert open_picture(Image.new(mode, (2, 2), value), 1).getpixel((0, 0)) == seen
    twelve_bits = Image.fromarray(np.full((2, 2), 3200, dtype=np.uint16))
    assert open_picture(twelve_bits, 1).getpixel((0, 0)) == 200
    for mode in ("1", "P", "LA", "CMYK", "L"):
        assert open_picture(Image.new(mode, (3, 3)), 3).mode == "RGB"


def test_unreadable_files_are_told_by_name(tmp_path: Path, picture: Image.Image) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.png").touch()
    picture.save(tmp_path / "whole.png")
    data = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    for name, problem in {
        "missing.png": "no such image file",
        "text.jpg": "not an image",
        "empty.png": "not an image",
        "cut.png": "may be damaged",
        ".": "is a folder",
    }.items():
        with pytest.raises(ImageError, match=problem) as caught:
            open_picture(tmp_path / name, 3)
        assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("error", [RuntimeError, IndexError, MemoryError])
def test_whatever_a_decoder_raises_is_told_by_name(
    error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error("broken tiles")

    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    monkeypatch.setattr(PngImageFile, "load", fail)
    with pytest.raises(ImageError, match=r"a\.png can't be read, it may be damaged: broken tiles"):
        open_picture(tmp_path / "a.png", 3)


def _postscript(path: Path) -> None:
    Image.new("RGB", (8, 8), "red").save(path, format="EPS")


def test_no_picture_starts_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", started)
    monkeypatch.setattr("subprocess.Popen", started)
    _postscript(tmp_path / "holiday.jpg")
    with pytest.raises(ImageError, match=r"holiday\.jpg is not an image in a format"):
        open_picture(tmp_path / "holiday.jpg", 3)
    with (
        Image.open(tmp_path / "holiday.jpg") as picture,
        pytest.raises(ImageError, match="PostScript is a program and is not run"),
    ):
        open_picture(picture, 3)
    drawing = Image.new("RGB", (4, 4))
    drawing.format = "EPS"
    assert open_picture(drawing, 3) is not None  # somebody has decoded it already


def test_listed_formats_are_read_by_whatever_suffix(tmp_path: Path) -> None:
    suffixes = picture_suffixes() - {".eps", ".ps"}
    known = {s: name for s, name in Image.registered_extensions().items() if s in suffixes}
    for suffix, name in known.items():
        if name in Image.SAVE:
            mode = {"MSP": "1", "XBM": "1", "QOI": "RGB"}.get(name, "L")
            Image.new(mode, (32, 32)).save(tmp_path / f"a{suffix}")
            assert open_picture(tmp_path / f"a{suffix}", 1).width in {32, 1024}  # ICNS scales
    assert {".jpg", ".png", ".webp", ".tif", ".mpo", ".heic"} <= suffixes


def test_a_decoder_may_raise_whatever_it_likes(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.qoi")
    data = (tmp_path / "a.qoi").read_bytes()
    (tmp_path / "cut.qoi").write_bytes(data[: len(data) // 2])  # IndexError in Pillow 12
    with pytest.raises(ImageError, match=r"cut\.qoi can't be read, it may be damaged"):
        open_picture(tmp_path / "cut.qoi", 3)


@pytest.mark.skipif(not features.check("avif"), reason="needs a Pillow that knows AVIF")
def test_damaged_avif(tmp_path: Path, picture: Image.Image) -> None:
    path = tmp_path / "a.avif"
    picture.save(path)
    data = path.read_bytes()
    path.write_bytes(data[: -len(data) // 3] + bytes(len(data) // 3))
    with pytest.raises(ImageError, match=r"a\.avif can't be read, it may be damaged"):
        open_picture(path, 3)


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (np.zeros((4, 4, 3), dtype=np.float32), "expected a uint8 array, not float32"),
        (np.zeros((4, 4, 2), dtype=np.uint8), r"not \[4, 4, 2\]"),
        (np.zeros((0, 4, 3), dtype=np.uint8), r"not \[0, 4, 3\]"),
        (torch.zeros(16, 16), r"\[C, H, W\] or \[B, C, H, W\], not \[16, 16\]"),
        (torch.zeros(1, 16, 16), r"expected a tensor \[3, 16, 16\] for each picture, not \[1, 16"),
        (torch.zeros(2, 3, 16, 16), r"\[C, H, W\] or \[B, C, H, W\], not \[2, 3, 16, 16\]"),
        (torch.zeros(3, 16, 16, dtype=torch.uint8), "expected a float tensor"),
        (torch.full((3, 16, 16), 255.0), r"values in \[-1, 1\]"),
        (torch.full((3, 16, 16), float("nan")), r"values in \[-1, 1\]"),
        ([], "must be a PIL image, a path, bytes, a file, an array or a tensor, not list"),
        (5, "must be a PIL image"),
        (StringIO(), "open it with mode 'rb'"),
    ],
)
def test_wrong_arrays_and_tensors_are_refused(
    image: object, problem: str, tiny_config: ModelConfig
) -> None:
    with pytest.raises(ShapeError, match=problem):
        find_subject(image, tiny_config)  # type: ignore[arg-type]


def test_saving_needs_a_format_and_a_place(tmp_path: Path) -> None:
    cell = Image.new("RGB", (4, 4))
    save_picture(cell, tmp_path / "new" / "cell.png")
    save_animation([cell, Image.new("RGB", (4, 4), "red")], tmp_path / "new" / "cells.gif")
    with Image.open(tmp_path / "new" / "cells.gif") as animation:
        assert getattr(animation, "n_frames", 1) == 2
    for name in ("cell.xyz", "cell"):
        with pytest.raises(ImageError, match="no image format has the suffix"):
            save_picture(cell, tmp_path / name)
    (tmp_path / "file").touch()
    with pytest.raises(SaveError, match="can't write"):
        save_picture(cell, tmp_path / "file" / "cell.png")
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["cell.png", "cells.gif"]


def test_pictures_in_memory_fail_as_files_do(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), "red").save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:60])
    with (
        Image.open(tmp_path / "cut.png") as picture,
        pytest.raises(ImageError, match="the picture can't be read, it may be damaged"),
    ):
        open_picture(picture, 3)
    with pytest.raises(ImageError, match=r"^floating-point pictures"):
        open_picture(Image.new("F", (4, 4)), 3)
    with pytest.raises(ImageError, match="has no pixels"):
        open_picture(Image.new("RGB", (0, 5)), 3)
    assert open_picture(Image.new("LA", (4, 4)).convert("La"), 3).mode == "RGB"


def test_pictures_of_too_many_pixels_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (1500, 1500)).save(tmp_path / "large.png")
    monkeypatch.setattr(opening, "MOST_PIXELS", 2 * 10**6)
    with pytest.raises(ImageError, match=r"large\.png has more than 2 million pixels: scale it"):
        open_picture(tmp_path / "large.png", 3)


def test_pillows_own_limit_is_told_in_the_same_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (1500, 1500)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10**6)
    with pytest.raises(ImageError, match=r"large\.png has more than 110 million pixels: scale it"):
        open_picture(tmp_path / "large.png", 3)


def test_a_callers_picture_is_never_given_back_itself() -> None:
    picture = Image.new("RGB", (4, 4))
    assert open_picture(picture, 3) is not picture
    assert open_photo(picture, 3)[1] is not picture


def test_transparency_is_laid_on_white_where_a_format_has_none(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    save_picture(picture, tmp_path / "clear.jpg")
    save_picture(picture, tmp_path / "clear.png")
    with Image.open(tmp_path / "clear.jpg") as written:
        assert (written.mode, written.getpixel((4, 4))) == ("RGB", (255, 255, 255))
    with Image.open(tmp_path / "clear.png") as written:
        assert written.mode == "RGBA"
    save_picture(Image.new("LA", (8, 8), (0, 0)), tmp_path / "grey.jpg")
    with Image.open(tmp_path / "grey.jpg") as written:
        assert (written.mode, written.getpixel((4, 4))) == ("L", 255)
    save_picture(Image.new("LA", (8, 8), (0, 0)), tmp_path / "grey.bmp")
    with Image.open(tmp_path / "grey.bmp") as written:
        assert written.convert("L").getpixel((4, 4)) == 255
    with pytest.raises(ImageError, match=r"clear\.sgi: .*; try \.png or \.jpg"):
        save_picture(Image.new("LA", (8, 8)), tmp_path / "clear.sgi")
    assert not (tmp_path / "clear.sgi").exists()


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF"])
def test_a_pipe_is_read_once(form: str, tmp_path: Path) -> None:
    picture = Image.new("RGB", (4, 4), "red")
    picture.save(tmp_path / "picture", form)
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as end:
        end.write((tmp_path / "picture").read_bytes())
    with os.fdopen(reader, "rb") as end:
        assert open_picture(end, 3).size == picture.size
