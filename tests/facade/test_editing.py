from collections.abc import Iterable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from icgan_sdk import IcGAN, Latent
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.editing import inverting
from icgan_sdk.engines import pytorch
from icgan_sdk.errors import AttributeValueError, ConfigError, ShapeError, UnknownAttributeError
from icgan_sdk.photo import find_subject
from icgan_sdk.pictures.arrays import Floats, fit_picture
from icgan_sdk.pictures.opening import ImageLike
from tests.conftest import tiny_networks


def pixels(picture: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.asarray(picture).astype(np.int64)


def same(a: Image.Image, b: Image.Image, tolerance: int = 0) -> bool:
    return a.size == b.size and bool(np.abs(pixels(a) - pixels(b)).max() <= tolerance)


def test_one_picture_gives_one_and_several_give_a_list(
    tiny_model: IcGAN, picture: Image.Image, tmp_path: Path
) -> None:
    path = tmp_path / "in.png"
    picture.save(path)
    tensor = torch.from_numpy(find_subject(picture, tiny_model.config).pixels[0])
    one = tiny_model.edit(picture, Smiling=1)
    assert one.size == (16, 16)
    with path.open("rb") as file:
        data = file.read()
        for source in (path, str(path), np.asarray(picture), data, file, BytesIO(data), tensor):
            assert same(tiny_model.edit(source, Smiling=1), one)
    assert len(tiny_model.edit([path], Smiling=1)) == 1
    assert len(tiny_model.reconstruct((picture, path))) == 2
    assert isinstance(tiny_model.predict_attributes(picture), dict)
    assert len(tiny_model.predict_attributes([picture, picture])) == 2


def test_several_are_any_iterable(tiny_model: IcGAN, picture: Image.Image, tmp_path: Path) -> None:
    picture.save(tmp_path / "1.png")
    picture.rotate(90).save(tmp_path / "2.png")
    turned = picture.rotate(90)
    paths = sorted(tmp_path.glob("*.png"))
    one, two = (tiny_model.edit(x, Smiling=1) for x in (picture, turned))
    back = tiny_model.edit(picture, Smiling=1, paste_back=True)
    arrays = np.stack([np.asarray(picture), np.asarray(turned)])
    squares = [find_subject(path, tiny_model.config).pixels for path in paths]
    tensors = torch.from_numpy(np.concatenate(squares))

    named: dict[str, ImageLike] = {"a": paths[0], "b": turned}

    def several() -> list[Iterable[ImageLike]]:
        """Afresh each time, as some can be gone through once."""
        return [
            (x for x in (picture, turned)),
            map(str, paths),
            named.values(),
            [str(paths[0]), turned],
            (picture, tmp_path / "2.png"),
            cast("Iterable[ImageLike]", arrays),
            cast("Iterable[ImageLike]", tensors),
        ]

    for number, pictures in enumerate(several()):
        edited = tiny_model.edit(pictures, Smiling=1)
        assert isinstance(edited, list)
        assert [same(a, b, 1) for a, b in zip(edited, (one, two), strict=True)] == [True, True]
        assert len(tiny_model.encode(several()[number]).z) == 2
        assert len(tiny_model.predict_attributes(several()[number])) == 2
        assert len(tiny_model.reconstruct(several()[number])) == 2
    for pictures in several()[:-1]:
        pasted = tiny_model.edit(pictures, Smiling=1, paste_back=True)
        assert len(pasted) == 2
        assert same(pasted[0], back)
    assert len(tiny_model.edit(tmp_path.glob("*.png"), Smiling=1)) == 2
    assert len(tiny_model.reconstruct(cast("Iterable[ImageLike]", tensors[:1]))) == 1


def test_the_models_own_figures(tiny_model: IcGAN, tiny_config: ModelConfig) -> None:
    assert tiny_model.attributes == ("Male", "Smiling", "Black_Hair", "Blond_Hair")
    assert tiny_model.groups == {"hair_color": ("Black_Hair", "Blond_Hair")}
    assert tiny_model.config is tiny_config
    assert tiny_model.device == torch.device("cpu")
    assert tiny_model.to("cpu") is tiny_model


def test_an_edit_is_encode_change_y_decode(tiny_model: IcGAN, picture: Image.Image) -> None:
    latent = tiny_model.encode(picture)
    assert latent.z.shape == (1, 6)
    assert latent.y.shape == (1, 4)
    y = latent.y.clone()
    y[0, 1] = 0.5  # presence 0.75
    y[0, 2] = -1.0
    y[0, 3] = 1.0
    expected = tiny_model.decode(Latent(latent.z, y))[0]
    edited = tiny_model.edit(
        picture, {"Smiling": 0.75}, hair_color="Blond_Hair", detail="generated"
    )
    assert same(edited, expected)
    assert not same(edited, tiny_model.reconstruct(picture))


def test_no_edit_is_the_reconstruction(tiny_model: IcGAN, picture: Image.Image) -> None:
    latent = tiny_model.encode(picture)
    assert same(tiny_model.edit(picture, detail="generated"), tiny_model.decode(latent)[0])
    assert same(tiny_model.reconstruct(picture), tiny_model.decode(latent)[0])


def test_grey_padded_one_hot_models(digits_model: IcGAN, picture: Image.Image) -> None:
    edited = digits_model.edit(picture, digit=2)
    assert (edited.mode, edited.size) == ("L", (12, 12))
    assert same(edited, digits_model.edit(picture, {"2": 1}))


def test_scores_are_presences(tiny_model: IcGAN, picture: Image.Image) -> None:
    scores = tiny_model.predict_attributes(picture)
    read = tiny_model.encode(picture).y[0]
    assert tuple(scores) == tiny_model.attributes
    expected = ((read + 1) / 2).clamp(0, 1).tolist()
    assert list(scores.values()) == pytest.approx(expected)


def test_variations_follow_the_original_code(tiny_model: IcGAN, picture: Image.Image) -> None:
    row = tiny_model.variations(picture)
    latent = tiny_model.encode(picture)
    assert len(row) == 2 + 4
    assert same(row[0], fit_picture(picture, 16))
    assert same(row[1], tiny_model.reconstruct(picture), tolerance=1)
    base = torch.where(latent.y > 0, 1.0, -1.0).repeat(4, 1)
    base[0, 0] *= -1
    base[1, 1] = 1
    base[2, 2:] = torch.tensor([1.0, -1.0])
    base[3, 2:] = torch.tensor([-1.0, 1.0])
    expected = tiny_model.decode(Latent(latent.z.repeat(4, 1), base))
    assert all(same(a, b, tolerance=1) for a, b in zip(row[2:], expected, strict=True))


def test_male_alone_is_flipped_in_variations(tiny_config: ModelConfig) -> None:
    networks = tiny_networks(replace(tiny_config, crop=CELEBA_CROP))
    assert networks.encoder_y is not None
    head = networks.encoder_y.get_submodule("head.4")
    with torch.no_grad():
        head.get_parameter("weight").zero_()
        head.get_parameter("bias").fill_(0.9)  # E_y reads everything as present
    model = IcGAN(networks, device="cpu")
    grey = torch.zeros(3, 16, 16)
    row = model.variations(grey)
    z = model.encode(grey).z
    flipped, kept = model.decode(
        Latent(z.repeat(2, 1), torch.tensor([[-1.0, 1, 1, 1], [1.0, 1, 1, 1]]))
    )
    assert same(row[2], flipped, tolerance=1)
    assert same(row[3], kept, tolerance=1)
    assert not same(flipped, kept, tolerance=1)


def test_interpolation_is_linear_and_includes_both_ends(
    tiny_model: IcGAN, picture: Image.Image
) -> None:
    other = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    strip = tiny_model.interpolate(picture, other, steps=3)
    ends = tiny_model.encode([picture, other])
    assert len(strip) == 3
    assert same(strip[0], tiny_model.reconstruct(picture), tolerance=1)
    assert same(strip[2], tiny_model.reconstruct(other), tolerance=1)
    middle = Latent(ends.z.mean(0, keepdim=True), ends.y.mean(0, keepdim=True))
    assert same(strip[1], tiny_model.decode(middle)[0], tolerance=1)


def test_swapping_exchanges_y_alone(tiny_model: IcGAN, picture: Image.Image) -> None:
    other = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    latent = tiny_model.encode([picture, other])
    expected = tiny_model.decode(Latent(latent.z, latent.y[[1, 0]]))
    swapped = tiny_model.swap_attributes(picture, other)
    assert all(same(a, b) for a, b in zip(swapped, expected, strict=True))


def test_sampling_depends_on_the_seed_alone(
    tiny_model: IcGAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tiny_model.sample(5, seed=3, Smiling=1)
    generator = np.random.default_rng(3)
    again = tiny_model.sample(5, {"Smiling": 1}, generator=generator)
    monkeypatch.setattr(pytorch, "CHUNK", 2)
    chunked = tiny_model.sample(5, seed=3, Smiling=1)
    assert all(same(a, b) for a, b in zip(first, again, strict=True))
    assert all(same(a, b, tolerance=1) for a, b in zip(first, chunked, strict=True))
    assert not same(first[0], tiny_model.sample(1, seed=4, Smiling=1)[0])
    assert not same(tiny_model.sample(1)[0], tiny_model.sample(1)[0])


def test_samples_are_without_what_is_not_named(tiny_model: IcGAN) -> None:
    z = np.random.default_rng(0).standard_normal((1, 6), np.float32)
    expected = tiny_model.decode(
        Latent(torch.from_numpy(z), torch.tensor([[-1.0, 0.0, -1.0, -1.0]]))
    )
    assert same(tiny_model.sample(1, seed=0, Smiling=0.5)[0], expected[0])


def test_classes_are_drawn_at_random_where_none_is_named(
    digits_model: IcGAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Floats] = []
    decode = digits_model._engine.decode

    def spy(z: Floats, y: Floats) -> Floats:
        seen.append(y)
        return decode(z, y)

    monkeypatch.setattr(digits_model._engine, "decode", spy)
    digits_model.sample(40, seed=0)
    digits_model.sample(40, seed=0, digit=1)
    assert (seen[0].sum(1) == -1).all()
    assert set(seen[0].argmax(1).tolist()) == {0, 1, 2}
    assert (seen[1].argmax(1) == 1).all()


def test_chunks_dont_change_results(
    tiny_model: IcGAN, picture: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [picture.rotate(30 * i) for i in range(5)]
    whole, edited = tiny_model.encode(pictures, refine=2), tiny_model.edit(pictures, Smiling=1)
    sizes: list[int] = []
    encode = tiny_model._engine.encode

    def spy(images: Floats) -> tuple[Floats, Floats]:
        sizes.append(len(images))
        return encode(images)

    monkeypatch.setattr(tiny_model._engine, "encode", spy)
    for where, expected in ((pytorch, [5]), (inverting, [2, 2, 1])):
        monkeypatch.setattr(where, "CHUNK", 2)
        sizes.clear()
        parts = tiny_model.encode(pictures, refine=2)
        assert sizes == expected
        torch.testing.assert_close(parts.z, whole.z, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(parts.y, whole.y, rtol=1e-4, atol=1e-5)
        again = tiny_model.edit(pictures, Smiling=1)
        assert all(same(a, b, tolerance=1) for a, b in zip(again, edited, strict=True))


def test_nothing_global_is_touched(tiny_model: IcGAN, picture: Image.Image) -> None:
    state, numpy_state = torch.get_rng_state(), repr(np.random.get_state())
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    tiny_model.edit(picture, Smiling=1, refine=2, detail="photo")
    tiny_model.sample(2)
    tiny_model.variations(picture)
    IcGAN.from_pretrained("celeba", device="cpu").reconstruct(picture, align="none", refine=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert repr(np.random.get_state()) == numpy_state
    assert torch.get_num_threads() == threads
    assert torch.get_default_dtype() == dtype
    assert torch.is_grad_enabled()


def test_results_are_the_same_every_time_whatever_the_callers_modes(
    tiny_model: IcGAN, picture: Image.Image
) -> None:
    first = tiny_model.edit(picture, Smiling=1, refine=3)
    with torch.inference_mode():
        assert same(tiny_model.edit(picture, Smiling=1, refine=3), first)
    with torch.no_grad():
        assert same(tiny_model.edit(picture, Smiling=1, refine=3), first)


def test_the_callers_default_type_changes_nothing(tiny_model: IcGAN, picture: Image.Image) -> None:
    def results() -> list[Image.Image]:
        return [
            *tiny_model.interpolate(picture, picture.rotate(90), steps=3),
            *tiny_model.swap_attributes(picture, picture.rotate(90)),
            *tiny_model.variations(picture),
            tiny_model.edit(picture, Smiling=1, refine=2, detail="photo"),
        ]

    expected = results()
    torch.set_default_dtype(torch.float64)
    try:
        doubled = results()
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(same(a, b, tolerance=1) for a, b in zip(doubled, expected, strict=True))


def test_numpys_whole_numbers_are_whole_numbers(tiny_model: IcGAN, picture: Image.Image) -> None:
    n, seed = np.int64(2), np.uint8(3)
    some = tiny_model.sample(n, seed=seed)  # type: ignore[arg-type]
    assert all(same(a, b) for a, b in zip(some, tiny_model.sample(2, seed=3), strict=True))
    assert len(tiny_model.interpolate(picture, picture, steps=n)) == 2  # type: ignore[arg-type]
    refined = tiny_model.reconstruct(picture, refine=n)  # type: ignore[call-overload]
    assert same(refined, tiny_model.reconstruct(picture, refine=2))
    for number in (True, np.True_, np.float64(2), "2"):
        with pytest.raises(ConfigError, match="n must be a whole number from 1"):
            tiny_model.sample(number)  # type: ignore[arg-type]


def test_latents_are_ordinary_tensors(tiny_model: IcGAN, picture: Image.Image) -> None:
    latent = tiny_model.encode(picture)
    latent.z[0, 0] += 1
    assert not latent.z.is_inference()
    assert tiny_model.decode(latent)


@pytest.mark.parametrize(
    ("z", "y", "problem"),
    [
        (torch.zeros(1, 5), torch.zeros(1, 4), r"expected z \[B, 6\], not \[1, 5\]"),
        (torch.zeros(6), torch.zeros(1, 4), r"expected z \[B, 6\], not \[6\]"),
        (torch.zeros(1, 6), torch.zeros(1, 3), r"expected y \[B, 4\], not \[1, 3\]"),
        (torch.zeros(2, 6), torch.zeros(1, 4), "z has 2 rows but y has 1"),
        (torch.zeros(0, 6), torch.zeros(0, 4), r"not \[0, 6\]"),
        (torch.zeros(1, 6, dtype=torch.long), torch.zeros(1, 4), "floats, not torch.int64"),
        (torch.full((1, 6), float("inf")), torch.zeros(1, 4), "not finite"),
    ],
)
def test_latents_that_dont_fit_are_refused(
    tiny_model: IcGAN, z: Tensor, y: Tensor, problem: str
) -> None:
    with pytest.raises(ShapeError, match=problem):
        tiny_model.decode(Latent(z, y))


def test_a_model_without_attributes_still_works(
    tiny_config: ModelConfig, picture: Image.Image
) -> None:
    model = IcGAN(tiny_networks(replace(tiny_config, attributes=AttributeSet())), device="cpu")
    assert model.encode(picture).y.shape == (1, 0)
    assert same(model.edit(picture, detail="generated"), model.reconstruct(picture))
    assert same(model.edit(picture, detail="photo"), fit_picture(picture, 16))
    assert len(model.variations(picture)) == 2
    assert len(model.interpolate(picture, picture, steps=2)) == 2
    assert len(model.sample(3, seed=0)) == 3
    assert model.predict_attributes(picture) == {}
    with pytest.raises(UnknownAttributeError, match="there are none"):
        model.edit(picture, Smiling=1)


@pytest.mark.parametrize("design", ["sng", "ind_cond"])
def test_other_encoder_designs_edit_too(
    design: str, tiny_config: ModelConfig, picture: Image.Image
) -> None:
    config = replace(tiny_config, encoder_design=design)  # type: ignore[arg-type]
    model = IcGAN(tiny_networks(config), device="cpu")
    edited = model.edit(picture, Smiling=2, refine=1, detail="generated")
    assert not same(edited, model.reconstruct(picture))


def test_wrong_options_are_refused(tiny_model: IcGAN, picture: Image.Image) -> None:
    with pytest.raises(ConfigError, match="refine must be a whole number from 0, not -1"):
        tiny_model.edit(picture, refine=-1)
    with pytest.raises(ConfigError, match=r"refine must be a whole number from 0, not 1\.5"):
        tiny_model.encode(picture, refine=1.5)  # type: ignore[arg-type]
    with pytest.raises(
        ConfigError, match="detail must be 'auto', 'generated' or 'photo', not 'sharp'"
    ):
        tiny_model.edit(picture, detail="sharp")  # type: ignore[call-overload]
    with pytest.raises(ConfigError, match="steps must be a whole number from 2, not 1"):
        tiny_model.interpolate(picture, picture, steps=1)
    with pytest.raises(ConfigError, match="n must be a whole number from 1, not 0"):
        tiny_model.sample(0)
    with pytest.raises(ConfigError, match="a seed or a generator, not both"):
        tiny_model.sample(1, seed=0, generator=np.random.default_rng())
    for seed in (-1, 0.5):
        with pytest.raises(ConfigError, match="seed must be"):
            tiny_model.sample(1, seed=seed)  # type: ignore[arg-type]
    with pytest.raises(AttributeValueError, match="named twice: Smiling"):
        tiny_model.edit(picture, {"Smiling": 1}, Smiling=0)
    with pytest.raises(AttributeValueError, match="must be a mapping by name, not 'Smiling'"):
        tiny_model.edit(picture, "Smiling")  # type: ignore[call-overload]
    with pytest.raises(ShapeError, match="expected one picture here, not 2"):
        tiny_model.variations(torch.zeros(2, 3, 16, 16))


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", "cpu:x", ""])
def test_unknown_devices_are_refused(tiny_config: ModelConfig, device: str) -> None:
    with pytest.raises(ConfigError, match="device"):
        IcGAN(tiny_networks(tiny_config), device=device)
    assert IcGAN(tiny_networks(tiny_config), device="auto").device.type in {"cpu", "cuda", "mps"}


def test_models_come_back_from_their_folder(
    tiny_model: IcGAN, tiny_folder: Path, picture: Image.Image, tmp_path: Path
) -> None:
    tiny_model.save_pretrained(tmp_path / "saved")
    again = IcGAN.from_pretrained(tmp_path / "saved", device="cpu")
    assert same(again.edit(picture, Smiling=1), tiny_model.edit(picture, Smiling=1))
    assert "# saved: an IcGAN model" in (tmp_path / "saved" / "README.md").read_text()
    IcGAN.from_pretrained(str(tiny_folder), device="cpu").save_pretrained(tmp_path / "copy")
    assert (tmp_path / "copy" / "README.md").read_text() == "# Tiny\n"


def test_what_is_no_latent_or_generator_is_refused(tiny_model: IcGAN) -> None:
    latent = tiny_model.encode(torch.zeros(1, 3, 16, 16))
    for wrong in (None, (latent.z, latent.y), Latent(latent.z.numpy(), latent.y)):  # type: ignore[arg-type]
        with pytest.raises(ShapeError, match="expected a Latent of two tensors"):
            tiny_model.decode(wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"generator must be a numpy\.random\.Generator, not 3"):
        tiny_model.sample(1, generator=3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="detail must be"):
        tiny_model.edit(torch.zeros(3, 16, 16), detail=["photo"])  # type: ignore[call-overload]
