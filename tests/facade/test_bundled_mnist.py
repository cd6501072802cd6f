"""The bundled digit model, on the shipped digit and on real test digits."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets.mnist import read_image_file, read_label_file
from torchvision.datasets.utils import _decompress

from icgan_sdk import IcGAN

DIGIT = Path(__file__).parents[2] / "examples" / "digit.png"
DIGITS = tuple("0123456789")


@pytest.fixture(scope="module")
def mnist() -> IcGAN:
    return IcGAN.from_pretrained("mnist", device="cpu", local_files_only=True)


def read(model: IcGAN, picture: Image.Image) -> str:
    scores = model.predict_attributes(picture)
    return max(scores, key=scores.__getitem__)


def test_edits_the_shipped_digit_to_every_digit(mnist: IcGAN) -> None:
    assert mnist.attributes == DIGITS
    assert mnist.groups == {"digit": DIGITS}
    with Image.open(DIGIT) as original:
        assert read(mnist, original) == "7"
    for digit in range(10):
        edited = mnist.edit(DIGIT, digit=digit)
        assert (edited.size, edited.mode) == ((28, 28), "L")
        assert read(mnist, edited) == str(digit)


def test_reconstruction_is_near_the_original(mnist: IcGAN) -> None:
    with Image.open(DIGIT) as original:
        pixels = np.asarray(original, np.float64) / 255
    rebuilt = np.asarray(mnist.reconstruct(DIGIT), np.float64) / 255
    assert np.mean((pixels - rebuilt) ** 2) < 0.02


def test_refining_brings_it_nearer(mnist: IcGAN) -> None:
    with Image.open(DIGIT) as original:
        pixels = np.asarray(original, np.float64)
    errors = [
        float(np.mean((pixels - np.asarray(mnist.reconstruct(DIGIT, refine=n))) ** 2))
        for n in (0, 50)
    ]
    assert errors[1] < 0.7 * errors[0]


def test_real_test_digits(mnist: IcGAN, shared: Path, tmp_path: Path) -> None:
    """300 digits the model has not seen; the judge of the published figures is another one."""
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        _decompress(str(shared / "data" / "mnist" / f"{name}.gz"), str(tmp_path / name))
    images = read_image_file(str(tmp_path / "t10k-images-idx3-ubyte"))[:300]
    digits = read_label_file(str(tmp_path / "t10k-labels-idx1-ubyte"))[:300]
    batch = list(images[:, None].float() / 127.5 - 1)
    assert (mnist.encode(batch).y.argmax(1) == digits).float().mean() > 0.97
    edited = mnist.edit(batch, digit=4)
    assert (mnist.encode(edited).y.argmax(1) == 4).float().mean() > 0.98
    rebuilt = mnist.reconstruct(batch)
    error = torch.from_numpy(np.stack([np.asarray(p) for p in rebuilt])).float() - images.float()
    assert (error / 255).square().mean() < 0.02
