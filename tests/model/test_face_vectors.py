"""The bundled face-recognition network sees what dlib's own sees, where a model has its faces."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.bundled import FACES_FILE
from icgan_sdk.config import CELEBA_CROP, PAPER_CROP, Crop, ModelConfig
from icgan_sdk.files import sha256
from icgan_sdk.model.face_recognition import CHIP
from icgan_sdk.model.face_vectors import face_vectors

EXAMPLES = Path(__file__).parents[2] / "examples"

DLIB = json.loads(Path(__file__).with_name("dlib_vectors.json").read_text())
"""Vectors by dlib 20.0, `face_recognition_model_v1.compute_face_descriptor`, of the examples scaled
to 150×150 by Pillow's `resize`."""

FACES = ModelConfig(crop=CELEBA_CROP)


def portrait(name: str) -> Image.Image:
    return Image.open(EXAMPLES / f"{name}.jpg").convert("RGB")


def tensor(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 127.5 - 1


def test_vectors_are_dlibs() -> None:
    faces = face_vectors(FACES)
    assert faces is not None
    expected = torch.tensor(list(DLIB.values()))
    apart = float((expected[0] - expected[1]).norm())
    chips = torch.cat([tensor(portrait(name).resize((CHIP, CHIP))) for name in DLIB])
    assert (faces.network(chips)[0] - expected).norm(dim=1).max() < 0.05 < apart / 4


def test_the_file_is_the_one_that_encoders_and_graphs_know() -> None:
    assert sha256(FACES_FILE) == "ff87242c0740e434ec246afc110b6bd3a92381be2115aaacbcf14951ce0b288b"


def test_faces_are_cut_where_the_crop_has_them() -> None:
    frame = portrait("collins").resize((178, 218))
    box = (35.5, 79.2, 142.5, 186.2)
    chip = tensor(frame.resize((CHIP, CHIP), Image.Resampling.BILINEAR, box=box))
    for crop in (CELEBA_CROP, Crop(CELEBA_CROP.frame, (20, 60, 160, 200))):
        faces = face_vectors(replace(FACES, crop=crop))
        assert faces is not None
        assert (faces(tensor(frame.crop(crop.box))) - faces.network(chip)[0]).norm() < 0.02


@given(side=st.sampled_from([16, 64, 178, 400]), seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_the_cut_is_pillows(side: int, seed: int) -> None:
    faces = face_vectors(FACES)
    assert faces is not None
    pixels = np.random.default_rng(seed).random((side, side), np.float32)
    x0, y0, x1, y1 = (side * share for share in faces.box)
    picture, bilinear = Image.fromarray(pixels), Image.Resampling.BILINEAR
    expected = picture.resize((CHIP, CHIP), bilinear, box=(x0, y0, x1, y1))
    seen: list[torch.Tensor] = []
    faces.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    faces(torch.from_numpy(pixels).expand(1, 3, -1, -1))
    inner = np.s_[3:-3, 3:-3]  # Pillow's box ends there, ours sees what lies beyond
    np.testing.assert_allclose(seen[0][0, 0].numpy()[inner], np.asarray(expected)[inner], atol=2e-3)


def test_nothing_global_is_touched() -> None:
    state = torch.get_rng_state()
    torch.set_default_dtype(torch.float64)
    try:
        faces = face_vectors(FACES)
    finally:
        torch.set_default_dtype(torch.float32)
    assert faces is not None
    assert {weight.dtype for weight in faces.buffers()} == {torch.float32}
    assert torch.equal(torch.get_rng_state(), state)


def test_gradients_reach_the_pictures_alone() -> None:
    with torch.inference_mode():  # as an evaluation loads it
        faces = face_vectors(FACES)
    assert faces is not None
    images = torch.zeros(1, 3, 64, 64, requires_grad=True)
    faces(images).square().sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
    assert not list(faces.parameters())
    assert not any(weight.requires_grad for weight in faces.buffers())


def test_other_models_have_none() -> None:
    assert face_vectors(IcGAN.from_pretrained("mnist", device="cpu").config) is None
    assert face_vectors(ModelConfig()) is None
    assert face_vectors(replace(FACES, channels=1)) is None
    assert face_vectors(replace(FACES, crop=PAPER_CROP)) is not None
    assert face_vectors(replace(FACES, crop=Crop((178, 218), (0, 0, 100, 100)))) is None
