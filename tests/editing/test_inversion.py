"""One picture encoded once and edited often, against the facade's shorthands."""

import pickle
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from icgan_sdk import IcGAN, Latent, ShapeError, UnknownAttributeError
from icgan_sdk.config import ModelConfig
from icgan_sdk.engines.pytorch import TorchEngine
from icgan_sdk.pictures.arrays import Floats
from tests.conftest import tiny_networks


def same(a: Image.Image, b: Image.Image) -> bool:
    return a.size == b.size and np.array_equal(np.asarray(a), np.asarray(b))


@pytest.fixture
def painted(tiny_config: ModelConfig) -> IcGAN:
    """A model with a painter of twice its side."""
    config = replace(tiny_config, painter_size=2 * tiny_config.image_size, painter_width=2)
    return IcGAN(tiny_networks(config), device="cpu")


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what runs the encoders or refines, call by call."""
    calls: list[str] = []
    for name in ("encode", "read", "refine", "decode", "paint"):
        method = getattr(TorchEngine, name)

        def count(*given: Floats | int, name: str = name, method: object = method) -> object:
            calls.append(name)
            return method(*given)  # type: ignore[operator]

        monkeypatch.setattr(TorchEngine, name, count)
    return calls


def test_it_gives_what_the_shorthands_give(tiny_model: IcGAN, picture: Image.Image) -> None:
    found = tiny_model.invert(picture)
    assert same(found.edit(Smiling=1), tiny_model.edit(picture, Smiling=1))
    photo = tiny_model.edit(picture, {"Smiling": 1}, detail="photo")
    assert same(found.edit({"Smiling": 1}, detail="photo"), photo)
    assert same(found.reconstruct(), tiny_model.reconstruct(picture))
    assert found.scores == tiny_model.predict_attributes(picture)
    pairs = zip(found.variations(), tiny_model.variations(picture), strict=True)
    assert all(same(a, b) for a, b in pairs)
    whole = tiny_model.edit(picture, Smiling=2, paste_back=True)
    assert same(found.paste_back(Smiling=2), whole)
    assert whole.size == picture.size
    assert torch.equal(found.latent.z, tiny_model.encode(picture).z)
    refined = tiny_model.invert(picture, refine=3)
    assert same(refined.reconstruct(), tiny_model.reconstruct(picture, refine=3))
    assert same(found.refined(3).edit(Smiling=1), refined.edit(Smiling=1))
    assert repr(found) == "<Inversion of a picture, 16×16>"


def test_it_encodes_once(tiny_model: IcGAN, picture: Image.Image, encoded: list[str]) -> None:
    found = tiny_model.invert(picture).refined(2)
    found.reconstruct()
    encoded.clear()
    found.edit(Smiling=1)
    found.edit(Smiling=0, detail="photo")
    found.paste_back(Smiling=1)
    assert encoded == ["decode"] * 3


def test_a_painter_needs_neither_z_nor_the_generator(
    painted: IcGAN, picture: Image.Image, encoded: list[str]
) -> None:
    found = painted.invert(picture)
    assert found.square.size == (32, 32)
    assert found.edit(Smiling=1).size == (32, 32)
    found.paste_back(hair_color="Blond_Hair")
    assert encoded == ["read", "paint", "paint"]
    assert found.edit(Smiling=1, detail="generated").size == (16, 16)


def test_without_changes_painted_photos_stay_themselves(
    painted: IcGAN, picture: Image.Image
) -> None:
    found = painted.invert(picture)
    assert same(found.edit(), found.square)
    assert same(found.paste_back(), picture)
    assert not same(found.edit(Smiling=1), found.square)


def test_tensors_of_either_size_are_painted_on(painted: IcGAN) -> None:
    large, small = (torch.rand(3, side, side) * 2 - 1 for side in (32, 16))
    assert painted.edit(large, Smiling=1).size == painted.edit(small, Smiling=1).size == (32, 32)
    with pytest.raises(ShapeError, match=r"expected a tensor \[3, 32, 32\]"):
        painted.edit(torch.zeros(3, 8, 8))


def test_it_is_pickled_and_copied(tiny_model: IcGAN, picture: Image.Image) -> None:
    found = tiny_model.invert(picture)
    for again in (pickle.loads(pickle.dumps(found)), deepcopy(found)):
        assert same(again.edit(Smiling=1), found.edit(Smiling=1))
        assert same(again.paste_back(Smiling=1), found.paste_back(Smiling=1))


def test_a_tensor_is_no_photo(tiny_model: IcGAN) -> None:
    found = tiny_model.invert(torch.zeros(3, 16, 16))
    assert found.edit(Smiling=1).size == (16, 16)
    with pytest.raises(ShapeError, match="a tensor is no photo"):
        found.paste_back(Smiling=1)


def test_ends_may_be_inverted_before(tiny_model: IcGAN, picture: Image.Image) -> None:
    other = picture.rotate(90)
    a, b = tiny_model.invert(picture), tiny_model.invert(other)
    way = tiny_model.interpolate(a, b, steps=3)
    assert same(way[0], a.reconstruct())
    assert same(way[2], b.reconstruct())
    swapped = tiny_model.swap_attributes(a, other)
    expected = tiny_model.decode(
        Latent(torch.cat([a.latent.z, b.latent.z]), torch.cat([b.latent.y, a.latent.y]))
    )
    assert all(same(x, y) for x, y in zip(swapped, expected, strict=True))


def test_latents_are_edited_too(tiny_model: IcGAN, picture: Image.Image) -> None:
    latent = tiny_model.with_attributes(tiny_model.encode([picture, picture]), Smiling=1)
    assert same(tiny_model.decode(latent)[1], tiny_model.edit(picture, Smiling=1))
    cleared = tiny_model.with_attributes(latent, hair_color=None).y
    assert cleared[:, 2:].eq(-1).all()


def test_whatever_holds_pictures_is_taken(
    tiny_model: IcGAN, picture: Image.Image, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    picture.save(path)
    expected = tiny_model.edit(picture, Smiling=1)

    def several() -> Iterator[Path | Image.Image]:
        yield path
        yield picture

    array = np.stack([np.asarray(picture)] * 2)
    mixed: list[str | Image.Image] = [str(path), picture]
    arrays = tiny_model.edit([*array], Smiling=1)
    for results in (
        tiny_model.edit(several(), Smiling=1),
        tiny_model.edit(tmp_path.glob("*.png"), Smiling=1),
        tiny_model.edit(mixed, Smiling=1),
        arrays,
    ):
        assert results
        assert all(same(p, expected) for p in results)
    assert same(tiny_model.edit(array, Smiling=1)[1], expected)
    with path.open("rb") as file:
        assert same(tiny_model.edit(file, Smiling=1), expected)
    assert same(tiny_model.edit(path.read_bytes(), Smiling=1), expected)
    assert same(tiny_model.edit(BytesIO(path.read_bytes()), attributes={"Smiling": 1}), expected)


@pytest.mark.parametrize(
    ("wrong", "meant"), [("pasteback", "paste_back"), ("refin", "refine"), ("details", "detail")]
)
def test_mistyped_options_are_told_from_attributes(
    wrong: str, meant: str, tiny_model: IcGAN, picture: Image.Image
) -> None:
    with pytest.raises(UnknownAttributeError, match=f"did you mean the option {meant}"):
        tiny_model.edit(picture, **{wrong: 1})  # type: ignore[call-overload]
    with pytest.raises(UnknownAttributeError, match="did you mean 'Smiling'"):
        tiny_model.edit(picture, Smilin=1)
