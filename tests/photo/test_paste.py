import json
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from icgan_sdk import IcGAN, ShapeError
from icgan_sdk.cli.main import run
from icgan_sdk.errors import ConfigError, NoFaceFoundError, PhotoWarning
from icgan_sdk.photo import paste_changes
from icgan_sdk.photo.faces import FoundFace
from icgan_sdk.photo.placement import Matrix, box_matrix
from icgan_sdk.pictures.opening import open_picture
from icgan_sdk.pictures.saving import save_picture
from tests.photo.conftest import PORTRAIT, blank, difference
from tests.pictures.wide_gamut import as_wide_gamut

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def pasted(
    photo: Image.Image, changes: npt.NDArray[np.float32], matrices: list[Matrix]
) -> Image.Image:
    """A photo with changes, beside which the photo stays what it was."""
    result = photo.copy()
    paste_changes(result, changes, matrices)
    return result


def test_a_change_is_added_where_its_square_lies() -> None:
    photo = blank(80, 60)
    result = pasted(photo, np.full((1, 3, 16, 16), 0.3, np.float32), [box_matrix((20, 10, 60, 50))])
    apart = difference(result, photo)
    assert (apart[20:40, 30:50] == round(0.3 * 127.5)).all()
    assert (apart[9, 20:60] < apart[11, 20:60]).all()  # fades to the margin
    apart[8:52, 18:62] = 0
    assert not apart.any()


@settings(deadline=None)
@given(st.floats(5, 60), st.floats(-60, 60), st.floats(-80, 160), st.floats(-80, 160))
def test_no_change_leaves_every_pixel(a: float, b: float, x: float, y: float) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    photo = Image.fromarray(pixels)
    result = pasted(photo, np.zeros((1, 3, 8, 8), np.float32), [np.array([[a, -b, x], [b, a, y]])])
    assert np.array_equal(np.asarray(result), pixels)


def test_a_wide_gamut_photo_keeps_its_numbers_and_shows_the_change() -> None:
    photo = as_wide_gamut(Image.effect_noise((80, 60), 60).convert("RGB"))
    changes, squares = np.full((1, 3, 16, 16), -0.3, np.float32), [box_matrix((20, 10, 60, 50))]
    untouched = pasted(photo, 0 * changes, squares)
    assert np.array_equal(np.asarray(untouched), np.asarray(photo))
    result = pasted(photo, changes, squares)
    assert result.info["icc_profile"] == photo.info["icc_profile"]
    seen = difference(open_picture(result, 3), open_picture(photo, 3))[20:40, 30:50]
    assert abs(np.median(seen) - 0.3 * 127.5) <= 2


def test_a_turned_change_lands_turned() -> None:
    change = np.zeros((1, 3, 16, 16), np.float32)
    change[:, :, 3:6, 3:13] = 0.5  # above the centre
    photo = blank(100, 100)
    # The square's y axis points to the photo's left.
    result = pasted(photo, change, [np.array([[0.0, -60.0, 80.0], [60.0, 0.0, 20.0]])])
    rows, columns = np.nonzero(difference(result, photo) > 30)
    assert columns.min() > 52
    assert abs(rows.mean() - 49.5) < 1


def test_the_photo_stays_itself_outside_the_face(
    celeba: IcGAN, photo: Image.Image, found: FoundFace
) -> None:
    result = celeba.edit(photo, Eyeglasses=1, paste_back=True)
    assert (result.size, result.mode) == (photo.size, "RGB")
    apart = difference(result, photo)
    left, top = found.points.min(axis=0) - 2 * found.width
    right, bottom = found.points.max(axis=0) + 2 * found.width
    rows, columns = np.nonzero(apart)
    assert left < columns.min() <= columns.max() < right
    assert top < rows.min() <= rows.max() < bottom
    eyes = found.points[:2].astype(int)
    assert all(apart[y - 8 : y + 8, x - 8 : x + 8].max() > 20 for x, y in eyes)
    assert celeba.predict_attributes(result)["Eyeglasses"] > 0.5
    assert not difference(celeba.edit(photo, paste_back=True), photo).any()


