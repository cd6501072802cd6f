import numpy as np
import torch
from PIL import Image
from torchvision.utils import make_grid

from icgan_sdk.pictures.arrays import pixels_to_tensor, tensor_to_pixels
from icgan_sdk.pictures.grids import GAP, grid, titled


def test_a_grid_has_gaps_and_keeps_the_mode() -> None:
    cell = Image.new("L", (4, 4), 0)
    sheet = grid([[cell, cell, cell], [cell]])
    assert sheet.mode == "L"
    assert sheet.size == (3 * 4 + 4 * 2, 2 * 4 + 3 * 2)
    assert sheet.getpixel((0, 0)) == 255
    assert sheet.getpixel((2, 2)) == 0
    cells = [Image.new("RGB", (4, 3), (40 * i, 90, 255)) for i in range(5)]
    tensors = torch.cat([pixels_to_tensor(np.asarray(cell)[None]) for cell in cells])
    expected = tensor_to_pixels(make_grid(tensors, nrow=3, padding=2, pad_value=1.0)[None])[0]
    assert np.array_equal(np.asarray(grid([cells[:3], cells[3:]])), expected)


def test_titles_stand_above_their_columns() -> None:
    sheet = grid([[Image.new("RGB", (20, 20), "blue") for _ in range(3)]] * 2)
    page = titled(sheet, ("a", "", "Wearing_Hat"))
    height = page.height - sheet.height
    assert page.crop((0, height, *page.size)).tobytes() == sheet.tobytes()
    ink = np.asarray(page.convert("L"))[:height] < 128
    rows, columns = np.nonzero(ink)
    steps = (columns - GAP) // (20 + GAP)
    assert set(steps) == {0, 2}
    assert rows[steps == 0].min() > rows[steps == 2].min() + 20  # the longer begins higher
    assert rows.min() >= 0
    assert titled(sheet.convert("L"), ("a", "b", "c")).mode == "L"
