"""The prepared format: what is written comes back, and nothing damaged is accepted."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import CELEBA_CROP
from icgan_sdk.data import PreparedDataset, write_arrays
from icgan_sdk.errors import ConfigError, DatasetError, SaveError, ShapeError

HAIR = AttributeSet(("Bald", "Blond", "Male"), {"hair": ("Bald", "Blond")})
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (10, 8, 8, 3), dtype=np.uint8)
LABELS = RNG.integers(0, 2, (10, 3), dtype=np.uint8)
SIZES = {"train": 6, "validation": 0, "test": 4}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "prepared"
    write_arrays(path, PIXELS, LABELS, HAIR, SIZES, crop=CELEBA_CROP, source="tests")
    return path


def edit_json(folder: Path, **changes: object) -> None:
    path = folder / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 4), min_size=3, max_size=3).filter(any),
    n_y=st.integers(0, 3),
    channels=st.sampled_from([1, 3]),
    padding=st.sampled_from([0, 2]),
    seed=st.integers(0, 2**32 - 1),
)
def test_arrays_come_back(
    sizes: list[int], n_y: int, channels: int, padding: int, seed: int
) -> None:
    n, rng, side = sum(sizes), np.random.default_rng(seed), 16 - 2 * padding
    pixels = rng.integers(0, 256, (n, side, side, channels), dtype=np.uint8)
    labels = rng.integers(0, 2, (n, n_y), dtype=np.uint8)
    attributes = AttributeSet(tuple("abc"[:n_y]))
    partitions = dict(zip(("train", "validation", "test"), sizes, strict=True))
    with TemporaryDirectory() as parent:
        folder = Path(parent) / "set"
        write_arrays(folder, pixels, labels, attributes, partitions, padding=padding)
        dataset = PreparedDataset.open(folder)
        assert (dataset.image_size, dataset.picture_size) == (16, side)
        assert (len(dataset), dataset.channels, dataset.attributes) == (n, channels, attributes)
        assert dataset.partitions == tuple(name for name, size in partitions.items() if size)
        torch.testing.assert_close(dataset.all_labels(), torch.from_numpy(labels) * 2.0 - 1)
        start = 0
        for name in dataset.partitions:
            part = dataset.part(name)
            images = part.images(slice(None))
            inner = images[:, :, padding : 16 - padding, padding : 16 - padding]
            back = ((inner + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
            np.testing.assert_array_equal(back, pixels[start : start + len(part)])
            start += len(part)
        assert start == n


def test_rows_may_be_a_tensor_an_array_or_a_slice(folder: Path) -> None:
    part = PreparedDataset.open(folder, "test")
    rows = torch.tensor([3, 0, 3])
    images, labels = part.images(rows), part.labels(rows)
    assert images.shape == (3, 3, 8, 8)
    assert images.dtype == labels.dtype == torch.float32
    expected = torch.from_numpy(PIXELS[[9, 6, 9]]).permute(0, 3, 1, 2) / 127.5 - 1
    torch.testing.assert_close(images, expected)
    torch.testing.assert_close(part.images(rows.numpy()), images)
    torch.testing.assert_close(labels, torch.from_numpy(LABELS[[9, 6, 9]]) * 2.0 - 1)
    torch.testing.assert_close(part.images(slice(1, 3)), part.images(torch.tensor([1, 2])))
    with pytest.raises(IndexError):
        part.images(torch.tensor([4]))


def test_padding_is_background(tmp_path: Path) -> None:
    pixels = np.full((1, 12, 12, 1), 255, np.uint8)
    labels = np.zeros((1, 0), np.uint8)
    write_arrays(tmp_path / "p", pixels, labels, AttributeSet(), {"train": 1}, padding=2)
    image = PreparedDataset.open(tmp_path / "p").images(slice(None))[0, 0]
    assert (image[2:14, 2:14] == 1).all()
    assert image.sum() == 12 * 12 - (16 * 16 - 12 * 12)


def test_describes_itself(folder: Path) -> None:
    dataset = PreparedDataset.open(folder)
    assert dataset.partitions == ("train", "test")
    assert dataset.crop == CELEBA_CROP
    assert dataset.source == "tests"
    assert dataset.attributes == HAIR
    assert list(dataset.positives().values()) == LABELS.sum(axis=0).tolist()
    assert dataset.part("test").partitions == ("test",)
    assert len(dataset.part("test").part("test")) == 4
    with pytest.raises(DatasetError, match="no partition 'tests'; did you mean 'test'"):
        dataset.part("tests")
    with pytest.raises(DatasetError, match="no partition 'validation'"):
        PreparedDataset.open(folder, "validation")


def test_reads_rows_without_loading_the_rest(folder: Path) -> None:
    dataset = PreparedDataset.open(folder)
    assert isinstance(dataset.part("train")._pixels, np.memmap)


def test_missing_and_damaged_files(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="not a prepared data set"):
        PreparedDataset.open(tmp_path / "nothing")
    images = folder / "images.npy"
    whole = images.read_bytes()
    header = whole[:10] + whole[10:80].replace(b"'", b"(") + whole[80:]
    for damaged in (whole[:-1], whole[:20], b"", b"not numpy at all", header):
        images.write_bytes(damaged)
        with pytest.raises(DatasetError, match="damaged"):
            PreparedDataset.open(folder)
    images.unlink()
    with pytest.raises(DatasetError, match=r"images\.npy is missing"):
        PreparedDataset.open(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format_version": null}', "\x80"])
def test_damaged_description(folder: Path, text: str) -> None:
    (folder / "dataset.json").write_text(text, encoding="latin-1")
    with pytest.raises(DatasetError, match=r"dataset\.json is damaged"):
        PreparedDataset.open(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 2}, "upgrade it: pip install -U icgan-sdk, or prepare the data"),
        ({"attributes": ["a", "a", "b"]}, "damaged"),
        ({"attributes": ["a"], "groups": {}}, "labels must be"),
        ({"groups": []}, "damaged"),
        ({"crop": {"frame": [1, 1]}}, "damaged"),
        ({"padding": -1}, "padding -1"),
        ({"partitions": {"train": [0, 6], "test": [6, 9]}}, "don't divide"),
        ({"partitions": {"train": [0, 6], "test": [5, 10]}}, "don't divide"),
        ({"partitions": {"train": [0, 12], "test": [12, 10]}}, "don't divide"),
        ({"partitions": {"train": 6}}, "damaged"),
    ],
)
def test_inconsistent_description(folder: Path, changes: dict[str, object], message: str) -> None:
    edit_json(folder, **changes)
    with pytest.raises(DatasetError, match=message):
        PreparedDataset.open(folder)


def test_inconsistent_arrays(folder: Path) -> None:
    np.save(folder / "attributes.npy", LABELS + 1)
    with pytest.raises(DatasetError, match="0 or 1"):
        PreparedDataset.open(folder)
    np.save(folder / "attributes.npy", LABELS[:9])
    with pytest.raises(DatasetError, match="labels must be uint8"):
        PreparedDataset.open(folder)
    np.save(folder / "images.npy", PIXELS.astype(np.float32))
    with pytest.raises(DatasetError, match="pictures must be uint8"):
        PreparedDataset.open(folder)


def test_refuses_arrays_that_do_not_fit(tmp_path: Path) -> None:
    out, digits = tmp_path / "out", AttributeSet.classes("digit", "012")
    with pytest.raises(ShapeError, match=r"\[N, H, H, C\]"):
        write_arrays(out, PIXELS[:, :4], LABELS, HAIR, SIZES)
    with pytest.raises(ShapeError, match="2 channels"):
        write_arrays(out, PIXELS[..., :2], LABELS, HAIR, SIZES)
    with pytest.raises(ShapeError, match="labels must be"):
        write_arrays(out, PIXELS, LABELS[:5], HAIR, SIZES)
    with pytest.raises(ShapeError, match="don't divide"):
        write_arrays(out, PIXELS, LABELS, HAIR, {"train": 9})
    with pytest.raises(ShapeError, match="exactly one class"):
        write_arrays(out, PIXELS, np.zeros_like(LABELS), digits, SIZES)
    with pytest.raises(ConfigError, match="power of two"):
        write_arrays(out, PIXELS, LABELS, HAIR, SIZES, padding=1)
    assert not list(tmp_path.iterdir())


def test_overwrites_only_data_sets_and_only_when_asked(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="already holds"):
        write_arrays(folder, PIXELS, LABELS, HAIR, SIZES)
    opened = PreparedDataset.open(folder)
    write_arrays(folder, PIXELS[::-1], LABELS, HAIR, SIZES, overwrite=True)
    new = PreparedDataset.open(folder)
    torch.testing.assert_close(new.images(slice(None)), opened.images(slice(None)).flip(0))

    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("x")
    with pytest.raises(DatasetError, match="other things"):
        write_arrays(precious, PIXELS, LABELS, HAIR, SIZES, overwrite=True)
    assert (precious / "thesis.txt").exists()
    with pytest.raises(SaveError, match="is a file"):
        write_arrays(precious / "thesis.txt", PIXELS, LABELS, HAIR, SIZES)
    (tmp_path / "empty").mkdir()
    write_arrays(tmp_path / "empty", PIXELS, LABELS, HAIR, SIZES)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "precious", "prepared"]


def test_where_keeps_the_chosen_rows(folder: Path) -> None:
    dataset, name = PreparedDataset.open(folder), "train"
    part = dataset.part(name)
    chosen = torch.arange(len(part)) % 2 == 0
    some = part.where(chosen)
    assert some.partitions == (name,)
    assert torch.equal(some.all_labels(), part.all_labels()[chosen])
    assert torch.equal(some.images(slice(None)), part.images(slice(0, None, 2)))
    with pytest.raises(DatasetError, match="bool tensor"):
        part.where(chosen[1:])
    with pytest.raises(DatasetError, match="one partition"):
        dataset.where(torch.ones(len(dataset), dtype=torch.bool))
