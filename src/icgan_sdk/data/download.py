"""Downloading data sets with torchvision, as a whole or not at all."""

import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from icgan_sdk.data.celeba import PICTURES, find_celeba
from icgan_sdk.data.celeba_lists import ATTRIBUTE_FILES, PARTITION_FILES
from icgan_sdk.data.mnist import MNIST_FILES, find_mnist
from icgan_sdk.errors import DownloadError, SaveError

TIMEOUT = 30.0
"""Seconds without any answer after which a connection counts as failed."""

MNIST_BY_HAND = (
    f"fetch {', '.join(f'{name}.gz' for name in MNIST_FILES)} by hand, from "
    "https://ossci-datasets.s3.amazonaws.com/mnist/ or http://yann.lecun.com/exdb/mnist/,"
)
CELEBA_BY_HAND = (
    f"fetch {PICTURES[1]}, {ATTRIBUTE_FILES[0]} and {PARTITION_FILES[0]} by hand, from "
    "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html (non-commercial research only),"
)


def download_mnist(folder: str | os.PathLike[str]) -> None:
    """Download MNIST's four files (12 MB) into ``folder/MNIST/raw``, unless they are there.

    Raises:
        DownloadError: If that fails; the message says what to fetch by hand. Nothing is left.
        SaveError: If the folder can't be written.
    """
    from torchvision import datasets  # here, as it takes long to import

    if find_mnist(folder) is None:
        _download(folder, "MNIST/raw", datasets.MNIST, MNIST_BY_HAND)


def download_celeba(folder: str | os.PathLike[str]) -> None:
    """Download CelebA (1.4 GB, and as much unpacked) into ``folder/celeba``, unless it is there.

    Needs the package gdown: the official files are on Google Drive, which often refuses.

    Raises:
        DownloadError: If that fails; the message says what to fetch by hand. Nothing is left.
        SaveError: If the folder can't be written.
    """
    from torchvision import datasets  # here, as it takes long to import

    needed = (ATTRIBUTE_FILES, PARTITION_FILES, PICTURES)
    if not all(find_celeba(Path(folder), names) for names in needed):
        _download(folder, "celeba", datasets.CelebA, CELEBA_BY_HAND)


def _download(
    folder: str | os.PathLike[str],
    content: str,
    dataset: Callable[..., object],
    by_hand: str,
) -> None:
    """Let torchvision download a data set to a temporary folder, then move its `content` over."""
    target = Path(folder)
    is_new = not target.exists()
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download.", dir=target) as temporary:
            try:
                with _timeout(TIMEOUT):
                    dataset(temporary, download=True)
            except Exception as error:  # torchvision and gdown raise errors of many kinds
                raise DownloadError(
                    f"{dataset.__name__} could not be fetched ({error}); "
                    f"{by_hand} and put them into {target}"
                ) from error
            (target / content).mkdir(parents=True, exist_ok=True)
            for path in (Path(temporary) / content).iterdir():
                path.replace(target / content / path.name)
    except DownloadError:
        if is_new:
            target.rmdir()
        raise
    except OSError as error:
        raise SaveError(f"can't write {target}: {error.strerror or error}") from error


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    # torchvision sets no timeout, so a dead connection would hang for ever.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
