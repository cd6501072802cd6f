"""CelebA in the official layout: any resolution, folder or zip, one process or several."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from icgan_sdk.celeba import CELEBA_ATTRIBUTES, PAPER_ATTRIBUTES
from icgan_sdk.config import CELEBA_CROP, PAPER_CROP, Crop
from icgan_sdk.data import PreparedDataset, celeba, prepare_celeba, reading
from icgan_sdk.errors import ConfigError, DatasetError, UnknownAttributeError
from tests.data.conftest import MakeCelebA, pack, random_picture

ATTRIBUTES, PARTITION = "list_attr_celeba.txt", "list_eval_partition.txt"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_official_partition_and_labels(make_celeba: MakeCelebA, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    report = prepare_celeba(
        make_celeba(), tmp_path / "out", image_size=16, progress=lambda *n: calls.append(n)
    )
    assert (report.written, report.unreadable) == (6, ())
    assert calls == [(done, 6) for done in range(1, 7)]
    dataset = PreparedDataset.open(tmp_path / "out")
    assert dataset.partitions == ("train", "validation", "test")
    assert dataset.attributes.names == PAPER_ATTRIBUTES
    assert dataset.crop == CELEBA_CROP
    columns = [CELEBA_ATTRIBUTES.index(name) for name in PAPER_ATTRIBUTES]
    for name, rows in (("train", (0, 3)), ("validation", (1, 4)), ("test", (2, 5))):
        expected = [[1.0 if (i + j) % 3 == 0 else -1.0 for j in columns] for i in rows]
        assert dataset.part(name).all_labels().tolist() == expected


def test_attributes_in_the_order_asked_for(make_celeba: MakeCelebA, tmp_path: Path) -> None:
    root = make_celeba()
    chosen = ["Young", "Blond_Hair", "Bald", "Black_Hair"]
    prepare_celeba(root, tmp_path / "a", attributes=chosen, image_size=8)
    dataset = PreparedDataset.open(tmp_path / "a")
    assert dataset.attributes.names == tuple(chosen)
    assert dataset.attributes.groups == {"hair_color": ("Black_Hair", "Blond_Hair")}
    prepare_celeba(root, tmp_path / "b", attributes=CELEBA_ATTRIBUTES, image_size=8)
    assert len(PreparedDataset.open(tmp_path / "b").attributes) == 40
    prepare_celeba(root, tmp_path / "c", attributes=(), image_size=8)
    assert PreparedDataset.open(tmp_path / "c").all_labels().shape == (6, 0)
    with pytest.raises(UnknownAttributeError, match="did you mean 'Smiling'"):
        prepare_celeba(root, tmp_path / "d", attributes=["Smilling"])


@pytest.mark.slow
def test_zip_folder_and_workers_give_the_same(
    make_celeba: MakeCelebA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small chunks, so that the workers share them and more wait than are in flight.
    monkeypatch.setattr(reading, "CHUNK_BYTES", 2 * 16 * 16 * 3)
    root = make_celeba(24)
    (root / "img_align_celeba" / "000005.jpg").unlink()
    prepare_celeba(root, tmp_path / "folder", image_size=16, workers=0)
    pack(root)
    prepare_celeba(root, tmp_path / "zip", image_size=16, workers=1)
    prepare_celeba(root, tmp_path / "zip2", image_size=16, workers=2)
    assert contents(tmp_path / "zip") == contents(tmp_path / "zip2")
    folder, archive = contents(tmp_path / "folder"), contents(tmp_path / "zip")
    assert b"000005.jpg" in folder.pop("unreadable.txt")  # the reasons are worded differently
    assert b"000005.jpg" in archive.pop("unreadable.txt")
    assert folder == archive


def test_any_resolution_shows_the_same_frame(tmp_path: Path, make_celeba: MakeCelebA) -> None:
    root = make_celeba(3)
    picture = random_picture(0, (178, 218))
    for i, size in enumerate(((178, 218), (89, 109), (64, 64))):
        path = root / "img_align_celeba" / f"{i + 1:06}.jpg"
        picture.resize(size, Image.Resampling.BICUBIC).save(path, quality=98)
    prepare_celeba(root, tmp_path / "out", crop=PAPER_CROP, image_size=32)
    images = PreparedDataset.open(tmp_path / "out").images(slice(None))
    assert (images - images[:1]).abs().mean() < 0.03


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_editions_whose_files_have_another_suffix_than_the_lists_say(
    make_celeba: MakeCelebA, tmp_path: Path, suffix: str, zipped: bool
) -> None:
    root = make_celeba(6)
    prepare_celeba(root, tmp_path / "jpg", image_size=16)
    edition = root / f"img_align_celeba_{suffix[1:]}"
    edition.mkdir()
    for path in (root / "img_align_celeba").iterdir():
        with Image.open(path) as picture:
            picture.save(edition / f"{path.stem}{suffix}", lossless=True)
    (edition / f"000002{suffix}").unlink()
    shutil.rmtree(root / "img_align_celeba")
    if zipped:
        shutil.make_archive(str(edition), "zip", root, edition.name)
        shutil.rmtree(edition)
    report = prepare_celeba(root, tmp_path / "other", image_size=16)
    assert [name for name, _ in report.unreadable] == ["000002.jpg"]
    assert "000002" in report.unreadable[0][1]
    jpg, other = (PreparedDataset.open(tmp_path / name) for name in ("jpg", "other"))
    for part in ("train", "test"):
        expected, got = (d.part(part).images(slice(None)) for d in (jpg, other))
        torch.testing.assert_close(got, expected)


def as_kaggle(root: Path) -> None:
    """Turn the official layout into that of Kaggle's archive."""
    for name in (ATTRIBUTES, PARTITION):
        lines = [line.split() for line in (root / name).read_text().splitlines()]
        header = ["image_id", *(lines[1] if name == ATTRIBUTES else ["partition"])]
        rows = [header, *(lines[2:] if name == ATTRIBUTES else lines)]
        csv = (root / name).with_suffix(".csv")
        csv.write_text("\n".join(",".join(row) for row in rows) + "\n")
        (root / name).unlink()
    inner = root / "img_align_celeba" / "img_align_celeba"
    (root / "img_align_celeba").rename(root / "moved")
    inner.parent.mkdir()
    (root / "moved").rename(inner)


