"""Data sets: downloaded, prepared once in a memory-mapped format, and read by training.

`prepare_mnist`, `prepare_celeba` and `prepare_folder` write a prepared folder; `PreparedDataset`
reads it; `LabelSampler` draws the labels that a GAN step needs.
"""

from icgan_sdk.data.celeba import prepare_celeba
from icgan_sdk.data.download import download_celeba, download_mnist
from icgan_sdk.data.folder import prepare_folder
from icgan_sdk.data.labels import LabelMethod, LabelSampler
from icgan_sdk.data.mnist import prepare_mnist
from icgan_sdk.data.prepared import PreparedDataset
from icgan_sdk.data.writing import Item, PrepareReport, write_arrays, write_prepared
from icgan_sdk.progress import Progress

__all__ = [
    "Item",
    "LabelMethod",
    "LabelSampler",
    "PrepareReport",
    "PreparedDataset",
    "Progress",
    "download_celeba",
    "download_mnist",
    "prepare_celeba",
    "prepare_folder",
    "prepare_mnist",
    "write_arrays",
    "write_prepared",
]
