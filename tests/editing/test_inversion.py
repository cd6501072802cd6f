"""`Inversion`: encoded once, and every edit the same as `IcGAN`'s shorthand for it."""

import copy
import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from icgan_sdk import IcGAN, Inversion, Latent
from icgan_sdk.config import ModelConfig
from icgan_sdk.editing import Detail
from icgan_sdk.editing.latents import Batch
from icgan_sdk.engines.engine import Engine
from icgan_sdk.errors import (
    AttributeValueError,
    ConfigError,
    ShapeError,
    UnknownAttributeError,
)
from icgan_sdk.photo import find_subject
from icgan_sdk.pictures.arrays import fit_picture
from tests.conftest import tiny_networks
from tests.editing.conftest import counted

pytestmark = pytest.mark.timeout(900)  # tracing is long on a busy machine

DETAILS: tuple[Detail, ...] = ("auto", "generated", "photo")
EDITS: tuple[dict[str, Any], ...] = (
    {},
    {"Smiling": 1.5},
    {"hair_color": "Blond_Hair", "Male": 0.25},
    {"hair_color": None},
)


CLONES: dict[str, Callable[[Inversion], Inversion]] = {
    "pickle": lambda inversion: pickle.loads(pickle.dumps(inversion)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def same(a: Image.Image, b: Image.Image) -> bool:
    return a.mode == b.mode and np.array_equal(np.asarray(a), np.asarray(b))


def all_same(a: list[Image.Image], b: list[Image.Image]) -> bool:
    return all(same(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture
def painted(tiny_config: ModelConfig) -> IcGAN:
    """A model with a painter of twice its side."""
    config = replace(tiny_config, painter_size=2 * tiny_config.image_size, painter_width=2)
    return IcGAN(tiny_networks(config), device="cpu")


@pytest.fixture(params=["torch", "onnx"])
def model(request: pytest.FixtureRequest, tiny_model: IcGAN) -> IcGAN:
    if request.param == "torch":
        return tiny_model
    return IcGAN.from_pretrained(request.getfixturevalue("exported"), runtime="onnx")


def test_everything_is_the_shorthand_bit_for_bit(model: IcGAN, picture: Image.Image) -> None:
    inversion = model.invert(picture)
    assert isinstance(inversion, Inversion)
    for edits in EDITS:
        for detail in DETAILS:
            expected = model.edit(picture, edits, detail=detail)
            assert same(inversion.edit(edits, detail=detail), expected)
            assert same(inversion.edit(**edits, detail=detail), expected)
        assert same(inversion.paste_back(edits), model.edit(picture, edits, paste_back=True))
    assert same(inversion.reconstruct(), model.reconstruct(picture))
    assert inversion.scores == model.predict_attributes(picture)
    assert all_same(inversion.variations(), model.variations(picture))
    assert same(inversion.square, fit_picture(picture, 16))
    latent = model.encode(picture)
    assert torch.equal(inversion.latent.z, latent.z)
    assert torch.equal(inversion.latent.y, latent.y)
    assert same(model.decode(inversion.latent)[0], inversion.reconstruct())


def test_refined_is_the_shorthand_bit_for_bit(tiny_model: IcGAN, picture: Image.Image) -> None:
    plain = tiny_model.invert(picture)
    for refined in (plain.refined(4), tiny_model.invert(picture, refine=4)):
        assert torch.equal(refined.latent.z, tiny_model.encode(picture, refine=4).z)
        assert same(refined.reconstruct(), tiny_model.reconstruct(picture, refine=4))
        for detail in DETAILS:
            expected = tiny_model.edit(picture, Smiling=1, refine=4, detail=detail)
            assert same(refined.edit(Smiling=1, detail=detail), expected)
        pasted = tiny_model.edit(picture, Smiling=1, refine=4, paste_back=True)
        assert same(refined.paste_back(Smiling=1), pasted)
        assert all_same(refined.variations(), tiny_model.variations(picture, refine=4))
        assert refined.scores == plain.scores
    assert torch.equal(plain.latent.z, tiny_model.encode(picture).z), "the first one stays"
    assert torch.equal(plain.refined(0).latent.z, plain.latent.z)
    for steps in (-1, 1.5, True, "3"):
        with pytest.raises(ConfigError, match="steps must be a whole number from 0"):
            plain.refined(steps)  # type: ignore[arg-type]


def test_classes_are_drawn_anew(digits_model: IcGAN, picture: Image.Image) -> None:
    inversion = digits_model.invert(picture)
    for detail in DETAILS:
        expected = digits_model.edit(picture, digit=2, detail=detail)
        assert same(inversion.edit(digit=2, detail=detail), expected)
    assert same(inversion.edit(digit=2), inversion.edit(digit=2, detail="generated"))
    assert same(inversion.paste_back(digit=1), digits_model.edit(picture, digit=1, paste_back=True))


def test_encodes_once_and_decodes_what_is_asked_for(
    tiny_model: IcGAN, picture: Image.Image
) -> None:
    calls = counted(tiny_model._engine)
    inversion = tiny_model.invert(picture)
    assert inversion.square.size == (16, 16)
    assert not calls["decode"]
    inversion.edit(Smiling=1, detail="generated")
    inversion.edit(Smiling=0, detail="generated")
    assert calls == Counter(encode=1, decode=2)
    inversion.reconstruct()
    inversion.reconstruct()
    assert calls == Counter(encode=1, decode=3), "the reconstruction is kept"
    inversion.edit(Male=1, detail="photo")
    inversion.paste_back(Male=1)
    assert calls == Counter(encode=1, decode=5, change=2)
    assert inversion.scores
    assert inversion.latent.z.shape == (1, 6)
    inversion.variations()
    assert calls == Counter(encode=1, decode=6, change=2)
    refined = inversion.refined(2)
    refined.edit(Smiling=1, detail="photo")
    refined.edit(Smiling=0, detail="photo")
    assert calls == Counter(encode=1, decode=9, change=4, refine=1)


def test_an_edit_is_reached_in_equal_steps(painted: IcGAN, picture: Image.Image) -> None:
    inversion = painted.invert(picture)
    for whole, first, last in (
        (False, inversion.square, inversion.edit(Smiling=1)),
        (True, inversion.photo, inversion.paste_back(Smiling=1)),
    ):
        steps = inversion.towards(Smiling=1, steps=5, paste_back=whole)
        assert len(steps) == 5
        assert same(steps[0], first)
        assert same(steps[-1], last)
        assert len({step.tobytes() for step in steps}) > 2
    assert len(inversion.towards({"Smiling": 0.5})) == 8
    with pytest.raises(ConfigError, match="steps must be a whole number from 2"):
        inversion.towards(Smiling=1, steps=1)


def test_half_of_an_edit_is_halfway(tiny_model: IcGAN, picture: Image.Image) -> None:
    inversion = tiny_model.invert(picture)
    presences = {"Smiling": 1.0, "Black_Hair": 1.0}
    whole = tiny_model.with_attributes(inversion.latent, presences)
    half = (inversion.latent.y + whole.y) / 2
    middle = inversion.towards(presences, steps=3)[1]
    drawn = tiny_model.decode(Latent(inversion.latent.z, half))[0]
    assert np.abs(np.asarray(middle, int) - np.asarray(drawn, int)).max() <= 1


def test_opposites_say_what_they_do(painted: IcGAN, picture: Image.Image) -> None:
    inversion = painted.invert(picture)
    names = list(inversion.opposites())
    plain = [name.removeprefix("not ") for name in names]
    assert plain == list(painted.attributes)
    for name, (attribute, presence) in zip(
        names, (next(iter(e.items())) for e in inversion.opposites().values()), strict=True
    ):
        assert name == (f"not {attribute}" if presence == 0 else attribute)
        assert (inversion.scores[attribute] > 0.5) == (presence == 0)
    row = painted.variations(picture)
    assert same(row[0], inversion.square)
    for shown, edit in zip(row[1:], inversion.opposites().values(), strict=True):
        assert same(shown, inversion.edit(edit))
    figure5 = painted.variations(picture, detail="generated")
    assert same(figure5[1], painted.reconstruct(picture))
    assert [p.size for p in figure5] == [(16, 16)] * len(figure5)


def test_the_class_that_is_there_has_no_opposite(digits_model: IcGAN, picture: Image.Image) -> None:
    inversion = digits_model.invert(picture)
    there = sum(score > 0.5 for score in inversion.scores.values())
    assert len(inversion.opposites()) == len(inversion.scores) - there


def test_the_box_is_where_the_model_looks(painted: IcGAN, picture: Image.Image) -> None:
    wide = Image.new("RGB", (3 * picture.width, picture.width))
    left, top, right, bottom = painted.invert(wide).box or (0, 0, 0, 0)
    assert (left + right) / 2 == pytest.approx(wide.width / 2, abs=1)
    assert (top, bottom) == (0, wide.height)
    with pytest.raises(ShapeError, match="a tensor is no photo"):
        _ = painted.invert(torch.zeros(3, 32, 32)).photo
    assert painted.invert(torch.zeros(3, 32, 32)).box is None


def test_a_painter_needs_neither_z_nor_the_generator(painted: IcGAN, picture: Image.Image) -> None:
    calls = counted(painted._engine)
    inversion = painted.invert(picture)
    assert inversion.square.size == (32, 32)
    assert inversion.edit(Smiling=1).size == (32, 32)
    inversion.paste_back(hair_color="Blond_Hair")
    assert calls == Counter(read=1, paint=2)
    assert inversion.edit(Smiling=1, detail="generated").size == (16, 16)
    assert calls == Counter(read=1, paint=2, encode=1, decode=1)
    assert repr(inversion) == "<Inversion of a picture, 32×32>"


def test_painted_photos_are_the_shorthands_bit_for_bit(
    painted: IcGAN, picture: Image.Image
) -> None:
    inversion = painted.invert(picture)
    for edits in EDITS:
        for detail in DETAILS:
            expected = painted.edit(picture, edits, detail=detail)
            assert same(inversion.edit(edits, detail=detail), expected)
        assert same(inversion.paste_back(edits), painted.edit(picture, edits, paste_back=True))
    assert same(inversion.edit(Smiling=1), inversion.edit(Smiling=1, detail="photo"))
    assert same(inversion.reconstruct(), painted.reconstruct(picture))
    assert inversion.scores == painted.predict_attributes(picture)
    assert all_same(inversion.variations(), painted.variations(picture))
    for clone in CLONES.values():
        assert same(clone(inversion).edit(Smiling=1), inversion.edit(Smiling=1))


def test_without_changes_painted_photos_stay_themselves(
    painted: IcGAN, picture: Image.Image
) -> None:
    inversion = painted.invert(picture)
    assert same(inversion.edit(), inversion.square)
    assert same(inversion.paste_back(), picture)
    assert not same(inversion.edit(Smiling=1), inversion.square)


def test_tensors_of_either_size_are_painted_on(painted: IcGAN, digits_config: ModelConfig) -> None:
    large, small = (torch.rand(3, side, side) * 2 - 1 for side in (32, 16))
    assert painted.edit(large, Smiling=1).size == painted.edit(small, Smiling=1).size == (32, 32)
    with pytest.raises(ShapeError, match=r"expected a tensor \[3, 32, 32\]"):
        painted.edit(torch.zeros(3, 8, 8))
    padded = replace(digits_config, painter_size=32, painter_width=2)
    model = IcGAN(tiny_networks(padded), device="cpu")
    shown = torch.rand(1, 24, 24) * 2 - 1
    around = torch.nn.functional.pad(shown, (4, 4, 4, 4), value=-1.0)
    assert same(model.invert(shown).square, model.invert(around).square)
    assert model.invert(torch.rand(1, 12, 12)).square.size == (24, 24)
    assert model.edit(shown, digit=1).size == (24, 24)


def test_a_refined_inversion_encodes_no_more(tiny_model: IcGAN, picture: Image.Image) -> None:
    calls = counted(tiny_model._engine)
    refined = tiny_model.invert(picture, refine=2)
    refined.edit(Smiling=1, detail="generated")
    assert refined.scores
    assert calls == Counter(encode=1, refine=1, decode=1)


@pytest.mark.parametrize("clone", CLONES)
def test_pickles_and_copies(clone: str, model: IcGAN, picture: Image.Image) -> None:
    for inversion in (model.invert(picture), model.invert(picture)):
        edited = inversion.edit(Smiling=1)  # the second clone is of one that has encoded
        again = CLONES[clone](inversion)
        assert again.scores == inversion.scores
        assert same(again.edit(Smiling=1), edited)
        assert same(again.paste_back(Smiling=1), inversion.paste_back(Smiling=1))
        assert same(again.square, inversion.square)
        assert repr(again) == repr(inversion)


def test_a_clone_of_what_has_not_yet_encoded(model: IcGAN, picture: Image.Image) -> None:
    for clone in CLONES.values():
        again = clone(model.invert(picture))
        assert same(again.edit(Smiling=1), model.edit(picture, Smiling=1))


def test_tensors_are_no_photos(tiny_model: IcGAN, picture: Image.Image) -> None:
    tensor = torch.from_numpy(find_subject(picture, tiny_model.config).pixels[0])
    for inversion in (tiny_model.invert(tensor), tiny_model.invert(tensor[None])):
        assert same(inversion.edit(Smiling=1), tiny_model.edit(picture, Smiling=1))
        with pytest.raises(ShapeError, match="a tensor is no photo to paste back into"):
            inversion.paste_back(Smiling=1)
        with pytest.raises(ShapeError, match="a tensor is no photo"):
            inversion.refined(1).paste_back()


def test_every_kind_of_picture(tiny_model: IcGAN, picture: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    picture.save(path)
    expected = tiny_model.edit(picture, Smiling=1, paste_back=True)
    with path.open("rb") as file:
        data = path.read_bytes()
        for source in (path, str(path), data, BytesIO(data), file, np.asarray(picture), [path]):
            inversion = tiny_model.invert(source)  # type: ignore[arg-type]
            assert same(inversion.paste_back(Smiling=1), expected)


def test_what_it_gives_is_the_callers(tiny_model: IcGAN, picture: Image.Image) -> None:
    given = picture.copy()
    inversion = tiny_model.invert(given)
    expected = inversion.edit(Smiling=1), inversion.paste_back(Smiling=1), inversion.square
    given.paste("red", (0, 0, 50, 60))
    inversion.square.paste("red", (0, 0, 16, 16))
    inversion.edit(Smiling=1).paste("red", (0, 0, 16, 16))
    inversion.reconstruct().paste("red", (0, 0, 16, 16))
    inversion.latent.z.zero_()
    inversion.scores.clear()
    inversion.paste_back(Smiling=1).paste("red", (0, 0, 50, 60))
    found = inversion.edit(Smiling=1), inversion.paste_back(Smiling=1), inversion.square
    assert all_same([*found], [*expected])
    assert inversion.scores


def test_wrong_requests_are_refused(tiny_model: IcGAN, picture: Image.Image) -> None:
    inversion = tiny_model.invert(picture)
    for method in (inversion.edit, inversion.paste_back):
        with pytest.raises(UnknownAttributeError, match="did you mean 'Smiling'"):
            method(Smilling=1)
        with pytest.raises(AttributeValueError, match="out of range"):
            method(Smiling=3)
        with pytest.raises(AttributeValueError, match="named twice: Smiling"):
            method({"Smiling": 1}, Smiling=1)
    with pytest.raises(ConfigError, match="detail must be 'auto', 'generated' or 'photo', not 'x'"):
        inversion.edit(detail="x")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="this is no model of aligned faces"):
        tiny_model.invert(picture, face="all")


def test_it_says_what_it_is(tiny_model: IcGAN, picture: Image.Image) -> None:
    assert repr(tiny_model.invert(picture)) == "<Inversion of a picture, 16×16>"


def test_pictures_go_through_the_networks_together(tiny_model: IcGAN, picture: Image.Image) -> None:
    calls = counted(tiny_model._engine)
    pictures = [picture.rotate(90 * i) for i in range(3)]
    assert len(tiny_model.edit(pictures, Smiling=1, detail="photo")) == 3
    assert calls == Counter(encode=1, decode=2, change=1)
    calls.clear()
    tiny_model.reconstruct(pictures)
    assert calls == Counter(encode=1, decode=1)
    calls.clear()
    assert len(tiny_model.predict_attributes(pictures)) == 3
    assert calls == Counter(encode=1)


def test_a_batch_is_encoded_once(tiny_model: IcGAN, picture: Image.Image) -> None:
    engine: Engine = tiny_model._engine
    pictures = [picture.rotate(90 * i) for i in range(3)]
    images = np.concatenate([find_subject(p, tiny_model.config).pixels for p in pictures])
    calls = counted(engine)
    batch = Batch(engine, images)
    edited = batch.edited({"Smiling": 1.0}, "photo", 1.0)
    assert edited.shape == images.shape
    assert batch.edited({"Smiling": 1.0}, "photo", 1.0) is edited
    assert calls == Counter(encode=1, decode=2, change=1)
    assert batch.refined(0) is batch
    np.testing.assert_array_equal(batch.edited({}, "photo", 1.0), images)


def test_a_change_goes_only_onto_a_photo_of_the_same_size(
    tiny_model: IcGAN, picture: Image.Image
) -> None:
    inversion = tiny_model.invert(picture)
    assert same(inversion.paste_back(onto=inversion.photo), inversion.photo)
    for other in (picture.resize((5, 5)), picture.convert("L")):
        with pytest.raises(ShapeError, match="onto must be as the photo"):
            inversion.paste_back(Smiling=1, onto=other)
    with pytest.raises(ShapeError, match="onto must be a PIL image"):
        inversion.paste_back(Smiling=1, onto="a.jpg")  # type: ignore[arg-type]


def test_what_it_was_called_warns(tiny_model: IcGAN, picture: Image.Image) -> None:
    inversion = tiny_model.invert(picture)
    with pytest.warns(DeprecationWarning, match="use z, y and square"):
        assert inversion.encoded.y is inversion.encoded.y
