"""Class folders as data sets of the field have them: partitions, thumbnails, loose pictures."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from PIL import Image

from icgan_sdk.data import prepare_folder
from icgan_sdk.data.classes import read_classes
from icgan_sdk.errors import DatasetError


def place(root: Path, names: Iterable[str]) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(root: Path) -> dict[str, str]:
    """Class and partition by path."""
    attributes, items, *_ = read_classes(root)
    named = {item.name: attributes.names[list(item.labels).index(1)] for item in items}
    return {item.name: f"{named[item.name]} {item.partition}".strip() for item in items}


@pytest.mark.parametrize(
    ("train", "other", "partition"),
    [
        ("train/cat", "test/cat", "test"),
        ("Train/cat", "VALID/Cat", "validation"),
        ("training/cat", "val/cat", "validation"),
        ("train/cat/deep", "validation/cat", "validation"),
        ("cat/train", "cat/Testing", "test"),
        ("traincat", "testcat", ""),
        ("train_cat", "test-cat", "test"),
        ("cat_train", "cat_val", "validation"),
    ],
)
def test_folders_named_like_partitions(
    tmp_path: Path, train: str, other: str, partition: str
) -> None:
    pairs = [(train, other), (train.replace("cat", "dog"), other.replace("Cat", "dog"))]
    pairs[1] = (pairs[1][0], pairs[1][1].replace("cat", "dog"))
    names = [f"{folder}/{i}.png" for pair in pairs for folder in pair for i in (1, 2)]
    places = found(place(tmp_path, names))
    assert len(places) == 8
    if not partition:  # "traincat" may be a word of its own
        assert set(places.values()) == {"traincat", "testcat", "traindog", "testdog"}
    else:
        expected = {f"{name} {part}" for name in ("cat", "dog") for part in ("train", partition)}
        assert set(places.values()) == expected
        assert places[f"{train}/1.png"] == "cat train"


def test_folders_of_cyclegan(tmp_path: Path) -> None:
    names = [f"{part}{name}/0.jpg" for part in ("train", "test") for name in "AB"]
    places = found(place(tmp_path, names))
    assert sorted(places.values()) == ["A test", "A train", "B test", "B train"]


@pytest.mark.parametrize(
    "names",
    [
        ["train", "car", "bus"],  # a vehicle among others
        ["test", "control"],
        ["trainer", "tester"],
        ["trainA", "trainB"],
        ["test/deep", "train", "car"],
        ["a/train", "b"],
    ],
)
def test_words_that_only_look_like_partitions(names: list[str], tmp_path: Path) -> None:
    places = found(place(tmp_path, [f"{name}/0.png" for name in names]))
    assert sorted(places.values()) == sorted(name.split("/")[0] for name in names)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["train/a", "train/b", "test/a", "test/c"], "no training pictures of c: name the folder"),
        (["val/a", "val/b", "test/a", "test/b"], "no training pictures of a, b"),
        (["train", "test"], "train in .* but test, train holds no class folders: make one per"),
        (["train/a", "train/b", "test"], r"test holds no class folders: .* name .*/train, or give"),
        (["trainA", "testA", "testB"], "no training pictures of B"),
        (["data/a", "data/b"], r"but has 1 \(name .*/data, which has 2\)"),
        (["train/a", "train/b"], r"but has 1 \(name .*/train, which has 2\)"),
        (["train/a", "test/a"], "at least two folders .* but has 1;"),
    ],
)
def test_layouts_that_are_refused(names: list[str], message: str, tmp_path: Path) -> None:
    place(tmp_path, [f"{name}/0.png" for name in names])
    with pytest.raises(DatasetError, match=message):
        read_classes(tmp_path)


def test_pictures_beside_the_class_folders_are_told(tmp_path: Path) -> None:
    place(tmp_path, ["a/0.png", "a/1.png", "b/0.png", "x.png", "y.png"])
    assert read_classes(tmp_path).loose == ["x.png", "y.png"]
    place(tmp_path, [f"z{i}.jpg" for i in range(2)])
    with pytest.raises(DatasetError, match=r"4 pictures in .* \(x\.png, .*, only 3 in them"):
        read_classes(tmp_path)


def test_pictures_beside_the_class_folders_of_a_partition(tmp_path: Path) -> None:
    names = [f"{part}/{name}/0.png" for part in ("train", "test") for name in "ab"]
    place(tmp_path, [*names, "test/loose.png", "docs/figure.png"])
    classes = read_classes(tmp_path)
    assert len(classes.items) == 4
    assert sorted(classes.loose) == ["docs/figure.png", "test/loose.png"]


def test_what_machines_leave_is_no_class(tmp_path: Path) -> None:
    machines = ("@eaDir/0.png/THUMB_XL.jpg", "#recycle/x.png", "__MACOSX/a/0.png", ".git/x.png")
    place(tmp_path, ["a/0.png", "b/0.png", "a/._0.png", "a/@eaDir/0.png/THUMB_M.jpg", *machines])
    assert found(tmp_path) == {"a/0.png": "a", "b/0.png": "b"}
    assert not read_classes(tmp_path).loose


def test_class_folders_may_be_links_and_links_may_lead_back(tmp_path: Path) -> None:
    for name in ("store/a", "store/b", "photos/c"):
        (tmp_path / name).mkdir(parents=True)
        Image.new("RGB", (16, 16)).save(tmp_path / name / "1.png")
    (tmp_path / "photos/a").symlink_to("../store/a")
    (tmp_path / "photos/b").symlink_to(tmp_path / "store/b")
    (tmp_path / "store/a/up").symlink_to("..")
    (tmp_path / "photos/c/up").symlink_to("../..")
    found = read_classes(tmp_path / "photos")
    assert found.attributes.names == ("a", "b", "c")
    assert {item.name for item in found.items} >= {"a/1.png", "c/1.png"}


def test_raw_photos_are_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (16, 16)).save(tmp_path / name / "1.png")
    (tmp_path / "a/2.DNG").touch()
    assert read_classes(tmp_path).raw == ["a/2.DNG"]
    report = prepare_folder(tmp_path, tmp_path / "out", image_size=16, test=0)
    assert "1 raw photos left out, which must be developed first: a/2.DNG" in report.notes
