"""Own pictures: class folders and CSV files, and every fault they can have."""

import pickle
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from icgan_sdk.config import PAPER_CROP
from icgan_sdk.data import PreparedDataset, prepare_folder
from icgan_sdk.data.folder import FolderPictures
from icgan_sdk.data.table import read_table
from icgan_sdk.errors import ConfigError, DatasetError, ImageError
from tests.data.conftest import random_picture, write_csv


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Ten plain grey pictures, the brightness telling which, in sub-folders a and b."""
    root = tmp_path / "photos"
    for i in range(10):
        path = root / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20 + i, 16), (i * 20, i * 20, i * 20)).save(path)
    return root


def brightness(dataset: PreparedDataset) -> list[int]:
    means = (dataset.images(slice(None)).mean(dim=(1, 2, 3)) + 1) * 127.5
    return [round(value / 20) for value in means.tolist()]


def lines(*extra: str) -> list[str]:
    return ["file,Hat,Bald,partition", "a/0.png,1,-1,train", "b/1.png,True,false,test", *extra]


def test_class_folders(photos: Path, tmp_path: Path) -> None:
    (photos / "a" / "deeper").mkdir()
    (photos / "a" / "2.png").rename(photos / "a" / "deeper" / "2.PNG")
    for hidden in (".git/x.png", "a/.thumb.png", "a/.cache/x.png"):
        (photos / hidden).parent.mkdir(exist_ok=True)
        Image.new("L", (8, 8)).save(photos / hidden)
    (photos / "a" / "Thumbs.db").write_bytes(b"no picture")
    (photos / "notes").mkdir()
    (photos / "notes" / "readme.txt").write_text("no pictures")
    report = prepare_folder(photos, tmp_path / "out", image_size=8, test=0)
    assert report.written == 10
    dataset = PreparedDataset.open(tmp_path / "out")
    assert dataset.attributes.groups == {"class": ("a", "b")}
    assert dataset.attributes.one_hot
    assert dataset.source == "photos"
    assert brightness(dataset) == [0, 4, 6, 8, 2, 1, 3, 5, 7, 9]  # by path: deeper/ after 8.png
    assert dataset.all_labels().tolist() == [[1, -1]] * 5 + [[-1, 1]] * 5


def test_csv_with_partitions_and_groups(photos: Path, tmp_path: Path) -> None:
    csv = write_csv(photos, [*lines("a/2.png,0,1,Train"), "", "  b/3.png , FALSE , 1 , validation"])
    csv.write_bytes(b"\xef\xbb\xbf" + csv.read_bytes())  # as Excel saves it
    prepare_folder(
        photos, tmp_path / "out", labels=csv, groups={"head": ("Hat", "Bald")}, image_size=8
    )
    dataset = PreparedDataset.open(tmp_path / "out")
    assert dataset.attributes.names == ("Hat", "Bald")
    assert dataset.attributes.groups == {"head": ("Hat", "Bald")}
    assert brightness(dataset) == [0, 2, 3, 1]
    assert dataset.all_labels().tolist() == [[1, -1], [-1, 1], [-1, 1], [1, -1]]
    assert [len(dataset.part(name)) for name in ("train", "validation", "test")] == [2, 1, 1]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_of_any_delimiter_and_numbers_as_pandas_writes_them(
    photos: Path, tmp_path: Path, delimiter: str
) -> None:
    rows = ["file,Hat,Bald", "a/0.png,1.0,0.0", "b/1.png,-1.0,1", "a/2.png,TRUE,False"]
    if delimiter == ";":
        rows[1] = "a/0.png;1,0;0,0"  # where the comma is the decimal point
    csv = write_csv(photos, [row if ";" in row else row.replace(",", delimiter) for row in rows])
    prepare_folder(photos, tmp_path / "out", labels=csv, image_size=8, test=0)
    dataset = PreparedDataset.open(tmp_path / "out")
    assert dataset.attributes.names == ("Hat", "Bald")
    assert dataset.all_labels().tolist() == [[1, -1], [-1, 1], [1, -1]]


@pytest.mark.parametrize(
    "first",
    ["a/0.png,0,1", "a/0.png,1.0,-1", "0,0,1", "id7,true,False,train", "a/0.png", "a/0.PNG,old"],
)
def test_csv_without_header_is_refused(photos: Path, tmp_path: Path, first: str) -> None:
    csv = write_csv(photos, [first, "b/1.png,1,0"])
    with pytest.raises(DatasetError, match="line 1: this looks like data; put a header above it"):
        prepare_folder(photos, tmp_path / "out", labels=csv)


def test_csv_whose_files_lie_in_partition_folders_and_are_partly_missing(tmp_path: Path) -> None:
    names = [f"{folder}/{i}.png" for folder in ("train", "test") for i in range(2)]
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8)).save(tmp_path / "in" / name)
    csv = write_csv(tmp_path, ["file,Hat", *(f"{name},1" for name in names), "train/9.png,0"])
    report = prepare_folder(tmp_path / "in", tmp_path / "out", labels=csv, image_size=8)
    assert "that files lie in test, train says nothing" in report.notes[0]
    assert [name for name, _ in report.unreadable] == ["train/9.png"]
    csv = write_csv(
        tmp_path, ["file,Hat", *(f"album/{i}.png,1" for i in range(5)), f"{names[0]},0"]
    )
    with pytest.raises(DatasetError, match=r"5 of the 6 files in .* are not in .*: album/0\.png"):
        prepare_folder(tmp_path / "in", tmp_path / "out2", labels=csv)


def test_most_pictures_unreadable_is_an_error(photos: Path, tmp_path: Path) -> None:
    for i in range(6):
        (photos / "ab"[i % 2] / f"{i}.png").write_text("no picture")
    with pytest.raises(DatasetError, match=r"6 of the 10 pictures can't be read; the first, a/0"):
        prepare_folder(photos, tmp_path / "out", image_size=8)
    assert not (tmp_path / "out").exists()


def test_csv_of_names_only_makes_a_plain_gan(photos: Path, tmp_path: Path) -> None:
    csv = write_csv(photos, ["file", "a/0.png", "b/1.png"])
    prepare_folder(photos, tmp_path / "out", labels=csv, image_size=8, test=0)
    assert PreparedDataset.open(tmp_path / "out").all_labels().shape == (2, 0)


def test_random_split_by_seed(photos: Path, tmp_path: Path) -> None:
    parts = []
    for i, seed in enumerate((0, 0, 1)):
        out = tmp_path / str(i)
        prepare_folder(photos, out, image_size=8, test=0.2, validation=0.1, seed=seed)
        dataset = PreparedDataset.open(out)
        parts.append([brightness(dataset.part(name)) for name in dataset.partitions])
    assert [len(part) for part in parts[0]] == [7, 1, 2]
    assert sorted(i for part in parts[0] for i in part) == list(range(10))
    assert parts[0] == parts[1] != parts[2]


def test_centre_crop_or_frame_crop_and_grey(tmp_path: Path) -> None:
    pixels = np.zeros((218, 178, 3), np.uint8)
    pixels[40:178, 30:168] = 255
    for name in ("x", "y"):
        (tmp_path / "in" / name).mkdir(parents=True)
        Image.fromarray(pixels).save(tmp_path / "in" / name / "0.png")
    for crop in (None, PAPER_CROP):
        out = tmp_path / f"out{crop is None}"
        prepare_folder(tmp_path / "in", out, image_size=16, channels=1, crop=crop)
        dataset = PreparedDataset.open(out)
        assert dataset.crop == crop
        images = dataset.images(slice(None))
        assert images.shape == (2, 1, 16, 16)
        assert images.max() == 1
        if crop is None:
            assert images.min() == -1
        else:  # all white, but for the filter's reach at the edge
            assert images.min() > 0.6


def test_unreadable_names_that_are_not_unicode(photos: Path, tmp_path: Path) -> None:
    bad = photos / "a" / "\udcff.png"
    try:
        bad.write_bytes(b"no picture")
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system only takes Unicode names")
    report = prepare_folder(photos, tmp_path / "out", image_size=8)
    assert report.written == 10
    assert r"\udcff.png" in (tmp_path / "out" / "unreadable.txt").read_text()


def test_reader_can_be_sent_to_workers(photos: Path) -> None:
    read = pickle.loads(pickle.dumps(FolderPictures(photos, 8, 3, PAPER_CROP)))
    assert read("a/0.png").size == (8, 8)
    with pytest.raises(ImageError, match="no such image file"):
        read("a/99.png")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a/2.png,2,0,train", "line 4: Hat must be 0 or 1, .* not '2'"),
        ("a/2.png,,0,train", "line 4: Hat must be"),
        ("a/2.png,1,0,training", "line 4: no partition 'training'; did you mean 'train'"),
        ("a/2.png,1,0,", "line 4: no partition ''"),
        ("a/2.png,1,0", "line 4: 3 columns, but the header has 4"),
        ("a/2.png,1,0,train,1", "line 4: 5 columns"),
        ("../secret.png,1,0,train", "line 4: '../secret.png' must be a path inside"),
        ("a/../../secret.png,1,0,train", "line 4: .* must be a path inside"),
        ("/etc/passwd,1,0,train", "line 4: .* must be a path inside"),
        (",1,0,train", "line 4: '' must be a path inside"),
        ("./a/0.png,1,0,train", "line 4: 'a/0.png' is listed twice"),
    ],
)
def test_faulty_lines(photos: Path, tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        prepare_folder(photos, tmp_path / "out", labels=write_csv(photos, lines(line)))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("file,Hat,Hat", "line 1: .* repeat: Hat"),
        ("file,,Hat", "line 1: .* non-empty"),
        ("file,Hat", "line 1: .*'Bald' is not an attribute"),
        ("file,partition,partition,Hat,Bald", "line 1: two columns"),
        ("", "there are no pictures"),
        ("file,Hat,Bald", "there are no pictures"),
    ],
)
def test_faulty_headers(photos: Path, tmp_path: Path, header: str, message: str) -> None:
    groups = {"head": ("Hat", "Bald")} if header else None
    with pytest.raises(DatasetError, match=message):
        prepare_folder(photos, tmp_path / "out", labels=write_csv(photos, [header]), groups=groups)


def test_faulty_files_and_folders(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(DatasetError, match="no such folder"):
        prepare_folder(photos / "c", out)
    with pytest.raises(DatasetError, match=r"at least two folders .* has 0"):
        prepare_folder(photos / "a", out)
    with pytest.raises(DatasetError, match="can't be read as CSV"):
        prepare_folder(photos, out, labels=photos / "none.csv")
    latin = photos / "latin.csv"
    latin.write_bytes("file,Bärtig\na/0.png,1\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="in UTF-8"):
        prepare_folder(photos, out, labels=latin)


@pytest.mark.parametrize("shares", [(1.0, 0.0), (0.5, 0.5), (-0.1, 0.0), (0.0, float("nan"))])
def test_impossible_shares(photos: Path, tmp_path: Path, shares: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match="leave some pictures to train on"):
        prepare_folder(photos, tmp_path / "out", test=shares[0], validation=shares[1])


def test_impossible_channels_and_size(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="channels must be 1 or 3"):
        prepare_folder(photos, tmp_path / "out", channels=2)
    with pytest.raises(ConfigError, match="image_size must be a power of two"):
        prepare_folder(photos, tmp_path / "out", image_size=100)


def test_large_photographs_are_scaled_with_antialiasing(tmp_path: Path) -> None:
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    for name in ("x", "y"):
        (tmp_path / "in" / name).mkdir(parents=True)
        Image.fromarray(stripes).save(tmp_path / "in" / name / "0.png")
    random_picture(0, (30, 300)).save(tmp_path / "in" / "x" / "tall.jpg")
    prepare_folder(tmp_path / "in", tmp_path / "out", image_size=16, test=0)
    images = PreparedDataset.open(tmp_path / "out").images(slice(None))
    assert images.shape == (3, 3, 16, 16)
    assert images[0].abs().max() < 0.1


def test_copies_are_told_and_those_in_two_partitions(tmp_path: Path) -> None:
    rows = ["file,striped,partition"]
    (tmp_path / "in").mkdir()
    for number, (level, partition) in enumerate(
        [(10, "train"), (10, "train"), (20, "train"), (10, "test"), (30, "test"), (30, "test")]
    ):
        Image.new("RGB", (16, 16), (level, 0, 0)).save(tmp_path / f"in/{number}.png")
        rows.append(f"{number}.png,{number % 2},{partition}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    report = prepare_folder(
        tmp_path / "in", tmp_path / "out", labels=tmp_path / "table.csv", image_size=16
    )
    (note,) = report.notes
    assert note.startswith("3 pictures are copies of others; 1 of test are in train too")


def test_excels_first_line_says_what_stands_between_columns(photos: Path, tmp_path: Path) -> None:
    names = picture_names(photos)
    table = tmp_path / "table.csv"
    for first in ("sep=;", '"sep=;"', "SEP=|"):
        mark = first.strip('"')[-1]
        rows = [first, mark.join(("file", "tall")), *(f"{name}{mark}1" for name in names)]
        table.write_text("\ufeff" + "\n".join(rows), encoding="utf-8")
        attributes, items = read_table(table, {})
        assert attributes.names == ("tall",)
        assert [item.name for item in items] == names
    table.write_text(f"sep=;\nfile;tall\n{names[0]};maybe\n")
    with pytest.raises(DatasetError, match="line 3: tall must be 0 or 1"):
        read_table(table, {})


@pytest.mark.parametrize("first", ["# made by a tool", "// comment"])
def test_comments_are_no_header(first: str, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(f"{first}\nfile,tall\na.png,1\n")
    with pytest.raises(DatasetError, match="line 1: this is no header: its first column must name"):
        read_table(table, {})


def test_both_spellings_of_accents_name_the_same_file(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "café.png") for form in ("NFC", "NFD"))
    (tmp_path / "in").mkdir()
    Image.new("RGB", (16, 16)).save(tmp_path / "in" / apart)
    Image.new("RGB", (16, 16), "red").save(tmp_path / "in/other.png")
    table = tmp_path / "table.csv"
    table.write_text(f"file,tall\n{composed},1\nother.png,0\n", encoding="utf-8")
    report = prepare_folder(tmp_path / "in", tmp_path / "out", labels=table, image_size=16)
    assert (report.written, report.unreadable) == (2, ())
    table.write_text(f"file,tall\n{composed},1\n{apart},0\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="is listed twice"):
        prepare_folder(tmp_path / "in", tmp_path / "again", labels=table, image_size=16)


def picture_names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*g"))
