"""MNIST's IDX files, tiny and real, plain and gzipped, whole and damaged."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from icgan_sdk.data import PreparedDataset, prepare_mnist
from icgan_sdk.errors import DatasetError
from tests.data.conftest import write_idx


def gzip_all(root: Path) -> None:
    for path in list(root.iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def test_partitions_sizes_and_labels(tiny_mnist: Path, tmp_path: Path) -> None:
    report = prepare_mnist(tiny_mnist, tmp_path / "out", validation=5)
    assert (report.written, report.unreadable) == (40, ())
    dataset = PreparedDataset.open(tmp_path / "out")
    sizes = {name: len(dataset.part(name)) for name in dataset.partitions}
    assert sizes == {"train": 25, "validation": 5, "test": 10}
    assert (dataset.image_size, dataset.padding, dataset.channels) == (32, 2, 1)
    assert dataset.attributes.one_hot
    assert dataset.attributes.groups == {"digit": tuple("0123456789")}
    assert dataset.part("validation").all_labels().argmax(dim=1).tolist() == [5, 6, 7, 8, 9]


def test_gzipped_and_in_torchvisions_folder_is_the_same(tiny_mnist: Path, tmp_path: Path) -> None:
    prepare_mnist(tiny_mnist, tmp_path / "plain")
    gzip_all(tiny_mnist)
    raw = tmp_path / "root" / "MNIST" / "raw"
    raw.parent.mkdir(parents=True)
    tiny_mnist.rename(raw)
    prepare_mnist(tmp_path / "root", tmp_path / "packed")
    for file in ("images.npy", "attributes.npy", "dataset.json"):
        assert (tmp_path / "plain" / file).read_bytes() == (tmp_path / "packed" / file).read_bytes()


@pytest.mark.parametrize("keep", [0, 3, 10, 17, 400])
@pytest.mark.parametrize("file", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
@pytest.mark.parametrize("packed", [False, True])
def test_truncated(tiny_mnist: Path, tmp_path: Path, file: str, keep: int, packed: bool) -> None:
    if packed:
        gzip_all(tiny_mnist)
    path = tiny_mnist / (f"{file}.gz" if packed else file)
    path.write_bytes(path.read_bytes()[: min(keep, path.stat().st_size - 1)])
    with pytest.raises(DatasetError, match="damaged"):
        prepare_mnist(tiny_mnist, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_or_inconsistent_files(tiny_mnist: Path, tmp_path: Path) -> None:
    out, labels = tmp_path / "out", tiny_mnist / "train-labels-idx1-ubyte"
    write_idx(labels, np.full(30, 10, np.uint8))
    with pytest.raises(DatasetError, match="0 to 9, not 10"):
        prepare_mnist(tiny_mnist, out)
    write_idx(labels, np.zeros(29, np.uint8))
    with pytest.raises(DatasetError, match=r"30 pictures, .* 29 labels"):
        prepare_mnist(tiny_mnist, out)
    write_idx(tiny_mnist / "train-images-idx3-ubyte", np.zeros((29, 27, 28), np.uint8))
    with pytest.raises(DatasetError, match="expected 28×28"):
        prepare_mnist(tiny_mnist, out)
    write_idx(labels, np.zeros((3, 3), np.uint8))
    with pytest.raises(DatasetError, match="damaged"):
        prepare_mnist(tiny_mnist, out)
    labels.unlink()
    with pytest.raises(DatasetError, match="lacks MNIST's files"):
        prepare_mnist(tiny_mnist, out)


@pytest.mark.parametrize("validation", [-1, 30])
def test_impossible_validation(tiny_mnist: Path, tmp_path: Path, validation: int) -> None:
    with pytest.raises(DatasetError, match="must leave some of the 30"):
        prepare_mnist(tiny_mnist, tmp_path / "out", validation=validation)


def test_real_files(shared: Path, tmp_path: Path) -> None:
    assert prepare_mnist(shared / "data/mnist", tmp_path / "out").written == 70_000
    dataset = PreparedDataset.open(tmp_path / "out")
    assert len(dataset.part("train")) == 60_000
    test = dataset.part("test")
    assert len(test) == 10_000
    assert test.labels(slice(5)).argmax(dim=1).tolist() == [7, 2, 1, 0, 4]
    assert dataset.labels(slice(5)).argmax(dim=1).tolist() == [5, 0, 4, 1, 9]
    assert test.positives()["1"] == 1135
    images = test.images(torch.arange(100))
    assert images.shape == (100, 1, 32, 32)
    assert (images.min().item(), images.max().item()) == (-1, 1)
