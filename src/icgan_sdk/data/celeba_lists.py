"""CelebA's lists of attributes and partitions: the official text files, or Kaggle's CSV files."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from icgan_sdk.data.writing import PARTITIONS
from icgan_sdk.errors import DatasetError, did_you_mean

ATTRIBUTE_FILES = ("list_attr_celeba.txt", "list_attr_celeba.csv")
PARTITION_FILES = ("list_eval_partition.txt", "list_eval_partition.csv")

Rows = Iterator[tuple[int, list[str]]]
"""The lines of a list: their numbers in the file, and their cells."""


class _Table(NamedTuple):
    """A list: the names of its columns but the first, and its rows."""

    names: list[str]
    rows: Rows


def read_attributes(path: Path, chosen: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """File name and label row (bytes 0 and 1) of each picture.

    Raises:
        DatasetError: If the list can't be read, has a fault or lacks an attribute.
    """
    known, rows = _attribute_table(path)
    for name in chosen:
        if name not in known:
            raise DatasetError(f"{path}: no attribute {name!r}; {did_you_mean(name, known)}")
    columns = [known.index(name) + 1 for name in chosen]
    seen = set()
    for number, cells in rows:
        if len(cells) != len(known) + 1 or not {"-1", "1"}.issuperset(cells[1:]):
            raise DatasetError(f"{path}, line {number}: expected a name and {len(known)} × -1 or 1")
        name = cells[0]
        if name in seen or Path(name).name != name:
            raise DatasetError(f"{path}, line {number}: {name!r} is repeated or no file name")
        seen.add(name)
        yield name, bytes(cells[column] == "1" for column in columns)


def read_partitions(path: Path, labelled: Mapping[str, bytes]) -> dict[str, str]:
    """The partition of each labelled picture.

    Raises:
        DatasetError: If the list can't be read or has a fault, or isn't of the same pictures.
    """
    codes = {str(code): partition for code, partition in enumerate(PARTITIONS)}
    partitions: dict[str, str] = {}
    for number, cells in _csv_table(path).rows if _is_csv(path) else _rows(_lines(path), 1):
        if len(cells) != 2 or cells[1] not in codes:
            raise DatasetError(f"{path}, line {number}: expected a file name and 0, 1 or 2")
        if cells[0] not in labelled or cells[0] in partitions:
            raise DatasetError(
                f"{path}, line {number}: {cells[0]} is repeated, or not in the list of attributes"
            )
        partitions[cells[0]] = codes[cells[1]]
    if len(partitions) != len(labelled):
        missing = next(name for name in labelled if name not in partitions)
        raise DatasetError(
            f"{path} has {len(partitions)} pictures, the list of attributes {len(labelled)}; "
            f"the first without a partition is {missing}"
        )
    return partitions


def _attribute_table(path: Path) -> _Table:
    if _is_csv(path):
        return _csv_table(path)
    lines = _lines(path)
    if len(lines) < 2 or not lines[0].strip().isdecimal():
        raise DatasetError(f"{path}: expected a count in line 1 and names in line 2")
    if int(lines[0]) != len(lines) - 2:
        raise DatasetError(
            f"{path}: line 1 says {lines[0].strip()} pictures, {len(lines) - 2} follow"
        )
    return _Table(lines[1].split(), _rows(lines[2:], 3))


def _csv_table(path: Path) -> _Table:
    # These files quote nothing, so no cell holds a comma or an end of line.
    lines = [line.replace(",", " ") for line in _lines(path)]
    if not lines:
        raise DatasetError(f"{path} is empty")
    return _Table(lines[0].split()[1:], _rows(lines[1:], 2))


def _rows(lines: Sequence[str], first: int) -> Rows:
    return ((number, line.split()) for number, line in enumerate(lines, first))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} can't be read: {error}") from error


def _is_csv(path: Path) -> bool:
    return path.suffix == ".csv"
