"""Writing the prepared format, from arrays or from pictures read and scaled in parallel."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import Crop, ModelConfig
from icgan_sdk.data.prepared import (
    ATTRIBUTES,
    DESCRIPTION,
    IMAGES,
    DatasetInfo,
    Ranges,
    inconsistency,
    is_prepared,
)
from icgan_sdk.data.reading import Pixels, ReadPicture, read_all
from icgan_sdk.errors import DatasetError, SaveError, ShapeError
from icgan_sdk.files import atomic_folder, names_in
from icgan_sdk.progress import Progress

PARTITIONS = ("train", "validation", "test")
UNDECIDED = ""
"""The partition of an item until it has been drawn."""
UNREADABLE = "unreadable.txt"


class Item(NamedTuple):
    """One picture to prepare.

    Attributes:
        name: What `ReadPicture` is given, and what reports call it.
        labels: n_y values, 1 where the attribute is present, else 0.
        partition: Its partition's name.
    """

    name: str
    labels: Sequence[int]
    partition: str


@dataclass(frozen=True)
class PrepareReport:
    """How many pictures were prepared, and which were left out.

    Attributes:
        written: How many were prepared.
        unreadable: Name and reason of each that was left out, as in ``unreadable.txt``.
        notes: What else the user should know, a text each.
    """

    written: int
    unreadable: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def write_arrays(
    folder: str | os.PathLike[str],
    images: Pixels,
    labels: Pixels,
    attributes: AttributeSet,
    partitions: Mapping[str, int],
    *,
    padding: int = 0,
    crop: Crop | None = None,
    source: str = "arrays",
    overwrite: bool = False,
) -> PrepareReport:
    """Write a prepared data set from pixels in memory (or memory-mapped).

    Args:
        folder: Where to; it appears only when complete.
        images: uint8 [N, H, H, C], without padding.
        labels: uint8 [N, n_y], 0 or 1.
        attributes: Names and exclusive groups of the label columns.
        partitions: Sizes by name, in the order of the rows.
        padding: Background pixels that the networks see around each picture.
        crop: Where in an aligned frame the pictures were cut, if they were.
        source: Where they come from, a text for people.
        overwrite: Replace an earlier prepared data set.

    Raises:
        ConfigError: If no model can have this image size, or a name can't be stored.
        DatasetError: If the folder already holds something.
        SaveError: If it can't be written.
        ShapeError: If the arrays don't fit together.
    """
    info, ranges = DatasetInfo(attributes, padding, crop, source), _ranges(partitions)
    attributes.check_storable()
    problem = inconsistency(info, ranges, images, labels)
    if problem:
        raise ShapeError(f"can't write {folder}: {problem}")
    side, channels = images.shape[1] + 2 * padding, images.shape[3]
    ModelConfig(image_size=side, channels=channels, padding=padding)  # raises if no model fits
    with _new_dataset(folder, overwrite) as temporary:
        np.save(temporary / IMAGES, images)
        np.save(temporary / ATTRIBUTES, labels)
        _write_description(temporary, info, ranges)
    return PrepareReport(len(images))


def write_prepared(
    folder: str | os.PathLike[str],
    items: Iterable[Item],
    read: ReadPicture,
    attributes: AttributeSet,
    *,
    size: int,
    channels: int = 3,
    crop: Crop | None = None,
    source: str = "",
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> PrepareReport:
    """Read and scale pictures, in parallel if asked, and write them as a prepared data set.

    Pictures that can't be read are left out and reported. Rows are ordered by partition (train,
    validation, test), within one as given.

    Args:
        folder: Where to; it appears only when complete.
        items: What to prepare.
        read: Opens a picture by its name; gives `size` × `size` pixels of `channels` channels.
        attributes: Names and exclusive groups of the items' labels.
        size: Side of the pictures, pixels.
        channels: 1 (grey) or 3 (RGB).
        crop: Where in an aligned frame `read` cuts the pictures, if it does.
        source: Where they come from, a text for people.
        workers: Processes that read; 0 or 1: this one. Scripts that ask for more need the usual
            ``if __name__ == "__main__":``.
        overwrite: Replace an earlier prepared data set.
        progress: Called after each picture.

    Raises:
        ConfigError: If no model can have this image size, or a name can't be stored.
        DatasetError: If most pictures can't be read, the folder already holds something, or a
            worker died.
        SaveError: If the folder can't be written.
        ShapeError: If `read` gives pixels of another shape or type.
    """
    ModelConfig(image_size=size, channels=channels)  # raises if no model fits
    attributes.check_storable()
    items = sorted(items, key=lambda item: PARTITIONS.index(item.partition))
    with _new_dataset(folder, overwrite) as temporary:
        shape = (size, size, channels)
        results = read_all([item.name for item in items], read, shape, workers)
        with (temporary / IMAGES).open("wb") as file:
            kept, unreadable = _write_rows(file, items, results, shape, progress)
        _check_kept(kept, unreadable)
        if unreadable:
            _write_unreadable(temporary / UNREADABLE, unreadable)
        labels = np.frombuffer(b"".join(bytes(item.labels) for item in kept), dtype=np.uint8)
        np.save(temporary / ATTRIBUTES, labels.reshape(len(kept), len(attributes)))
        sizes = Counter(item.partition for item in kept)  # in the order of the rows
        _write_description(temporary, DatasetInfo(attributes, 0, crop, source), _ranges(sizes))
    return PrepareReport(len(kept), tuple(unreadable))


@contextmanager
def _new_dataset(folder: str | os.PathLike[str], overwrite: bool) -> Iterator[Path]:
    folder = Path(folder)
    if is_prepared(folder):
        if not overwrite:
            raise DatasetError(
                f"{folder} already holds a prepared data set; choose another folder, or ask to "
                "replace it (overwrite=True, --overwrite)"
            )
    elif names_in(folder):
        raise DatasetError(f"{folder} holds other things than a data set; choose another folder")
    with atomic_folder(folder) as temporary:
        yield temporary


def _write_rows(
    file: BinaryIO,
    items: Sequence[Item],
    results: Iterable[Pixels | str],
    shape: tuple[int, ...],
    progress: Progress | None,
) -> tuple[list[Item], list[tuple[str, str]]]:
    """Write an array file row by row; return its items, and the others' names and reasons."""
    # No memory map: writing to one on a full disk kills the process.
    kept: list[Item] = []
    unreadable: list[tuple[str, str]] = []
    header = _write_header(file, (len(items), *shape))
    for done, (item, result) in enumerate(zip(items, results, strict=True), 1):
        if isinstance(result, str):
            unreadable.append((item.name, result))
        else:
            _check_pixels(item.name, result, shape)
            file.write(result.tobytes())
            kept.append(item)
        if progress is not None:
            progress(done, len(items))
    file.seek(0)
    if _write_header(file, (len(kept), *shape)) != header:
        raise SaveError(f"can't write {IMAGES}: NumPy's header changed its length")
    return kept, unreadable


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> int:
    """Write the header of an array file; return its length, which no row count changes."""
    fields = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, fields)
    return file.tell()


