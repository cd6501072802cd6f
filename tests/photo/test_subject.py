import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from icgan_sdk import ConfigError, IcGAN, NoFaceFoundError, ShapeError
from icgan_sdk.celeba import CELEBA
from icgan_sdk.cli.main import run
from icgan_sdk.config import CELEBA_CROP, PAPER_CROP, Crop, ModelConfig
from icgan_sdk.errors import ImageError, PhotoWarning
from icgan_sdk.photo import Align, Face, find_subject, subject
from icgan_sdk.photo.faces import FoundFace, find_faces
from icgan_sdk.photo.placement import face_matrix
from icgan_sdk.pictures.arrays import Floats, fit_picture, picture_to_array, to_pictures
from icgan_sdk.pictures.formats import add_heif
from icgan_sdk.pictures.opening import ImageLike, open_picture
from icgan_sdk.pictures.saving import save_picture
from tests.photo.conftest import PORTRAIT, blank, difference

FACES = ModelConfig(crop=CELEBA_CROP)


def same(a: Image.Image, b: Image.Image) -> bool:
    return np.array_equal(np.asarray(a), np.asarray(b))


def cropped(picture: Image.Image, config: ModelConfig) -> Floats:
    """The centre of a picture as a model's input."""
    return picture_to_array(fit_picture(picture, config.picture_size, config.crop), config)


def square(
    photo: Image.Image, config: ModelConfig, align: Align = "auto", face: Face = "largest"
) -> Image.Image:
    """What a model sees of a photo."""
    (picture,) = to_pictures(find_subject(photo, config, align, face).pixels, config.photo)
    return picture


def expected(face: FoundFace) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    matrix = face_matrix(face.points, CELEBA, CELEBA_CROP)
    assert matrix is not None
    return matrix


