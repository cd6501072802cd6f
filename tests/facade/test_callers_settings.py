"""What callers set in torch for their own work changes no picture."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from icgan_sdk import IcGAN

PORTRAIT = Path(__file__).parents[2] / "examples" / "astronaut.jpg"


@contextmanager
def autocast() -> Iterator[None]:
    with torch.autocast("cpu", torch.bfloat16):
        yield


@contextmanager
def default_device() -> Iterator[None]:
    torch.set_default_device("meta")  # as a GPU: nothing of the CPU's can be mixed with it
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextmanager
def default_dtype() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def results(model: IcGAN) -> list[Image.Image]:
    """Of everything that computes."""
    return [
        model.edit(PORTRAIT, Eyeglasses=1),
        model.edit(PORTRAIT, Eyeglasses=1, paste_back=True),
        model.edit(PORTRAIT, Smiling=0, detail="generated", refine=2),
        model.reconstruct(PORTRAIT),
        *model.variations(PORTRAIT)[2:5],
        *model.interpolate(PORTRAIT, PORTRAIT, steps=2),
        *model.swap_attributes(PORTRAIT, PORTRAIT),
        *model.sample(2, seed=1),
        *model.decode(model.with_attributes(model.encode(PORTRAIT), Smiling=1)),
    ]


@pytest.mark.parametrize("setting", [autocast, default_device, default_dtype])
def test_results_stay(setting: Callable[[], AbstractContextManager[None]]) -> None:
    celeba = IcGAN.from_pretrained("celeba", device="cpu")
    expected = results(celeba)
    scores = celeba.predict_attributes(PORTRAIT)
    with setting():
        found = results(IcGAN.from_pretrained("celeba", device="cpu"))
        assert celeba.predict_attributes(PORTRAIT) == scores
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(np.asarray(one), np.asarray(other))
