"""Pictures in one folder per class, with or without folders for the partitions."""

import os
import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.data.writing import UNDECIDED, Item
from icgan_sdk.errors import DatasetError, list_some
from icgan_sdk.pictures.formats import RAW_SUFFIXES, picture_suffixes

PARTITION_NAMES = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
"""Partitions by the names their folders have in the field, in small letters."""

NOT_THE_USERS = {
    "@eadir", "#recycle", "@recycle", "@tmp", "#snapshot",  # Synology, QNAP: thumbnails, bins
    "__macosx", "$recycle.bin", "system volume information", "lost+found",
}  # fmt: skip
"""Folders, in small letters, that machines make and fill."""

_NAMES = "|".join(sorted(PARTITION_NAMES, key=len, reverse=True))
_JOINED = (
    re.compile(rf"(?P<part>(?i:{_NAMES}))(?:[ _-]+(?P<name>.+)|(?P<letter>[A-Z0-9]))"),
    re.compile(rf"(?P<name>.+)[ _-]+(?P<part>(?i:{_NAMES}))(?P<letter>)"),
)
"""Names of a partition and a class in one, like trainA (CycleGAN), test_cat or cat-val."""

Parts = tuple[str, ...]
"""A picture's path below the source, split: its folders and its name."""


class Place(NamedTuple):
    """The class and the partition of a picture; UNDECIDED where no folder tells the partition."""

    name: str
    partition: str


Layout = Callable[[Parts], Place | None]
"""Gives the place of each picture; None where it lies beside the class folders."""


class Classes(NamedTuple):
    """What `read_classes` found.

    Attributes:
        attributes: The classes, one-hot.
        items: The pictures, by class and path.
        loose: Paths of the pictures that lie beside the class folders.
        raw: Paths of cameras' raw files, which aren't read.
    """

    attributes: AttributeSet
    items: list[Item]
    loose: list[str]
    raw: list[str]


def read_classes(source: Path) -> Classes:
    """The pictures in and below one folder per class.

    Folders called train, val, valid, validation or test may stand above the class folders or in
    each of them, or be joined with their names (trainA, testA).

    Raises:
        DatasetError: If there are fewer than two classes, the folders look like partitions but
            don't hold the same classes, or most pictures lie beside the class folders.
    """
    files = sorted(_files_below(source))
    known = picture_suffixes()
    pictures = [PurePosixPath(path).parts for path in files if _suffix(path) in known]
    raw = [path for path in files if _suffix(path) in RAW_SUFFIXES]
    layout = _find_layout(source, [parts for parts in pictures if len(parts) > 1])
    placed = {"/".join(parts): place for parts in pictures if (place := layout(parts)) is not None}
    placed = _same_classes(source, placed)
    loose = [path for path in map("/".join, pictures) if path not in placed]
    names = sorted({place.name for place in placed.values()})
    _check_found(source, names, placed, loose)
    rows = {name: [int(name == other) for other in names] for name in names}
    by_class = sorted(placed.items(), key=lambda found: (found[1].name, found[0]))
    items = [Item(path, rows[name], partition) for path, (name, partition) in by_class]
    return Classes(AttributeSet.classes("class", names), items, loose, raw)


def partition_folders(paths: Iterable[str]) -> list[str]:
    """The outermost folders that are named like partitions, of at least two; else none."""
    tops = {parts[0] for path in paths if len(parts := PurePosixPath(path).parts) > 1}
    named = sorted(top for top in tops if top.casefold() in PARTITION_NAMES)
    return named if len({PARTITION_NAMES[name.casefold()] for name in named}) > 1 else []