@pytest.fixture
def no_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no face may be looked for."""
    monkeypatch.delattr("icgan_sdk.photo.subject.search_faces")


def test_a_crop_names_its_alignment_by_its_frame() -> None:
    assert FACES.alignment == ModelConfig(crop=PAPER_CROP).alignment == "celeba"
    assert ModelConfig().alignment is None
    assert ModelConfig(crop=Crop((100, 120), (0, 0, 100, 100))).alignment is None


def test_the_bundled_models_name_theirs(celeba: IcGAN) -> None:
    assert celeba.config.alignment == "celeba"
    assert IcGAN.from_pretrained("mnist", device="cpu").config.alignment is None


def test_a_photo_is_cut_where_its_face_lies(photo: Image.Image, found: FoundFace) -> None:
    result = find_subject(photo, FACES)
    (matrix,) = result.matrices
    np.testing.assert_allclose(matrix, expected(found))
    assert result.pixels.shape == (1, 3, 64, 64)
    assert result.found
    assert result.photo is None
    kept = find_subject(photo, FACES, keep="auto").photo
    assert kept is not None
    assert same(kept, photo)


def test_the_face_is_found_alike_at_any_size(photo: Image.Image, found: FoundFace) -> None:
    (larger,) = find_faces(photo.resize((2100, 1380)))
    np.testing.assert_allclose(larger.points / 3, found.points, atol=4)


@pytest.mark.parametrize("angle", [-20, 15])
def test_a_tilted_face_is_turned_upright(portrait: Image.Image, angle: int, celeba: IcGAN) -> None:
    tilted = portrait.rotate(angle, Image.Resampling.BICUBIC, fillcolor=(150, 140, 130))
    canvas = blank(640, 560)
    canvas.paste(tilted, (180, 60))
    straight = square(portrait, FACES, "always")
    result = square(canvas, FACES)
    middle = (16, 16, 48, 48)
    a, b = (np.asarray(p.crop(middle), float).ravel() for p in (straight, result))
    assert np.corrcoef(a, b)[0, 1] > 0.9


@pytest.mark.parametrize("size", [(64, 64), (178, 218), (89, 109), (356, 436)])
def test_aligned_pictures_are_cropped(portrait: Image.Image, size: tuple[int, int]) -> None:
    picture = portrait.resize(size)
    assert same(square(picture, FACES), fit_picture(picture, 64, CELEBA_CROP))
    assert find_subject(picture, FACES, keep="auto").photo is None


def test_always_looks_there_too(portrait: Image.Image) -> None:
    (matrix,) = find_subject(portrait, FACES, "always").matrices
    np.testing.assert_allclose(matrix, expected(find_faces(portrait)[0]))


def test_none_never_looks(photo: Image.Image, no_detector: None) -> None:
    assert np.array_equal(find_subject(photo, FACES, "none").pixels[0], cropped(photo, FACES))


def test_other_models_take_the_centre(photo: Image.Image, no_detector: None) -> None:
    config = ModelConfig()
    assert np.array_equal(find_subject(photo, config).pixels[0], cropped(photo, config))
    with pytest.raises(ConfigError, match="aligned faces"):
        find_subject(photo, config, "always")


def test_a_photo_without_a_face(tmp_path: object) -> None:
    empty = blank(300, 200)
    with pytest.warns(PhotoWarning, match="no face found in the picture"):
        placed = find_subject(empty, FACES)
    assert np.array_equal(placed.pixels[0], cropped(empty, FACES))
    with pytest.raises(NoFaceFoundError, match="align='none'"):
        find_subject(empty, FACES, "always")
    assert find_faces(blank(20, 400)) == []


def test_aligned_pictures_are_not_searched(no_detector: None) -> None:
    find_subject(PORTRAIT, FACES)


def test_faces_are_numbered_from_the_left(pair: Image.Image) -> None:
    left, right = find_faces(pair)
    assert left.points[:, 0].mean() < right.points[:, 0].mean()
    for face, chosen in ((0, left), (1, right), ("largest", right)):
        (matrix,) = find_subject(pair, FACES, face=face).matrices  # type: ignore[arg-type]
        np.testing.assert_allclose(matrix, expected(chosen))
    both = find_subject(pair, FACES, face="all", keep=True)
    assert len(both.pixels) == len(both.matrices) == 2
    with pytest.raises(NoFaceFoundError, match="2 faces, numbered from 0: there is no face 2"):
        find_subject(pair, FACES, face=2)


def test_a_face_found_before_is_not_looked_for_again(
    pair: Image.Image, celeba: IcGAN, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    pair.save(tmp_path / "pair.png")
    left, right = find_faces(tmp_path / "pair.png")
    by_number = celeba.edit(pair, Smiling=1, face=0)
    request.getfixturevalue("no_detector")
    assert same(celeba.edit(pair, Smiling=1, face=left), by_number)
    assert same(celeba.invert(pair, face=left).paste_back(Smiling=1), by_number)
    (matrix,) = find_subject(pair, FACES, face=right).matrices
    np.testing.assert_allclose(matrix, expected(right))
    with pytest.raises(ConfigError, match="no face is looked for"):
        find_subject(pair, FACES, "none", left)


def test_a_found_face_is_of_its_picture(pair: Image.Image, celeba: IcGAN) -> None:
    left, _ = find_faces(pair)
    far = FoundFace(left.points * 10, left.width)
    point = FoundFace(left.points * 0 + 50, left.width)
    for face in (far, point):
        with pytest.raises(NoFaceFoundError, match=r"there is no face at .* of us: find it anew"):
            find_subject(pair, FACES, face=face, name="us")
    for method in (celeba.edit, celeba.encode, celeba.reconstruct):
        with pytest.raises(ConfigError, match="of one picture: give that one alone"):
            method([pair, pair], face=left)
    with pytest.raises(ShapeError, match="in pictures, not in tensors"):
        find_faces(torch.zeros(3, 64, 64))  # type: ignore[arg-type]


def test_several_pictures(celeba: IcGAN, photo: Image.Image, portrait: Image.Image) -> None:
    tensor = torch.from_numpy(cropped(portrait, celeba.config))
    mixed: list[ImageLike] = [
        photo,
        np.asarray(photo),
        PORTRAIT,
        str(PORTRAIT),
        PORTRAIT.read_bytes(),
        tensor,
    ]
    latent = celeba.encode(mixed)
    assert latent.z.shape == (6, celeba.config.z_dim)
    for row, image in enumerate(mixed):
        alone = celeba.encode(image)
        torch.testing.assert_close(latent.z[row], alone.z[0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(latent.y[row], alone.y[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("images", [[], [[blank(9, 9)]], 7, torch.zeros(3, 9, 9)])
def test_what_is_no_picture(images: object, celeba: IcGAN) -> None:
    with pytest.raises(ShapeError):
        celeba.encode(images)  # type: ignore[arg-type]
    with pytest.raises(ShapeError):
        celeba.invert(images)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options", [{"align": "yes"}, {"face": "left"}, {"face": -1}, {"face": True}, {"face": "all"}]
)
def test_options_are_checked(options: dict[str, str], portrait: Image.Image) -> None:
    with pytest.raises(ConfigError):
        find_subject(portrait, FACES, **options)  # type: ignore[arg-type]


def test_every_method_takes_photos(celeba: IcGAN, photo: Image.Image) -> None:
    cut = square(photo, celeba.config)
    assert torch.equal(celeba.encode(photo).z, celeba.encode(cut).z)
    assert same(celeba.reconstruct(photo), celeba.reconstruct(cut))
    cropped_edit = celeba.edit(photo, Smiling=0, paste_back=False)
    assert same(cropped_edit, celeba.edit(cut, Smiling=0))
    assert same(celeba.edit(photo, Smiling=0), celeba.edit(photo, Smiling=0, paste_back=True))
    assert celeba.predict_attributes(photo) == celeba.predict_attributes(cut)
    pairs = zip(celeba.variations(photo), celeba.variations(cut), strict=True)
    assert all(same(a, b) for a, b in pairs)
    assert same(celeba.invert(photo).square, cut)
    for ours, theirs in (
        (celeba.interpolate(photo, photo, steps=2), celeba.interpolate(cut, cut, steps=2)),
        (celeba.swap_attributes(photo, photo), celeba.swap_attributes(cut, cut)),
    ):
        assert all(same(a, b) for a, b in zip(ours, theirs, strict=True))
        assert difference(ours[0], celeba.reconstruct(cut)).max() <= 1  # in a batch of two
    assert not same(celeba.reconstruct(photo, align="none"), celeba.reconstruct(cut))


def test_photos_of_phones(celeba: IcGAN, tmp_path: Path) -> None:
    photo = Path(__file__).parent / "files" / "portrait.heic"
    with Image.open(PORTRAIT) as portrait:
        expected = np.asarray(portrait.convert("RGB").resize((89, 109)), float)
    found = np.asarray(open_picture(photo, 3), float)
    assert np.abs(found - expected).mean() < 5
    assert celeba.edit(photo, Smiling=0, paste_back=True).size == (89, 109)
    with pytest.raises(ImageError, match=r"no image format has the suffix '\.heic'"):
        save_picture(Image.new("RGB", (4, 4)), tmp_path / "out.heic")
    broken = tmp_path / "broken.heic"
    broken.write_bytes(photo.read_bytes()[:900])
    with pytest.raises(ImageError, match="damaged"):
        open_picture(broken, 3)


def test_what_reads_photos_of_phones_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    add_heif.cache_clear()
    photo = tmp_path / "photo.HEIC"
    photo.write_bytes(b"what no plugin knows")
    with pytest.raises(ImageError, match=r"HEIF files need pip install 'icgan-sdk\[photo\]'"):
        open_picture(photo, 3)
    add_heif.cache_clear()


def test_a_numbered_face_is_looked_for_whatever_the_size(
    celeba: IcGAN, portrait: Image.Image
) -> None:
    found, numbered = square(portrait, FACES, "always"), square(portrait, FACES, face=0)
    assert portrait.size == (356, 436), "of the aligned frame's proportions"
    assert same(numbered, found)
    with pytest.raises(NoFaceFoundError, match="has one face, number 0: there is no face 1"):
        celeba.predict_attributes(portrait, face=1)
    with pytest.raises(NoFaceFoundError, match="no face found in the picture"):
        celeba.edit(blank(90, 70), Smiling=1, face=5)


def test_warnings_say_which_picture_and_point_at_the_caller(
    celeba: IcGAN, photo: Image.Image
) -> None:
    with pytest.warns(PhotoWarning, match="no face found in picture 2: its centre") as told:
        celeba.edit([photo, blank(90, 70)], Smiling=1, paste_back=False)
    assert [warning.filename for warning in told] == [__file__]


def test_a_face_that_is_not_looked_for_is_refused(celeba: IcGAN, photo: Image.Image) -> None:
    with pytest.raises(ConfigError, match="no face is looked for, as align is 'none'"):
        celeba.edit(photo, Smiling=1, align="none", face=7)
    with pytest.raises(ConfigError, match="this is no model of aligned faces"):
        find_subject(photo, ModelConfig(), face="all")
    numbered = square(photo, FACES, face=np.int64(0))  # type: ignore[arg-type]
    assert same(numbered, square(photo, FACES))
    with pytest.raises(ConfigError, match="face must be"):
        celeba.edit(photo, Smiling=1, face=[0])  # type: ignore[call-overload]


def test_pasting_back_says_which_picture(celeba: IcGAN, photo: Image.Image) -> None:
    with pytest.raises(NoFaceFoundError, match="no face found in picture 2"):
        celeba.edit([photo, blank(90, 70)], Smiling=1, align="always", paste_back=True)


def test_a_centre_taken_for_want_of_a_face_is_not_pasted_back(celeba: IcGAN) -> None:
    empty = blank(90, 70)
    with pytest.warns(PhotoWarning):
        inversion = celeba.invert(empty)
    assert same(inversion.paste_back(Eyeglasses=1), empty)
    side = celeba.config.photo.picture_size
    assert same(inversion.square, fit_picture(empty, side, CELEBA_CROP))


def test_faces_are_looked_for_once(
    celeba: IcGAN, photo: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int]] = []

    def count(picture: Image.Image) -> list[FoundFace]:
        calls.append(picture.size)
        return find_faces(picture)

    monkeypatch.setattr(subject, "search_faces", count)
    inversion = celeba.invert(photo)
    inversion.edit(Smiling=0)
    inversion.edit(Smiling=0, detail="generated")
    inversion.paste_back(Smiling=0)
    inversion.refined(1).paste_back(Eyeglasses=1)
    assert inversion.variations()
    assert calls == [photo.size]
    monkeypatch.chdir(tmp_path)
    photo.save("photo.png")
    for options in ([], ["--strip"], ["--paste-back"], ["--paste-back", "--face", "all"]):
        calls.clear()
        assert run(["edit", "photo.png", "--set", "Smiling=0", *options, "-o", "out.png"]) == 0
        assert calls == [photo.size]


def test_all_faces_go_with_pasting_back_alone(celeba: IcGAN, pair: Image.Image) -> None:
    methods: list[Any] = [celeba.reconstruct, celeba.encode]
    for method in methods:
        with pytest.raises(ConfigError, match="only be edited where they are pasted back"):
            method(pair, face="all")
    with pytest.raises(ConfigError, match="only be edited where they are pasted back"):
        celeba.edit([pair], face="all", paste_back=False)  # type: ignore[call-overload]
    assert celeba.edit(pair, Smiling=0, face="all", paste_back=True).size == pair.size


def test_an_inversion_has_all_faces(celeba: IcGAN, pair: Image.Image) -> None:
    both = celeba.invert(pair, face="all")
    edited = celeba.edit(pair, Smiling=0, face="all")
    assert same(both.paste_back(Smiling=0), edited)
    first, second = both.faces
    assert both.scores == first.scores != second.scores
    assert same(both.square, first.square)
    assert both.latent.z.shape == (2, celeba.config.z_dim)
    one_by_one = second.paste_back(Smiling=0, onto=first.paste_back(Smiling=0))
    assert difference(one_by_one, edited).max() <= 1
    assert same(second.square, celeba.invert(pair, face=1).square)
    assert second.faces[0].box == second.box != first.box
    assert repr(both) == "<Inversion of a picture, 2 faces, 128×128>"
    with pytest.raises(ShapeError, match="a tensor is no photo"):
        celeba.invert(torch.zeros(3, 64, 64), face="all")
