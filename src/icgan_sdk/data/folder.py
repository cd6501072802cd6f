"""The user's own pictures: a folder with a CSV of attributes, or one folder per class."""

import os
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from unicodedata import normalize

from PIL import Image

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import Crop
from icgan_sdk.data.classes import partition_folders, read_classes
from icgan_sdk.data.table import PARTITION_COLUMN, read_table
from icgan_sdk.data.twins import twins_note
from icgan_sdk.data.writing import UNDECIDED, Item, PrepareReport, write_prepared
from icgan_sdk.errors import ConfigError, DatasetError, list_some
from icgan_sdk.pictures.arrays import fit_picture
from icgan_sdk.pictures.opening import open_picture
from icgan_sdk.progress import Progress


def prepare_folder(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    groups: Mapping[str, tuple[str, ...]] | None = None,
    image_size: int = 64,
    channels: int = 3,
    crop: Crop | None = None,
    test: float = 0.1,
    validation: float = 0.0,
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> PrepareReport:
    """Prepare the user's own pictures. Those that aren't square are cut to their centre square.

    With `labels`, a CSV file in UTF-8 with a header: first a column of file names relative to
    `source`, then one column per attribute (0/1, -1/1 or false/true), in any place a column
    ``partition`` (train, validation or test) or none. Semicolons or tabs may stand for the commas.

    Without `labels`, each folder in `source` is a class (one-hot labels, group ``class``) of all
    the pictures in and below it. Folders called train, val, valid, validation or test above the
    class folders, in each of them, or joined with their names (trainA, testA) are the partitions.
    Hidden files and folders are skipped, and thumbnails that machines make. Links are followed,
    each folder once.

    Args:
        source: Folder of the pictures.
        folder: Where to write the prepared data set.
        labels: The CSV file.
        groups: Exclusive groups of its attributes: name to members.
        image_size: Side of the pictures, a power of two.
        channels: 1 (grey) or 3 (RGB).
        crop: Where to cut pictures that have the proportions of its frame.
        test: Share of pictures drawn for the test partition, if no column gives it.
        validation: The same for the validation partition.
        seed: Fixes the draw.
        workers: Processes that read pictures; 0 or 1: this one.
        overwrite: Replace an earlier prepared data set.
        progress: Called after each picture.

    Raises:
        ConfigError: If size, channels, shares or groups are impossible.
        DatasetError: If the CSV has a fault (with its line), the folders look like partitions but
            don't hold the same classes, there are no pictures, or most are missing, unreadable or
            without a class.
        SaveError: If the folder can't be written.
    """
    source = Path(source)
    if not source.is_dir():
        raise DatasetError(f"no such folder: {source}")
    attributes, items, notes = _read(source, labels, groups or {})
    if any(item.partition == UNDECIDED for item in items):
        items = _split(items, test, validation, seed)
    report = write_prepared(
        folder,
        items,
        FolderPictures(source, image_size, channels, crop),
        attributes,
        size=image_size,
        channels=channels,
        crop=crop,
        source=source.resolve().name,
        workers=workers,
        overwrite=overwrite,
        progress=progress,
    )
    twins = twins_note(Path(folder))
    return replace(report, notes=(*notes, *filter(None, [twins])))


class FolderPictures:
    """Reads pictures below a folder and fits them to the model's square."""

    def __init__(self, folder: Path, size: int, channels: int, crop: Crop | None) -> None:
        self.folder, self.size, self.channels, self.crop = folder, size, channels, crop

    def __call__(self, name: str) -> Image.Image:
        """The picture of a relative path, `size` × `size`."""
        return fit_picture(open_picture(self.folder / name, self.channels), self.size, self.crop)


def _read(
    source: Path, labels: str | os.PathLike[str] | None, groups: Mapping[str, tuple[str, ...]]
) -> tuple[AttributeSet, list[Item], list[str]]:
    """The attributes, the pictures, and what the user should be told."""
    if labels is None:
        found = read_classes(source)
        left_out = (
            (found.loose, "pictures left out, which lie beside the class folders"),
            (found.raw, "raw photos left out, which must be developed first"),
        )
        notes = [f"{len(names)} {text}: {list_some(names)}" for names, text in left_out if names]
        return found.attributes, found.items, notes
    attributes, items = read_table(Path(labels), groups)
    items = _as_on_disk(source, Path(labels), items)
    _check_files(source, Path(labels), [item.name for item in items])
    folders = partition_folders(item.name for item in items)
    if folders and any(item.partition == UNDECIDED for item in items):
        told = f"the partitions are drawn: that files lie in {', '.join(folders)} says nothing; "
        return attributes, items, [f"{told}a column {PARTITION_COLUMN!r} would"]
    return attributes, items, []


def _as_on_disk(source: Path, table: Path, items: list[Item]) -> list[Item]:
    """The items by the names their files have: Unicode spells é in two ways, systems differ.

    Raises:
        DatasetError: If two names are then the same file's.
    """
    found: dict[str, Item] = {}
    for item in items:
        spellings = (item.name, *(normalize(form, item.name) for form in ("NFC", "NFD")))
        name = next((n for n in spellings if (source / n).is_file()), item.name)
        if name in found:
            raise DatasetError(f"{table}: {item.name!r} is listed twice")
        found[name] = item._replace(name=name)
    return list(found.values())


def _check_files(source: Path, table: Path, names: list[str]) -> None:
    """Raise DatasetError if most of the listed files are missing."""
    missing = [name for name in names if not (source / name).is_file()]
    if 2 * len(missing) > len(names):
        raise DatasetError(
            f"{len(missing)} of the {len(names)} files in {table} are not in {source}: "
            f"{list_some(missing)}"
        )


def _split(items: list[Item], test: float, validation: float, seed: int) -> list[Item]:
    if not (test >= 0 and validation >= 0 and test + validation < 1):
        raise ConfigError(
            f"the shares test={test} and validation={validation} must not be negative and must "
            "leave some pictures to train on"
        )
    n_test, n_validation = int(len(items) * test), int(len(items) * validation)
    n_train = len(items) - n_test - n_validation
    partitions = ["train"] * n_train + ["validation"] * n_validation + ["test"] * n_test
    random.Random(seed).shuffle(partitions)
    return [item._replace(partition=p) for item, p in zip(items, partitions, strict=True)]