def test_the_layout_of_kaggle(make_celeba: MakeCelebA, tmp_path: Path) -> None:
    root = make_celeba()
    prepare_celeba(root, tmp_path / "official", image_size=8)
    as_kaggle(root)
    prepare_celeba(root, tmp_path / "kaggle", image_size=8)
    assert contents(tmp_path / "official") == contents(tmp_path / "kaggle")
    edit(root / "list_attr_celeba.csv", "000002.jpg,-1", "000002.jpg,0")
    with pytest.raises(
        DatasetError, match=r"list_attr_celeba\.csv, line 3: expected a name and 40"
    ):
        prepare_celeba(root, tmp_path / "faulty")
    (root / "list_eval_partition.csv").write_text("")
    (root / "list_attr_celeba.csv").write_text("")
    with pytest.raises(DatasetError, match=r"list_attr_celeba\.csv"):
        prepare_celeba(root, tmp_path / "faulty")


@pytest.mark.parametrize("zipped", [False, True])
def test_most_pictures_missing_is_told_before_any_is_read(
    make_celeba: MakeCelebA, tmp_path: Path, zipped: bool
) -> None:
    root = make_celeba(9)
    for number in range(1, 6):
        (root / "img_align_celeba" / f"{number:06}.jpg").unlink()
    if zipped:
        pack(root)
    problem = r"5 of the 9 listed pictures \(000001\.jpg, .* and 2 more\) are not in .*has 00000"
    with pytest.raises(DatasetError, match=problem):
        prepare_celeba(root, tmp_path / "out", progress=lambda *_: pytest.fail("one was read"))


def test_two_pictures_of_one_number_are_refused(make_celeba: MakeCelebA, tmp_path: Path) -> None:
    root = make_celeba()
    (root / "img_align_celeba" / "000003.png").touch()
    with pytest.raises(DatasetError, match=r"000003\.\w+ and 000003\.\w+ have one number"):
        prepare_celeba(root, tmp_path / "out")