def test_all_faces_or_one(celeba: IcGAN, pair: Image.Image) -> None:
    both = difference(celeba.edit(pair, Eyeglasses=1, face="all", paste_back=True), pair)
    left = difference(celeba.edit(pair, Eyeglasses=1, face=0, paste_back=True), pair)
    assert both[:, :320].max() > 20
    assert both[:, 340:].max() > 20
    assert left[:, :320].max() > 20
    assert not left[:, 340:].any()


@pytest.mark.parametrize("face", ["largest", "all"])
@pytest.mark.parametrize("paste_back", [True, "auto"])
def test_a_photo_without_a_face(
    celeba: IcGAN, face: Literal["largest", "all"], paste_back: Literal[True, "auto"]
) -> None:
    empty = blank(90, 70)
    with pytest.raises(NoFaceFoundError, match=r"align='none' \(--align none\) takes the centre"):
        celeba.edit(empty, Eyeglasses=1, face=face, paste_back=paste_back)
    with pytest.warns(PhotoWarning, match="no face found in picture 2: it is left as it is"):
        _, result = celeba.edit([PORTRAIT, empty], Eyeglasses=1, face=face, paste_back=paste_back)
    assert not difference(result, empty).any()
    centre = celeba.edit(empty, Eyeglasses=1, align="none", paste_back=True)
    assert difference(centre, empty).any()


def test_what_comes_back_by_default(celeba: IcGAN, photo: Image.Image) -> None:
    whole, aligned, square = celeba.edit([photo, PORTRAIT, photo.resize((128, 128))], Smiling=0)
    assert whole.size == photo.size
    assert aligned.size == square.size == (128, 128)
    assert celeba.edit(photo, Smiling=0, paste_back=False).size == (128, 128)
    assert celeba.edit(photo, Smiling=0, detail="generated").size == (128, 128)
    assert celeba.edit(photo, Smiling=0, align="none").size == (128, 128)
    with pytest.raises(ConfigError, match="paste_back must be True, False or 'auto'"):
        celeba.edit(photo, Smiling=0, paste_back="whole")  # type: ignore[call-overload]


@pytest.mark.parametrize("mode", ["L", "LA", "La", "1", "I;16"])
def test_a_grey_photo_stays_grey(celeba: IcGAN, photo: Image.Image, mode: str) -> None:
    grey = photo.convert("L")
    given = grey.convert("I").point(lambda v: v * 257).convert("I;16") if mode == "I;16" else grey
    given = given.convert("LA").convert("La") if mode == "La" else given.convert(mode)
    result = celeba.edit(given, hair_color="Blond_Hair", paste_back=True)
    assert result.mode == ("LA" if mode in {"LA", "La"} else "L")
    if mode != "1":
        apart = difference(result.convert("L"), grey)
        assert apart.max() > 20
        assert not apart[:, :300].any()


def test_a_change_of_colour_is_its_luminance_on_grey() -> None:
    change = np.zeros((1, 3, 16, 16), np.float32)
    change[:, 1] = 0.5
    result = pasted(Image.new("L", (40, 40), 100), change, [box_matrix((0, 0, 40, 40))])
    assert result.getpixel((20, 20)) == 100 + round(0.587 * 0.5 * 127.5)