def _check_pixels(name: str, pixels: Pixels, shape: tuple[int, ...]) -> None:
    if pixels.shape != shape or pixels.dtype != np.uint8:
        raise ShapeError(
            f"{name}: expected uint8 {list(shape)}, not {pixels.dtype} {list(pixels.shape)}"
        )


def _ranges(sizes: Mapping[str, int]) -> Ranges:
    bounds = pairwise([0, *accumulate(sizes.values())])
    return {name: rows for (name, size), rows in zip(sizes.items(), bounds, strict=True) if size}


def _write_description(folder: Path, info: DatasetInfo, ranges: Ranges) -> None:
    (folder / DESCRIPTION).write_text(info.to_json(ranges), encoding="utf-8")


def _check_kept(kept: list[Item], unreadable: list[tuple[str, str]]) -> None:
    if not kept and not unreadable:
        raise DatasetError("there are no pictures to prepare")
    if len(kept) >= len(unreadable):
        return
    name, reason = unreadable[0]
    count = f"{len(unreadable)} of the {len(kept) + len(unreadable)}"
    raise DatasetError(f"{count} pictures can't be read; the first, {name}: {reason}")


def _write_unreadable(path: Path, unreadable: list[tuple[str, str]]) -> None:
    lines = [f"{name}\t{reason}\n" for name, reason in unreadable]
    # File names needn't be valid Unicode.
    path.write_text("".join(lines), encoding="utf-8", errors="backslashreplace")
