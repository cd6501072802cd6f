from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.model import Generator
from icgan_sdk.model.compositing import carry_change
from icgan_sdk.model.face_vectors import face_vectors
from icgan_sdk.model.refinement import refine_z
from icgan_sdk.photo import find_subject
from icgan_sdk.pictures.arrays import fit_picture, picture_to_array


def same(a: Image.Image, b: Image.Image) -> bool:
    return np.array_equal(np.asarray(a), np.asarray(b))


def error(model: IcGAN, picture: Image.Image, refine: int) -> float:
    fitted = np.asarray(fit_picture(picture, 16)).astype(float)
    return float(np.square(np.asarray(model.reconstruct(picture, refine=refine)) - fitted).mean())


def test_refining_brings_the_picture_nearer(tiny_model: IcGAN) -> None:
    target = tiny_model.sample(1, seed=5)[0]
    errors = [error(tiny_model, target, steps) for steps in (0, 20, 100)]
    assert errors[0] > errors[1] > errors[2]


def test_refining_brings_the_person_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    model = IcGAN.from_pretrained("celeba", device="cpu")
    faces = face_vectors(model.config)
    assert faces is not None
    found = model.invert(Path(__file__).parents[2] / "examples" / "collins.jpg")

    def vector(picture: Image.Image) -> torch.Tensor:
        pixels = torch.from_numpy(picture_to_array(picture, model.config.photo))
        vectors: torch.Tensor = faces(pixels[None])
        return vectors

    person = vector(found.square)

    def distance(steps: int) -> float:
        return float((vector(found.refined(steps).reconstruct()) - person).norm())

    distances = [distance(steps) for steps in (0, 4, 8)]
    assert distances[0] > distances[1] > distances[2]
    monkeypatch.setattr(model._engine, "_faces", None)
    assert distance(8) > distances[2]  # pixels alone know less about the person


def test_refining_changes_z_alone(tiny_model: IcGAN, picture: Image.Image) -> None:
    before = {k: v.clone() for k, v in tiny_model._engine.networks.state_dict().items()}
    plain, refined = tiny_model.encode(picture), tiny_model.encode(picture, refine=5)
    assert torch.equal(plain.y, refined.y)
    assert not torch.equal(plain.z, refined.z)
    assert torch.equal(refined.z, tiny_model.encode(picture, refine=5).z)
    for name, tensor in tiny_model._engine.networks.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert all(p.grad is None and p.requires_grad for p in tiny_model._engine.networks.parameters())


def test_no_image_influences_another(tiny_model: IcGAN, picture: Image.Image) -> None:
    pictures = [picture, picture.rotate(90)]
    together = tiny_model.encode(pictures, refine=10)
    for row, alone in enumerate(pictures):
        torch.testing.assert_close(
            tiny_model.encode(alone, refine=10).z[0], together.z[row], rtol=1e-3, atol=1e-4
        )


def test_a_generator_that_ignores_z_is_refined_in_vain(tiny_model: IcGAN) -> None:
    networks = deepcopy(tiny_model._engine.networks)
    assert isinstance(networks.generator, Generator)
    torch.nn.init.zeros_(networks.generator.first.weight)
    z, y = torch.randn(2, networks.config.z_dim), torch.ones(2, networks.config.n_attributes)
    images = torch.zeros(2, 3, 16, 16)
    assert refine_z(networks.generator, images, z, y, 3).isfinite().all()


def test_a_perfect_start_stays(tiny_model: IcGAN) -> None:
    generator = tiny_model._engine.networks.generator
    z, y = torch.zeros(1, 6), torch.zeros(1, 4)
    with torch.no_grad():
        images = generator(z, y)
    torch.testing.assert_close(refine_z(generator, images, z, y, 5), z, rtol=0, atol=1e-3)
    assert torch.equal(refine_z(generator, images, z, y, 0), z)


def test_without_changes_a_photo_stays_itself(tiny_model: IcGAN, picture: Image.Image) -> None:
    result = tiny_model.edit(picture, detail="photo")
    assert same(result, fit_picture(picture, 16))


def test_a_photo_takes_the_change_only(tiny_model: IcGAN, picture: Image.Image) -> None:
    result = tiny_model.edit(picture, Smiling=2, detail="photo")
    original = torch.from_numpy(find_subject(picture, tiny_model.config).pixels[0])
    assert not same(result, fit_picture(picture, 16))
    assert not same(result, tiny_model.edit(picture, Smiling=2, detail="generated"))
    assert same(result, tiny_model.edit(original, Smiling=2, detail="photo"))
    usual = tiny_model.edit(picture, Smiling=2, detail="generated")
    assert same(tiny_model.edit(picture, Smiling=2), usual), "of a model without a painter"


def test_classes_are_drawn_anew(digits_model: IcGAN, picture: Image.Image) -> None:
    usual = digits_model.edit(picture, digit=2)
    assert same(usual, digits_model.edit(picture, digit=2, detail="generated"))
    assert not same(usual, digits_model.edit(picture, digit=2, detail="photo"))


@pytest.mark.parametrize("size", [8, 16, 64, 128])
def test_pixels_far_from_the_change_keep_their_exact_value(size: int) -> None:
    source = torch.Generator().manual_seed(0)
    original = torch.rand(2, 3, size, size, generator=source) * 2 - 1
    rebuilt = torch.zeros_like(original)
    edited = rebuilt.clone()
    corner = size // 4
    edited[:, :, :corner, :corner] = 0.5
    carried = carry_change(original, rebuilt, edited)
    assert torch.equal(carried[:, :, size // 2 :], original[:, :, size // 2 :])
    assert not torch.equal(carried[:, :, 0, 0], original[:, :, 0, 0])
    assert torch.equal(carry_change(original, rebuilt, rebuilt), original)


def test_what_was_rebuilt_exactly_is_edited_exactly() -> None:
    original = torch.zeros(1, 3, 32, 32)
    edited = original.clone()
    edited[:, :, 8:24, 8:24] = 0.5
    carried = carry_change(original, original, edited)
    torch.testing.assert_close(carried[:, :, 8:24, 8:24], edited[:, :, 8:24, 8:24])


def test_no_pixel_goes_beyond_the_edited_picture() -> None:
    source = torch.Generator().manual_seed(0)
    pictures = torch.rand(3, 2, 3, 16, 16, generator=source) * 2 - 1
    original, _, edited = pictures
    carried = carry_change(*pictures)
    torch.testing.assert_close(
        carried.clamp(*torch.stack([original, edited]).aminmax(dim=0)), carried
    )
    # Hair that was rebuilt too dark, made fair: not fairer than asked for.
    grey, dark, fair = (torch.full((1, 3, 16, 16), value) for value in (0.0, -0.6, 0.2))
    torch.testing.assert_close(carry_change(grey, dark, fair), fair)


def test_colours_that_were_rebuilt_wrong_are_set_right_in_proportion() -> None:
    grey, dark = torch.zeros(1, 3, 16, 16), torch.full((1, 3, 16, 16), -0.6)
    darkened = carry_change(grey, dark, dark - 0.3)
    # The change of 0.3 outweighs the error of 0.6 by one third: 0.3 + 0.6 / 3.
    torch.testing.assert_close(darkened, grey - 0.5)