def test_turned_by_the_camera(celeba: IcGAN, photo: Image.Image, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = tmp_path / "turned.png"
    photo.transpose(Image.Transpose.ROTATE_90).save(file, exif=exif, icc_profile=PROFILE)
    result = celeba.edit(file, Smiling=0, paste_back=True)
    assert not difference(result, celeba.edit(photo, Smiling=0, paste_back=True)).any()
    save_picture(result, tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as written:
        assert written.info["icc_profile"] == PROFILE
        assert written.getexif().get(0x0112, 1) == 1


def test_transparency_stays(celeba: IcGAN, photo: Image.Image) -> None:
    clear = photo.copy()
    alpha = Image.fromarray(
        np.arange(700 * 460, dtype=np.uint32).reshape(460, 700).astype(np.uint8)
    )
    alpha.paste(255, (380, 0, 700, 460))
    clear.putalpha(alpha)
    result = celeba.edit(clear, Eyeglasses=1, paste_back=True)
    assert result.mode == "RGBA"
    assert np.array_equal(np.asarray(result.getchannel("A")), np.asarray(alpha))
    apart = difference(result.convert("RGB"), photo)
    assert apart.max() > 20
    assert not apart[:, :300].any()


def test_a_profile_of_other_colours_goes(celeba: IcGAN, photo: Image.Image) -> None:
    cmyk = photo.convert("CMYK")
    cmyk.info["icc_profile"] = PROFILE
    result = celeba.edit(cmyk, Smiling=0, paste_back=True)
    assert (result.mode, result.info) == ("RGB", {})


def test_cropped_pictures_take_the_change_too(tiny_model: IcGAN, picture: Image.Image) -> None:
    result = tiny_model.edit(picture, Smiling=2, paste_back=True)
    (again,) = tiny_model.edit([np.asarray(picture)], Smiling=2, paste_back=True)
    assert not difference(result, again).any()
    apart = difference(result, picture)
    assert apart.any()
    assert not apart[:3].any()
    assert not apart[-3:].any()


def test_grey_models_take_grey_photos(digits_model: IcGAN, picture: Image.Image) -> None:
    result = digits_model.edit(picture.convert("LA"), digit=1, paste_back=True)
    assert (result.mode, result.size) == ("LA", picture.size)


def test_tensors_are_no_photos(tiny_model: IcGAN) -> None:
    for images in (torch.zeros(3, 16, 16), torch.zeros(2, 3, 16, 16), [torch.zeros(3, 16, 16)]):
        with pytest.raises(ShapeError, match="tensor"):
            tiny_model.edit(images, Smiling=1, paste_back=True)
    with pytest.raises(ShapeError, match="empty"):
        tiny_model.edit([], Smiling=1, paste_back=True)


def test_the_command(
    photo: Image.Image,
    celeba: IcGAN,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    photo.save("photo.png")
    blank(90, 70).save("empty.png")
    command = ["edit", "photo.png", "--set", "Eyeglasses=1", "--paste-back", "-o"]
    by_onnx = IcGAN.from_pretrained("celeba", runtime="onnx")  # as commands run it
    assert run([*command, "out.png"]) == 0
    with Image.open("out.png") as written:
        assert not difference(written, by_onnx.edit(photo, Eyeglasses=1, paste_back=True)).any()
        by_torch = celeba.edit(photo, Eyeglasses=1, paste_back=True)
        assert difference(written, by_torch).max() <= 1
    assert run([*command, "out2.png", "--face", "3"]) == 1
    assert "there is no face 3" in capsys.readouterr().err
    assert run([*command, "out2.png", "--face", "left"]) == 2
    assert run([*command, "out2.png", "--strip"]) == 2
    assert run(["edit", "photo.png", "Male=1", "--crop", "--face", "all", "-o", "out2.png"]) == 2
    assert run(["edit", "empty.png", "Male=1", "-o", "out2.png"]) == 1
    assert "no face found in empty.png; align='none'" in capsys.readouterr().err
    assert run(["edit", "photo.png", "Male=1", "--scale", "2", "--crop", "-o", "large.png"]) == 0
    with Image.open("large.png") as large:
        assert large.size == (256, 256)
    assert run(["reconstruct", "photo.png", "--face", "all", "-o", "out2.png"]) == 2
    capsys.readouterr()
    both = ["edit", "empty.png", "photo.png", "Eyeglasses=1", "--crop", "-o", "out", "--align"]
    assert run([*both, "always"]) == 1
    assert capsys.readouterr().err.count("icgan: error: no face found in empty.png") == 1
    assert [path.name for path in Path("out").iterdir()] == ["photo.png"]
    assert run([*both, "auto"]) == 0
    warning = "icgan: warning: no face found in empty.png: its centre square is taken\n"
    assert capsys.readouterr().err == warning
    assert not Path("out2.png").exists()
    for sheet in ("interpolate", "swap"):
        assert run([sheet, "empty.png", "photo.png", "-o", f"{sheet}.png"]) == 0
        assert capsys.readouterr().err == warning
        assert run([sheet, "empty.png", "photo.png", "--face", "0", "-o", f"{sheet}.png"]) == 1
        assert capsys.readouterr().err.startswith("icgan: error: no face found in empty.png")
    assert run(["variations", "photo.png", "--align", "none", "-o", "sheet.png"]) == 0
    assert run(["attributes", "photo.png", "--face", "0", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out.removeprefix("sheet.png\n"))
    assert scores["photo.png"] == by_onnx.predict_attributes(photo)
    assert scores["photo.png"] == pytest.approx(celeba.predict_attributes(photo), abs=1e-4)
