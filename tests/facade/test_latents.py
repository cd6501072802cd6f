"""Latents and inversions in and out of `IcGAN`'s methods."""

import numpy as np
import pytest
import torch
from PIL import Image

from icgan_sdk import IcGAN, Latent
from icgan_sdk.errors import (
    AttributeValueError,
    ConfigError,
    ShapeError,
    UnknownAttributeError,
)
from icgan_sdk.pictures.arrays import Floats


def same(a: Image.Image, b: Image.Image, tolerance: int = 0) -> bool:
    return int(np.abs(np.asarray(a, np.int64) - np.asarray(b, np.int64)).max()) <= tolerance


@pytest.fixture
def turned(picture: Image.Image) -> Image.Image:
    return picture.rotate(90)


def test_attributes_of_latents_are_changed(
    tiny_model: IcGAN, picture: Image.Image, turned: Image.Image
) -> None:
    latent = tiny_model.encode([picture, turned])
    before = latent.z.clone(), latent.y.clone()
    changed = tiny_model.with_attributes(latent, {"Smiling": 0.75}, hair_color="Blond_Hair")
    assert torch.equal(latent.z, before[0])
    assert torch.equal(latent.y, before[1])
    assert torch.equal(changed.z, latent.z)
    expected = latent.y.clone()
    expected[:, 1:] = torch.tensor([0.5, -1.0, 1.0])
    assert torch.equal(changed.y, expected)
    edited = tiny_model.edit(
        [picture, turned], Smiling=0.75, hair_color="Blond_Hair", detail="generated"
    )
    drawn = tiny_model.decode(changed)
    assert all(same(a, b) for a, b in zip(drawn, edited, strict=True))


def test_no_member_of_a_group(tiny_model: IcGAN, picture: Image.Image) -> None:
    latent = tiny_model.encode(picture)
    bare = tiny_model.with_attributes(latent, hair_color=None)
    assert bare.y[0, 2:].tolist() == [-1.0, -1.0]
    assert torch.equal(bare.y[0, :2], latent.y[0, :2])
    expected = tiny_model.edit(picture, Black_Hair=0, Blond_Hair=0)
    assert same(tiny_model.edit(picture, hair_color=None), expected)
    assert same(tiny_model.edit(picture, {"hair_color": None}), expected)
    assert same(tiny_model.invert(picture).edit(hair_color=None), expected)
    plain, named = tiny_model.sample(1, seed=0), tiny_model.sample(1, seed=0, hair_color=None)
    assert same(plain[0], named[0])
    with pytest.raises(AttributeValueError, match="'Blond_Hair' is asked for with two values"):
        tiny_model.edit(picture, hair_color=None, Blond_Hair=1)
    with pytest.raises(UnknownAttributeError, match="has no member 'none'"):
        tiny_model.edit(picture, hair_color="none")


@pytest.mark.parametrize(
    ("latent", "problem"),
    [
        (Latent(torch.zeros(1, 5), torch.zeros(1, 4)), r"expected z \[B, 6\], not \[1, 5\]"),
        (Latent(torch.zeros(2, 6), torch.zeros(1, 4)), "z has 2 rows but y has 1"),
        (None, "expected a Latent of two tensors"),
    ],
)
def test_latents_that_dont_fit_take_no_attributes(
    tiny_model: IcGAN, latent: Latent, problem: str
) -> None:
    with pytest.raises(ShapeError, match=problem):
        tiny_model.with_attributes(latent, Smiling=1)


def test_wrong_changes_of_latents_are_refused(tiny_model: IcGAN, picture: Image.Image) -> None:
    latent = tiny_model.encode(picture)
    with pytest.raises(UnknownAttributeError, match="did you mean 'Smiling'"):
        tiny_model.with_attributes(latent, Smilling=1)
    with pytest.raises(AttributeValueError, match="out of range"):
        tiny_model.with_attributes(latent, Smiling=3)


