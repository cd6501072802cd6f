"""MNIST: handwritten digits, read from its original IDX files."""

import gzip
import os
import shutil
import tempfile
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.data.writing import PrepareReport, write_arrays
from icgan_sdk.errors import DatasetError

MNIST_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
MNIST_SIDE, MNIST_PADDING, N_DIGITS = 28, 2, 10


def prepare_mnist(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    validation: int = 0,
    overwrite: bool = False,
) -> PrepareReport:
    """Prepare MNIST: 28×28 grey digits that the networks see as 32×32, labels one-hot.

    Args:
        source: Folder with the four IDX files, gzipped or not, or with them in ``MNIST/raw``.
        folder: Where to write the prepared data set.
        validation: How many of the last training pictures to set aside as validation partition.
        overwrite: Replace an earlier prepared data set.

    Raises:
        DatasetError: If a file is missing or damaged, or `validation` leaves nothing to train on.
        SaveError: If the folder can't be written.
    """
    files = find_mnist(source)
    if files is None:
        raise DatasetError(
            f"{source} lacks MNIST's files; expected there, or in MNIST/raw, gzipped or not: "
            f"{', '.join(MNIST_FILES)}. Fetch them with download_mnist or --download"
        )
    train, train_digits = _read_pair(files[0], files[1])
    test, test_digits = _read_pair(files[2], files[3])
    if not 0 <= validation < len(train):
        raise DatasetError(
            f"validation={validation} must leave some of the {len(train)} training pictures"
        )
    sizes = {"train": len(train) - validation, "validation": validation, "test": len(test)}
    digits = np.concatenate([train_digits, test_digits])
    return write_arrays(
        folder,
        np.concatenate([train, test])[..., None],
        np.eye(N_DIGITS, dtype=np.uint8)[digits],
        AttributeSet.classes("digit", [str(digit) for digit in range(N_DIGITS)]),
        sizes,
        padding=MNIST_PADDING,
        source="MNIST",
        overwrite=overwrite,
    )


def find_mnist(source: str | os.PathLike[str]) -> list[Path] | None:
    """The four files in `MNIST_FILES`' order, or None where not all are there."""
    for folder in (Path(source), Path(source) / "MNIST" / "raw"):
        found = [_plain_or_packed(folder / name) for name in MNIST_FILES]
        if all(path.is_file() for path in found):
            return found
    return None


def _plain_or_packed(path: Path) -> Path:
    return path if path.is_file() else path.with_name(f"{path.name}.gz")


def _read_pair(images: Path, labels: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    pixels, digits = _read_idx(images).numpy(), _read_idx(labels).numpy()
    if pixels.shape[1:] != (MNIST_SIDE, MNIST_SIDE):
        raise DatasetError(f"{images}: expected 28×28 pictures, not {list(pixels.shape[1:])}")
    if len(pixels) != len(digits):
        raise DatasetError(f"{images} has {len(pixels)} pictures, {labels} {len(digits)} labels")
    if len(digits) and digits.max() >= N_DIGITS:
        raise DatasetError(f"{labels}: labels must be 0 to 9, not {digits.max()}")
    return pixels, digits


def _read_idx(path: Path) -> Tensor:
    # Imported here, because it takes long and the workers of other data sets don't need it.
    from torchvision.datasets.mnist import read_image_file, read_label_file

    read = read_image_file if "images" in path.name else read_label_file
    try:
        with tempfile.TemporaryDirectory() as folder:
            plain = path
            if path.suffix == ".gz":
                plain = Path(folder) / path.stem
                with gzip.open(path) as packed, plain.open("wb") as unpacked:
                    shutil.copyfileobj(packed, unpacked)
            array: Tensor = read(str(plain))
            return array
    # torchvision's reader has no error class of its own. It was seen to raise all of these.
    except (
        OSError, EOFError, zlib.error, AssertionError, LookupError, TypeError, ValueError,
        RuntimeError,
    ) as error:  # fmt: skip
        raise DatasetError(f"{path} is damaged ({error!r}); fetch it again") from error