def _files_below(root: Path) -> Iterator[str]:
    """Paths of the user's files; links are followed, each real folder once, so that loops end."""
    seen, waiting = set[str](), deque([root])
    while waiting:  # level by level: a folder counts by its shortest path
        folder = waiting.popleft()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or path.name.casefold() in NOT_THE_USERS:
                continue
            if path.is_dir():
                waiting.append(path)
            elif path.is_file():
                yield path.relative_to(root).as_posix()


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _find_layout(source: Path, pictures: list[Parts]) -> Layout:
    """The layout of pictures in folders."""
    tops = {parts[0] for parts in pictures}
    partitions = partition_folders(map("/".join, pictures))
    flat = set(partitions) - {parts[0] for parts in pictures if len(parts) > 2}
    # Among other classes "train" may be one like "car".
    if partitions and (len(partitions) == len(tops) or not flat):
        if flat:
            raise DatasetError(_flat_partitions(source, partitions, flat))
        return _outer_partition
    joined = {top: place for top in tops if (place := _split_name(top)) is not None}
    if _share_a_class(joined.values()):
        return lambda parts: joined.get(parts[0])
    inner = [parts for parts in pictures if _inner_partition(parts) is not None]
    if {parts[0] for parts in inner} == tops and _share_a_class(map(_inner_partition, inner)):
        return _inner_partition
    return lambda parts: Place(parts[0], UNDECIDED) if len(parts) > 1 else None


def _outer_partition(parts: Parts) -> Place | None:
    partition = PARTITION_NAMES.get(parts[0].casefold())
    return Place(parts[1], partition) if partition is not None and len(parts) > 2 else None


def _inner_partition(parts: Parts) -> Place | None:
    partition = PARTITION_NAMES.get(parts[1].casefold()) if len(parts) > 2 else None
    return None if partition is None else Place(parts[0], partition)


def _split_name(folder: str) -> Place | None:
    for pattern in _JOINED:
        if found := pattern.fullmatch(folder):
            name = found["name"] or found["letter"]
            return Place(name, PARTITION_NAMES[found["part"].casefold()])
    return None


def _share_a_class(places: Iterable[Place | None]) -> bool:
    """Whether a class is in the train partition and in another."""
    known = {(place.name.casefold(), place.partition) for place in places if place is not None}
    return any((name, "train") in known for name, part in known if part != "train")


def _same_classes(source: Path, placed: dict[str, Place]) -> dict[str, Place]:
    """The places with classes named as in the train partition, whatever their capitals."""
    trained = {place.name for place in placed.values() if place.partition == "train"}
    if all(place.partition == UNDECIDED for place in placed.values()):
        return placed
    named = {name.casefold(): name for name in trained}
    unknown = sorted({p.name for p in placed.values() if p.name.casefold() not in named})
    if unknown:
        raise DatasetError(
            f"the folders in {source} look like partitions, but there are no training pictures of "
            f"{list_some(unknown)}: name the folder that holds one folder per class"
        )
    return {
        path: place if place.name in trained else place._replace(name=named[place.name.casefold()])
        for path, place in placed.items()
    }


def _flat_partitions(source: Path, partitions: list[str], flat: set[str]) -> str:
    whole = sorted(set(partitions) - flat)
    remedy = f"to prepare {whole[0]} alone, name {source / whole[0]}" if whole else ""
    return (
        f"{', '.join(partitions)} in {source} look like partitions, but {list_some(sorted(flat))} "
        f"holds no class folders: {remedy or 'make one per class in each'}, or give a CSV file of "
        "attributes"
    )


def _check_found(source: Path, names: list[str], placed: Collection[str], loose: list[str]) -> None:
    if len(names) < 2:
        below = {path.split("/")[1] for path in placed if path.count("/") > 1}
        hint = f" (name {source / names[0]}, which has {len(below)})" if len(below) > 1 else ""
        raise DatasetError(
            f"{source} needs at least two folders with pictures, one per class, "
            f"but has {len(names)}{hint}; or give a CSV file of attributes"
        )
    if len(loose) > len(placed):
        raise DatasetError(
            f"{len(loose)} pictures in {source} lie beside the class folders "
            f"({list_some(loose)}), only {len(placed)} in them: give each a class, or all a CSV "
            "file of attributes"
        )