def test_other_layouts_of_the_folders(make_celeba: MakeCelebA, tmp_path: Path) -> None:
    root = make_celeba(zipped=True)
    prepare_celeba(root.parent, tmp_path / "a", image_size=8)  # torchvision's root
    for sub, file in (("Anno", ATTRIBUTES), ("Eval", PARTITION), ("Img", "img_align_celeba.zip")):
        (root / sub).mkdir()
        (root / file).rename(root / sub / file)
    prepare_celeba(root, tmp_path / "b", image_size=8)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_unreadable_pictures_are_left_out_by_name(make_celeba: MakeCelebA, tmp_path: Path) -> None:
    root = make_celeba(9)
    pictures = root / "img_align_celeba"
    (pictures / "000001.jpg").unlink()
    (pictures / "000002.jpg").write_bytes(b"")
    whole = (pictures / "000004.jpg").read_bytes()
    (pictures / "000004.jpg").write_bytes(whole[: len(whole) // 2])
    (pictures / "000007.jpg").write_text("no picture")
    report = prepare_celeba(root, tmp_path / "out", image_size=16)
    assert report.written == 5
    assert [name for name, _ in report.unreadable] == [
        "000001.jpg", "000004.jpg", "000007.jpg", "000002.jpg",
    ]  # fmt: skip
    lines = (tmp_path / "out" / "unreadable.txt").read_text().splitlines()
    assert [tuple(line.split("\t")) for line in lines] == list(report.unreadable)
    dataset = PreparedDataset.open(tmp_path / "out")  # the training pictures are all gone
    assert dataset.partitions == ("validation", "test")
    assert len(dataset) == 5
    shutil.rmtree(pictures)
    pictures.mkdir()
    with pytest.raises(DatasetError, match=r"9 of the 9 listed pictures \(000001\.jpg"):
        prepare_celeba(root, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_unreadable_members_of_a_zip(make_celeba: MakeCelebA, tmp_path: Path) -> None:
    root = make_celeba(zipped=True)
    archive = root / "img_align_celeba.zip"
    data = bytearray(archive.read_bytes())
    at = data.index(b"000002.jpg") + 200
    data[at : at + 50] = bytes(50)
    archive.write_bytes(data)
    edit(root / ATTRIBUTES, "000006.jpg", "000099.jpg")
    edit(root / PARTITION, "000006.jpg", "000099.jpg")
    report = prepare_celeba(root, tmp_path / "out", image_size=16)
    assert report.written == 4
    reasons = dict(report.unreadable)
    assert "may be damaged" in reasons["000002.jpg"]
    assert "img_align_celeba.zip has no picture 000099" in reasons["000099.jpg"]
    archive.write_bytes(data[:1000])
    with pytest.raises(DatasetError, match=r"img_align_celeba\.zip is damaged"):
        prepare_celeba(root, tmp_path / "out2")


def test_members_of_too_many_pixels_are_left_out(
    make_celeba: MakeCelebA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_celeba(zipped=True)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    with pytest.raises(DatasetError, match=r"6 of the 6 pictures can't be read; .*000001\.jpg"):
        prepare_celeba(root, tmp_path / "out", image_size=16)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (ATTRIBUTES, "6\n", "7\n", "line 1 says 7 pictures, 6 follow"),
        (ATTRIBUTES, "6\n", "x\n", "expected a count in line 1"),
        (ATTRIBUTES, "Smiling", "Smirking", "no attribute 'Smiling'"),
        (ATTRIBUTES, "000002.jpg -1", "000002.jpg 0", r"attr_celeba\.txt, line 4"),
        (ATTRIBUTES, "000002.jpg -1", "000002.jpg", r"attr_celeba\.txt, line 4"),
        (ATTRIBUTES, "000002.jpg", "000001.jpg", "line 4: '000001.jpg' is repeated"),
        (ATTRIBUTES, "000002.jpg", "../../2.jpg", "line 4: .* no file name"),
        (PARTITION, "000002.jpg 1", "000002.jpg 3", r"partition\.txt, line 2"),
        (PARTITION, "000002.jpg 1", "000002.jpg", r"partition\.txt, line 2"),
        (PARTITION, "000002.jpg 1", "000001.jpg 1", "line 2: 000001.jpg is repeated"),
        (PARTITION, "000002.jpg 1", "000022.jpg 1", "line 2: .* not in the list of attr"),
        (PARTITION, "000002.jpg 1\n", "", "has 5 pictures, .* 6; .* 000002.jpg"),
    ],
)
def test_faulty_lists(
    make_celeba: MakeCelebA, tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    root = make_celeba()
    edit(root / file, old, new)
    with pytest.raises(DatasetError, match=message):
        prepare_celeba(root, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", [ATTRIBUTES, PARTITION, "img_align_celeba"])
def test_missing_parts(make_celeba: MakeCelebA, tmp_path: Path, name: str) -> None:
    root = make_celeba()
    (root / name).rename(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match=f"lacks CelebA's {name}"):
        prepare_celeba(root, tmp_path / "out")


def test_list_that_is_not_text(make_celeba: MakeCelebA, tmp_path: Path) -> None:
    root = make_celeba()
    (root / ATTRIBUTES).write_bytes(b"\xff\xfe")
    with pytest.raises(DatasetError, match="can't be read"):
        prepare_celeba(root, tmp_path / "out")


def test_original_partition(
    make_celeba: MakeCelebA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_celeba()
    (root / PARTITION).unlink()
    with pytest.raises(DatasetError, match="last 19961 pictures, but there are only 6"):
        prepare_celeba(root, tmp_path / "out", partition="original")
    monkeypatch.setattr(celeba, "ORIGINAL_TEST_SIZE", 2)
    prepare_celeba(root, tmp_path / "out", partition="original", image_size=8)
    dataset = PreparedDataset.open(tmp_path / "out")
    assert {name: len(dataset.part(name)) for name in dataset.partitions} == {"train": 4, "test": 2}


def test_size_no_model_takes(make_celeba: MakeCelebA, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="power of two from 8 to 1024, not 60"):
        prepare_celeba(make_celeba(), tmp_path / "out", image_size=60)


def test_crop_as_the_original(shared: Path, tmp_path: Path, make_celeba: MakeCelebA) -> None:
    golden = np.load(shared / "golden/torch7/preprocess/golden.npz")
    root = make_celeba(1)
    pixels = np.rint(golden["celeba_in"] * 255).astype(np.uint8).transpose(1, 2, 0)
    Image.fromarray(pixels).save(root / "img_align_celeba/000001.jpg", format="png")

    # The original averages boxes where Pillow filters bicubically: up to 0.06 of 0..1 apart.
    for size, key in ((64, "celeba_64"), (128, "celeba_128")):
        prepare_celeba(root, tmp_path / key, crop=PAPER_CROP, image_size=size)
        ours = PreparedDataset.open(tmp_path / key).images(slice(None))[0] / 2 + 0.5
        difference = (ours - torch.from_numpy(golden[key])).abs()
        assert difference.max() < 0.06
        assert difference.mean() < 0.005

    # A box of the size asked for is not resampled, so equals the original's crop exactly.
    box = Crop(PAPER_CROP.frame, (30, 40, 158, 168))
    prepare_celeba(root, tmp_path / "exact", crop=box, image_size=128)
    exact = PreparedDataset.open(tmp_path / "exact").images(slice(None))[0] / 2 + 0.5
    torch.testing.assert_close(exact, torch.from_numpy(golden["celeba_crop"][:, :128, :128]))


def test_the_real_lists_and_a_few_real_pictures(shared: Path, tmp_path: Path) -> None:
    real = shared / "data/celeba"
    root = tmp_path / "celeba"
    root.mkdir()
    (root / "img_align_celeba.zip").symlink_to(real / "img_align_celeba.zip")
    lines = (real / ATTRIBUTES).read_text().splitlines()
    chosen = lines[2:42] + lines[-40:]
    (root / ATTRIBUTES).write_text("\n".join(["80", lines[1], *chosen]) + "\n")
    partitions = (real / PARTITION).read_text().splitlines()
    (root / PARTITION).write_text("\n".join(partitions[:40] + partitions[-40:]) + "\n")
    report = prepare_celeba(root, tmp_path / "out", attributes=["Male", "Smiling"])
    assert (report.written, report.unreadable) == (80, ())
    dataset = PreparedDataset.open(tmp_path / "out")
    images = dataset.images(slice(None))
    assert images.shape == (80, 3, 64, 64)
    assert images.std() > 0.3
    column = lines[1].split().index("Male") + 1
    assert dataset.positives()["Male"] == sum(row.split()[column] == "1" for row in chosen)
