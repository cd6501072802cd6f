"""A table of the user's own pictures: a CSV file of names, attributes and partitions."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.data.writing import PARTITIONS, UNDECIDED, Item
from icgan_sdk.errors import ConfigError, DatasetError, did_you_mean
from icgan_sdk.pictures.formats import picture_suffixes

PRESENCES = {-1.0: False, 0.0: False, 1.0: True}
WORDS = {"false": False, "true": True}
PARTITION_COLUMN = "partition"
DELIMITERS = ",;\t|"
"""What may stand between columns: the one that divides the header into most."""


def read_table(
    path: Path, groups: Mapping[str, tuple[str, ...]]
) -> tuple[AttributeSet, list[Item]]:
    """The attributes that a table's header names, and its pictures.

    Raises:
        DatasetError: If the file can't be read or has a fault, with its line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _parse(path, file.readline(), file, groups)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} can't be read as CSV in UTF-8: {error}") from error


def _parse(
    path: Path, first: str, rest: Iterator[str], groups: Mapping[str, tuple[str, ...]]
) -> tuple[AttributeSet, list[Item]]:
    line, told = 1, SEPARATOR.fullmatch(first.strip())
    if told:
        line, first = 2, next(rest, "")
    delimiter = told["delimiter"] if told else _delimiter(first)
    header = _columns(first, delimiter)
    if problem := _header_problem(header):
        raise DatasetError(f"{path}, line {line}: {problem}")
    try:
        names = tuple(name for name in header[1:] if name != PARTITION_COLUMN)
        attributes = AttributeSet(names, dict(groups))
    except ConfigError as error:
        raise DatasetError(f"{path}, line {line}: {error}") from error
    items: dict[str, Item] = {}
    reader = csv.reader(rest, delimiter=delimiter)
    for cells in reader:
        if not cells:
            continue  # an empty line, as editors leave at the end
        try:
            item = _parse_row(header, [cell.strip() for cell in cells])
            if item.name in items:
                raise ValueError(f"{item.name!r} is listed twice")
        except ValueError as error:
            raise DatasetError(f"{path}, line {reader.line_num + line}: {error}") from error
        items[item.name] = item
    return attributes, list(items.values())


SEPARATOR = re.compile(r'"?sep=(?P<delimiter>.)"?', re.IGNORECASE)
"""A first line by which Excel says, and is told, what stands between columns."""


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=lambda delimiter: len(_columns(header, delimiter)))


def _columns(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _header_problem(header: Sequence[str]) -> str:
    """What is wrong with the first line; empty if it may be a header."""
    if header and header[0].startswith(("#", "//")):
        return "this is no header: its first column must name the files, the others attributes"
    if header.count(PARTITION_COLUMN) > 1:
        return f"two columns are named {PARTITION_COLUMN!r}"
    names_picture = bool(header) and Path(header[0]).suffix.lower() in picture_suffixes()
    names = [name for name in header[1:] if name.lower() not in PARTITIONS]
    if names_picture or (names and all(_presence(name) is not None for name in names)):
        return (
            "this looks like data; put a header above it: a name for the column of files, then "
            "those of the attributes"
        )
    return ""


def _parse_row(header: list[str], cells: list[str]) -> Item:
    """One line as an item; ValueError where it has a fault."""
    if len(cells) != len(header):
        raise ValueError(f"{len(cells)} columns, but the header has {len(header)}")
    file = Path(cells[0])
    if not cells[0] or file.is_absolute() or file.drive or ".." in file.parts:
        raise ValueError(f"{cells[0]!r} must be a path inside the folder of pictures")
    partition, labels = UNDECIDED, []
    for column, text in zip(header[1:], cells[1:], strict=True):
        presence = _presence(text)
        if column == PARTITION_COLUMN:
            partition = text.lower()
            if partition not in PARTITIONS:
                raise ValueError(f"no partition {text!r}; {did_you_mean(partition, PARTITIONS)}")
        elif presence is None:
            raise ValueError(f"{column} must be 0 or 1, -1 or 1, false or true, not {text!r}")
        else:
            labels.append(presence)
    return Item(file.as_posix(), bytes(labels), partition)


def _presence(text: str) -> bool | None:
    """Whether a cell says that an attribute is present; None if it says neither."""
    try:
        return PRESENCES.get(float(text.replace(",", ".")))  # 1.0 as pandas writes it, or 1,0
    except ValueError:
        return WORDS.get(text.lower())
