from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from torch import Tensor

from icgan_sdk import IcGAN
from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.editing.latents import Latent
from icgan_sdk.evaluation.metrics.memorisation import Neighbours, neighbours_picture
from icgan_sdk.evaluation.report.paper_pictures import (
    Inverted,
    interpolation_picture,
    reconstructions_picture,
    samples_picture,
    swap_picture,
    variations_picture,
)
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.pictures.arrays import to_pictures
from tests.conftest import tiny_networks
from tests.evaluation.painter import Painter

SIDE, GAP = 16, 2
ROWS = torch.tensor([11, 3])


def cell(sheet: Image.Image, row: int, column: int, side: int = SIDE) -> npt.NDArray[np.uint8]:
    """A picture of a sheet; rows are counted from below, -1 the last."""
    left, top = GAP + column * (side + GAP), sheet.height + row * (side + GAP)
    return np.asarray(sheet.crop((left, top, left + side, top + side)))


def titles(sheet: Image.Image, rows: int, columns: int, side: int = SIDE) -> list[bool]:
    """Whether something dark stands above each column."""
    height = sheet.height - rows * (side + GAP) - GAP
    page = np.asarray(sheet.convert("L"))[:height]
    starts = [GAP + column * (side + GAP) for column in range(columns)]
    return [bool((page[:, start : start + side] < 128).any()) for start in starts]


def real(dataset: PreparedDataset, config: ModelConfig, row: int) -> npt.NDArray[np.uint8]:
    return np.asarray(to_pictures(dataset.images(slice(row, row + 1)), config)[0])


def invert(networks: IcGANNetworks, dataset: PreparedDataset, rows: Tensor) -> Inverted:
    x = dataset.images(rows)
    with torch.no_grad():
        z, y = networks.encode(x)
        return Inverted(x, Latent(z, y), networks.decode(z, y))


def test_reconstructions(faces: PreparedDataset, tiny_config: ModelConfig) -> None:
    networks = tiny_networks(tiny_config)
    sheet = reconstructions_picture(networks, invert(networks, faces, torch.arange(16)))
    assert sheet.size == (8 * (SIDE + GAP) + GAP, 4 * (SIDE + GAP) + GAP)
    rebuilt = IcGAN(networks, device="cpu").reconstruct([*faces.images(torch.arange(16))])
    for row, column, number in ((-4, 0, 0), (-4, 7, 7), (-2, 0, 8), (-2, 3, 11)):
        assert np.array_equal(cell(sheet, row, column), real(faces, tiny_config, number))
        assert np.array_equal(cell(sheet, row + 1, column), np.asarray(rebuilt[number]))


@pytest.mark.parametrize("make", [tiny_networks, Painter])
def test_variations_are_those_of_the_facade(
    faces: PreparedDataset, tiny_config: ModelConfig, make: Callable[[ModelConfig], IcGANNetworks]
) -> None:
    networks = make(tiny_config)
    sheet = variations_picture(networks, invert(networks, faces, ROWS))
    model = IcGAN(networks, device="cpu")
    for row, number in ((-2, 11), (-1, 3)):
        expected = model.variations(faces.images(slice(number, number + 1)))
        assert len(expected) == 2 + 4
        for column, picture in enumerate(expected):
            found, wanted = cell(sheet, row, column), np.asarray(picture)
            assert np.abs(found.astype(int) - wanted).max() <= 1
    assert titles(sheet, 2, 6) == [True] * 6


@pytest.mark.parametrize("make", [tiny_networks, Painter])
def test_interpolation(
    faces: PreparedDataset, tiny_config: ModelConfig, make: Callable[[ModelConfig], IcGANNetworks]
) -> None:
    networks = make(tiny_config)
    sheet = interpolation_picture(networks, invert(networks, faces, ROWS), steps=3)
    assert sheet.size == (5 * (SIDE + GAP) + GAP, SIDE + 2 * GAP)
    assert np.array_equal(cell(sheet, -1, 0), real(faces, tiny_config, 11))
    assert np.array_equal(cell(sheet, -1, 4), real(faces, tiny_config, 3))
    with torch.no_grad():
        z, y = networks.encode(faces.images(ROWS))
        y = torch.where(y > 0, 1.0, -1.0)
        middle = networks.decode(z.mean(0, keepdim=True), y.mean(0, keepdim=True))
        last = networks.decode(z[1:], y[1:])
    for column, images in ((2, middle), (3, last)):
        wanted = np.asarray(to_pictures(images, tiny_config)[0])
        assert np.abs(cell(sheet, -1, column).astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("make", [tiny_networks, Painter])
def test_swap(
    faces: PreparedDataset, tiny_config: ModelConfig, make: Callable[[ModelConfig], IcGANNetworks]
) -> None:
    networks, rows = make(tiny_config), torch.tensor([0, 1, *ROWS.tolist(), 7])
    sheet = swap_picture(networks, invert(networks, faces, rows))  # the last has no partner
    assert titles(sheet, 2, 6) == [True] * 6
    x = faces.images(ROWS)
    with torch.no_grad():
        z, y = networks.encode(x)
        rebuilt = networks.decode(z, y)
        swapped = networks.decode(z, torch.where(y > 0, 1.0, -1.0).flip(0))
    for columns, images in (((0, 3), x), ((1, 4), rebuilt), ((2, 5), swapped)):
        for column, picture in zip(columns, to_pictures(images, tiny_config), strict=True):
            difference = cell(sheet, -1, column).astype(int) - np.asarray(picture)
            assert np.abs(difference).max() <= 1


def test_grey_pictures_without_padding(digits: PreparedDataset, digits_config: ModelConfig) -> None:
    networks = tiny_networks(digits_config)
    sheet = variations_picture(networks, invert(networks, digits, ROWS))
    assert sheet.mode == "L"
    assert np.array_equal(cell(sheet, -1, 0, 12), real(digits, digits_config, 3))
    assert titles(sheet, 2, 5, 12) == [True] * 5


def test_samples(tiny_config: ModelConfig) -> None:
    networks = tiny_networks(tiny_config)
    first, again, other = (
        samples_picture(networks, torch.Generator().manual_seed(seed), rows=2) for seed in (0, 0, 1)
    )
    assert first.tobytes() == again.tobytes() != other.tobytes()
    z = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        images = networks.decode(z, torch.tensor([[-1.0, -1, 1, -1]] * 2))
    for row, picture in zip((-2, -1), to_pictures(images, tiny_config), strict=True):
        assert np.abs(cell(first, row, 2).astype(int) - np.asarray(picture)).max() <= 1
    assert titles(first, 2, 4) == [True] * 4


@pytest.mark.parametrize("count", [1, 3])
def test_neighbours(faces: PreparedDataset, tiny_config: ModelConfig, count: int) -> None:
    train = faces.part("train")
    rows = torch.tensor([[7, 0, 9], [1, 1, 2]])[:, :count]
    near = Neighbours(faces.part("test").images(slice(0, 2)), rows)
    sheet = neighbours_picture(near, train, tiny_config)
    assert np.array_equal(cell(sheet, -1, 0), real(faces.part("test"), tiny_config, 1))
    for column in range(count):
        expected = real(train, tiny_config, int(rows[0, column]))
        assert np.array_equal(cell(sheet, -2, column + 1), expected)
    assert titles(sheet, 2, count + 1) == [True] * (count + 1)
