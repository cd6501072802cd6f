"""Small data sets in the layouts users have."""

import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from icgan_sdk.celeba import CELEBA_ATTRIBUTES

SIZES = ((178, 218), (89, 109), (64, 64))
MakeCelebA = Callable[..., Path]


def random_picture(seed: int, size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """A smooth random picture, so that JPEG keeps it nearly as it is."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 3, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode)


@pytest.fixture
def make_celeba(tmp_path: Path) -> MakeCelebA:
    """Writes a CelebA of a few pictures in all three sizes; partitions 0, 1, 2, 0, 1, 2 …"""

    def make(n: int = 6, zipped: bool = False, name: str = "celeba") -> Path:
        root = tmp_path / name
        pictures = root / "img_align_celeba"
        pictures.mkdir(parents=True)
        rows, partitions = [], []
        for i in range(n):
            file = f"{i + 1:06}.jpg"
            random_picture(i, SIZES[i % 3]).save(pictures / file, quality=95)
            values = ["1" if (i + j) % 3 == 0 else "-1" for j in range(40)]
            rows.append(f"{file} {'  '.join(values)}\n")
            partitions.append(f"{file} {i % 3}\n")
        names = " ".join(CELEBA_ATTRIBUTES)
        (root / "list_attr_celeba.txt").write_text(f"{n}\n{names} \n{''.join(rows)}")
        (root / "list_eval_partition.txt").write_text("".join(partitions))
        if zipped:
            pack(root)
        return root

    return make


def pack(root: Path) -> None:
    """Put the pictures' folder into a zip beside it, and remove it."""
    pictures = root / "img_align_celeba"
    with zipfile.ZipFile(root / "img_align_celeba.zip", "w") as archive:
        for file in sorted(pictures.iterdir()):
            archive.write(file, f"img_align_celeba/{file.name}")
            file.unlink()
    pictures.rmdir()


def write_idx(path: Path, array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    """An IDX file of bytes."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + array.tobytes())


@pytest.fixture
def tiny_mnist(tmp_path: Path) -> Path:
    """Thirty training and ten test digits as plain IDX files."""
    root, rng = tmp_path / "mnist", np.random.default_rng(0)
    root.mkdir()
    for prefix, n in (("train", 30), ("t10k", 10)):
        pixels = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        write_idx(root / f"{prefix}-images-idx3-ubyte", pixels)
        write_idx(root / f"{prefix}-labels-idx1-ubyte", np.arange(n, dtype=np.uint8) % 10)
    return root


def write_csv(root: Path, lines: Sequence[str]) -> Path:
    """A labels file beside the pictures."""
    path = root / "labels.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