def test_ways_and_swaps_take_inversions(
    tiny_model: IcGAN, picture: Image.Image, turned: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = tiny_model.interpolate(picture, turned, steps=4, refine=3)
    swapped = tiny_model.swap_attributes(picture, turned, refine=3)
    a, b = (tiny_model.invert(x, refine=3) for x in (picture, turned))
    assert a.scores
    assert b.scores
    calls: list[int] = []
    encode = tiny_model._engine.encode

    def count(images: Floats) -> tuple[Floats, Floats]:
        calls.append(len(images))
        return encode(images)

    monkeypatch.setattr(tiny_model._engine, "encode", count)
    for found in (
        tiny_model.interpolate(a, b, steps=4),
        tiny_model.interpolate(a, turned, steps=4, refine=3),
        tiny_model.interpolate(picture, b, steps=4, refine=3),
    ):
        assert all(same(x, y, 1) for x, y in zip(found, way, strict=True))
    assert calls == [1, 1]
    calls.clear()
    for pair in (tiny_model.swap_attributes(a, b), tiny_model.swap_attributes(a, turned, refine=3)):
        assert all(same(x, y, 1) for x, y in zip(pair, swapped, strict=True))
    assert calls == [1]


def test_inversions_take_no_options_of_inverting(tiny_model: IcGAN, picture: Image.Image) -> None:
    end = tiny_model.invert(picture)
    with pytest.raises(ConfigError, match="refine: options say how pictures are inverted"):
        tiny_model.interpolate(end, end, steps=2, refine=5)
    with pytest.raises(ConfigError, match="give them to invert"):
        tiny_model.swap_attributes(end, end, align="none")


def test_one_picture_is_one(tiny_model: IcGAN, picture: Image.Image) -> None:
    for several in ([picture, picture], torch.zeros(2, 3, 16, 16)):
        with pytest.raises(ShapeError, match="expected one picture here, not 2"):
            tiny_model.invert(several)  # type: ignore[arg-type]
        with pytest.raises(ShapeError, match="expected one picture here, not 2"):
            tiny_model.swap_attributes(several, picture)  # type: ignore[arg-type]
    (alone,) = tiny_model.edit([picture], Smiling=1)
    assert same(tiny_model.invert([picture]).edit(Smiling=1), alone)  # type: ignore[arg-type]


def test_mistyped_options_are_told_apart_from_attributes(
    tiny_model: IcGAN, picture: Image.Image
) -> None:
    for named, option in (
        ({"pasteback": True}, "paste_back"),
        ({"refin": 10}, "refine"),
        ({"Detail": "photo"}, "detail"),
        ({"alignment": "none"}, "align"),
    ):
        problem = f"no option and no attribute '{next(iter(named))}'; did you mean the option "
        with pytest.raises(UnknownAttributeError, match=f"{problem}{option}\\?"):
            tiny_model.edit(picture, Smiling=1, **named)
    for named in ({"Smilling": 1}, {"Blond_Hare": 1}, {"hair_colour": "Blond_Hair"}):
        with pytest.raises(UnknownAttributeError, match=r"unknown attribute .* did you mean '"):
            tiny_model.edit(picture, **named)
    with pytest.raises(UnknownAttributeError, match="unknown attribute 'refin'; known"):
        tiny_model.edit(picture, {"refin": 10})
    with pytest.raises(UnknownAttributeError, match="did you mean the option seed"):
        tiny_model.sample(1, sed=3)
    with pytest.raises(UnknownAttributeError, match="unknown attribute 'refine'"):
        tiny_model.sample(1, refine=3)
    inversion = tiny_model.invert(picture)
    with pytest.raises(UnknownAttributeError, match="did you mean the option detail"):
        inversion.edit(detial="photo")
    for option, instead in (
        ("refine", r"call refined\(steps\) first"),
        ("paste_back", "call paste_back instead"),
        ("face", r"give it to IcGAN\.invert"),
    ):
        with pytest.raises(UnknownAttributeError, match=f"no option here: {instead}"):
            inversion.edit(**{option: 1})  # type: ignore[arg-type]
    with pytest.raises(UnknownAttributeError, match="unknown attribute 'detail'"):
        inversion.paste_back(detail="photo")


def test_mistyped_options_of_other_methods(tiny_model: IcGAN, picture: Image.Image) -> None:
    for method in (tiny_model.encode, tiny_model.invert, tiny_model.variations):
        with pytest.raises(ConfigError, match="no option 'refin' here; did you mean 'refine'"):
            method(picture, refin=3)  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="no option 'alin' here; did you mean 'align'"):
        tiny_model.reconstruct(picture, alin="none")  # type: ignore[call-overload]
    with pytest.raises(ConfigError, match="no option 'refine' here; known: align, face"):
        tiny_model.predict_attributes(picture, refine=3)  # type: ignore[call-overload]
    with pytest.raises(ConfigError, match="no option 'detail' here"):
        tiny_model.interpolate(picture, picture, steps=2, detail="photo")  # type: ignore[call-arg]


def test_an_inversion_in_place_of_a_picture_names_the_way(
    tiny_model: IcGAN, picture: Image.Image
) -> None:
    found = tiny_model.invert(picture)
    with pytest.raises(ShapeError, match=r"inversion\.edit\(Smiling=1\)"):
        tiny_model.edit(found, Smiling=1)  # type: ignore[call-overload]
    with pytest.raises(ShapeError, match=r"inversion\.edit\(Smiling=1\)"):
        tiny_model.predict_attributes([found])  # type: ignore[list-item]


def test_an_inversion_of_another_model_is_refused(
    tiny_model: IcGAN, digits_model: IcGAN, picture: Image.Image
) -> None:
    other = digits_model.invert(picture)
    for ends in ((other, other), (picture, other)):
        with pytest.raises(ShapeError, match="another model"):
            tiny_model.interpolate(*ends)
        with pytest.raises(ShapeError, match="another model"):
            tiny_model.swap_attributes(*ends)
