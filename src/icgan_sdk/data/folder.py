"""The user's own pictures: a folder with a CSV of attributes, or one folder per class."""

import csv
import os
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from PIL import Image

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import Crop
from icgan_sdk.data.writing import PARTITIONS, Item, PrepareReport, write_prepared
from icgan_sdk.errors import ConfigError, DatasetError, did_you_mean
from icgan_sdk.pictures.opening import add_heif, open_picture
from icgan_sdk.pictures.squares import fit_picture
from icgan_sdk.progress import Progress

ABSENT, PRESENT = {"0", "-1", "false"}, {"1", "true"}
PARTITION_COLUMN = "partition"
UNDECIDED = ""
"""The partition of an item until `_split` has drawn it."""


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
    ``partition`` (train, validation or test) or none.

    Without `labels`, each folder in `source` is a class (one-hot labels, group ``class``) of all
    the pictures in and below it. Hidden files and folders are skipped.

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
        DatasetError: If the CSV has a fault (with its line), or there are no pictures.
        SaveError: If the folder can't be written.
    """
    source = Path(source)
    if not source.is_dir():
        raise DatasetError(f"no such folder: {source}")
    if labels is None:
        attributes, items = _read_classes(source)
    else:
        attributes, items = _read_csv(Path(labels), groups or {})
    if any(item.partition == UNDECIDED for item in items):
        items = _split(items, test, validation, seed)
    return write_prepared(
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


class FolderPictures:
    """Reads pictures below a folder and fits them to the model's square."""

    def __init__(self, folder: Path, size: int, channels: int, crop: Crop | None) -> None:
        self.folder, self.size, self.channels, self.crop = folder, size, channels, crop

    def __call__(self, name: str) -> Image.Image:
        """The picture of a relative path, `size` × `size`."""
        return fit_picture(open_picture(self.folder / name, self.channels), self.size, self.crop)


def _read_classes(source: Path) -> tuple[AttributeSet, list[Item]]:
    pictures = {
        folder.name: names
        for folder in sorted(source.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
        and (names := sorted(_pictures_below(folder, source)))
    }  # fmt: skip
    if len(pictures) < 2:
        raise DatasetError(
            f"{source} needs at least two folders with pictures, one per class, "
            f"but has {len(pictures)}; or give a CSV file of attributes"
        )
    rows = {name: [int(name == other) for other in pictures] for name in pictures}
    items = [
        Item(path, rows[name], UNDECIDED) for name, paths in pictures.items() for path in paths
    ]
    return AttributeSet.classes("class", list(pictures)), items


def _pictures_below(folder: Path, root: Path) -> Iterator[str]:
    add_heif()
    readable = {s for s, name in Image.registered_extensions().items() if name in Image.OPEN}
    for path in folder.rglob("*"):
        relative = path.relative_to(root)
        hidden = any(part.startswith(".") for part in relative.parts)
        if not hidden and path.suffix.lower() in readable and path.is_file():
            yield relative.as_posix()


def _read_csv(path: Path, groups: Mapping[str, tuple[str, ...]]) -> tuple[AttributeSet, list[Item]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _parse_csv(path, file, groups)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} can't be read as CSV in UTF-8: {error}") from error


def _parse_csv(
    path: Path, file: TextIO, groups: Mapping[str, tuple[str, ...]]
) -> tuple[AttributeSet, list[Item]]:
    reader = csv.reader(file)
    header = [cell.strip() for cell in next(reader, [])]
    if header.count(PARTITION_COLUMN) > 1:
        raise DatasetError(f"{path}, line 1: two columns are named {PARTITION_COLUMN!r}")
    names = tuple(name for name in header[1:] if name != PARTITION_COLUMN)
    try:
        attributes = AttributeSet(names, dict(groups))
    except ConfigError as error:
        raise DatasetError(f"{path}, line 1: {error}") from error
    items: dict[str, Item] = {}
    for cells in reader:
        if not cells:
            continue  # an empty line, as editors leave at the end
        try:
            item = _parse_row(header, [cell.strip() for cell in cells])
            if item.name in items:
                raise ValueError(f"{item.name!r} is listed twice")
        except ValueError as error:
            raise DatasetError(f"{path}, line {reader.line_num}: {error}") from error
        items[item.name] = item
    return attributes, list(items.values())


def _parse_row(header: list[str], cells: list[str]) -> Item:
    """One line as an item; ValueError where it has a fault."""
    if len(cells) != len(header):
        raise ValueError(f"{len(cells)} columns, but the header has {len(header)}")
    file = Path(cells[0])
    if not cells[0] or file.is_absolute() or file.drive or ".." in file.parts:
        raise ValueError(f"{cells[0]!r} must be a path inside the folder of pictures")
    partition, labels = UNDECIDED, []
    for column, text in zip(header[1:], cells[1:], strict=True):
        if column == PARTITION_COLUMN:
            partition = text.lower()
            if partition not in PARTITIONS:
                raise ValueError(f"no partition {text!r}; {did_you_mean(partition, PARTITIONS)}")
        else:
            labels.append(_presence(column, text))
    return Item(file.as_posix(), bytes(labels), partition)


def _presence(column: str, text: str) -> bool:
    if text.lower() not in ABSENT | PRESENT:
        raise ValueError(f"{column} must be 0 or 1, -1 or 1, false or true, not {text!r}")
    return text.lower() in PRESENT


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
