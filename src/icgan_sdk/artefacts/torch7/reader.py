"""The records of a ``.t7`` file: numbers, strings, tables, tensors and objects of Lua classes.

Read as data and nothing else: functions are skipped, classes are only names. What a record claims
(lengths, counts, depth) is checked against the file before anything is allocated for it.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

from icgan_sdk.artefacts.torch7.tokens import Array, DamagedError, Tokens, readings_of
from icgan_sdk.errors import ModelFormatError, ModelNotFoundError

MAX_DEPTH = 100
"""Records inside records; a network has about 10."""
MAX_RECORDS = 500_000
"""Records in a file; a network has some thousands."""
MAX_DIMENSIONS = 32

NIL, NUMBER, STRING, TABLE, TORCH, BOOLEAN, OLD_FUNCTION, LEGACY_FUNCTION, FUNCTION = range(9)

_ELEMENTS = {
    "Byte": np.uint8,
    "Char": np.int8,
    "Short": np.int16,
    "Int": np.int32,
    "Long": np.int64,
    "Half": np.float16,
    "Float": np.float32,
    "Double": np.float64,
}
_NUMERIC = re.compile(rf"torch\.(Cuda)?({'|'.join(_ELEMENTS)})?(Tensor|Storage)")
_VERSION = re.compile(rb"V -?\d{1,9}")


@dataclass(eq=False)
class TensorRecord:
    """A tensor: a view into a storage, which others may share.

    Attributes:
        sizes: Its shape.
        strides: Steps in the storage, in elements.
        offset: Where it begins in the storage, from 1.
        storage: The storage's elements; None for an empty tensor.
    """

    sizes: list[int]
    strides: list[int]
    offset: int
    storage: Array | None = None

    def array(self) -> Array:
        """The elements as a view, no copy.

        Raises:
            DamagedError: If it reaches beyond its storage, or overlaps itself.
        """
        if self.storage is None or not self.sizes:
            return np.empty(0, np.float32)
        if min(self.sizes) < 1 or min(self.strides) < 0 or self.offset < 1:
            raise DamagedError(f"has a tensor of impossible shape {self.sizes}")
        last = self.offset + sum((n - 1) * s for n, s in zip(self.sizes, self.strides, strict=True))
        count = 1
        for size in self.sizes:
            count *= size
        if last > len(self.storage) or count > len(self.storage):
            raise DamagedError(
                f"has a tensor of shape {self.sizes} that doesn't fit its storage of "
                f"{len(self.storage)} elements"
            )
        element = self.storage.itemsize
        return np.lib.stride_tricks.as_strided(
            self.storage[self.offset - 1 :],
            self.sizes,
            [s * element for s in self.strides],
            writeable=False,
        )


@dataclass(eq=False)
class ObjectRecord:
    """An object of a Lua class, such as ``nn.Linear``, and its fields."""

    class_name: str
    fields: "Table" = field(default_factory=dict)


Table: TypeAlias = "dict[str | float, Record]"
Record: TypeAlias = "bool | float | str | Table | TensorRecord | ObjectRecord | Array | None"


def read_torch7(path: str | os.PathLike[str]) -> Record:
    """Read a ``.t7`` file, binary or ASCII.

    Returns:
        Its one outermost record, for a saved network an `ObjectRecord`.

    Raises:
        ModelNotFoundError: If there is no such file.
        ModelFormatError: If it is no Torch7 file, is damaged, or claims what no network has.
    """
    path = Path(path)
    if not path.exists():
        raise ModelNotFoundError(f"no such file: {path}")
    if not path.is_file():
        raise ModelFormatError(f"{path} is not a file")
    try:
        return _parse(path.read_bytes())
    except DamagedError as error:
        raise ModelFormatError(f"{path} {error}") from error
    except OSError as error:
        raise ModelFormatError(f"{path} can't be read: {error.strerror}") from error
    except MemoryError:
        raise ModelFormatError(f"{path} needs more memory than there is") from None


def _parse(data: bytes) -> Record:
    problems = []
    for tokens in readings_of(data):
        try:
            return _Reader(tokens).record()
        except DamagedError as error:
            problems.append(error)
    raise problems[0]


def shown(name: str) -> str:
    """A name from a file, made printable for a message."""
    printable = "".join(c if c.isascii() and c.isprintable() else "?" for c in name[:60])
    return printable + ("…" if len(name) > 60 else "")


class _Reader:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._known: dict[int, Record] = {}
        self._records = 0

    def record(self, depth: int = 0) -> Record:
        """The next record and all inside it."""
        self._records += 1
        if depth > MAX_DEPTH:
            raise DamagedError(f"has records nested more than {MAX_DEPTH} deep: no network has")
        if self._records > MAX_RECORDS:
            raise DamagedError(f"has more than {MAX_RECORDS} records: no network has")
        tag = self._tokens.integer()
        if tag == NIL:
            return None
        if tag == NUMBER:
            return self._tokens.number()
        if tag == BOOLEAN:
            return self._tokens.integer() == 1
        if tag == STRING:
            return self._string()
        if tag == OLD_FUNCTION:
            self._skip_function(depth)
            return None
        if tag in {TABLE, TORCH, FUNCTION, LEGACY_FUNCTION}:
            return self._referable(tag, depth)
        raise DamagedError(f"has a record of unknown type {tag}")

    def _referable(self, tag: int, depth: int) -> Record:
        index = self._tokens.integer()
        if index in self._known:
            return self._known[index]
        if tag == TABLE:
            table: Table = {}
            self._known[index] = table  # before it is read, because it may contain itself
            return self._fill(table, depth)
        if tag == TORCH:
            return self._torch(index, depth)
        self._known[index] = None
        self._skip_function(depth)
        return None

    def _fill(self, table: Table, depth: int) -> Table:
        count = self._tokens.integer()
        if not 0 <= count <= self._tokens.remaining() // 2:  # an entry is two records
            raise DamagedError(f"has a table of {count} entries, more than can follow")
        for _ in range(count):
            key, value = self.record(depth + 1), self.record(depth + 1)
            if isinstance(key, str | float) and not isinstance(key, bool):
                table[key] = value
        return table

    def _torch(self, index: int, depth: int) -> Record:
        name = self._string_bytes()
        if _VERSION.fullmatch(name):  # old files have no version
            name = self._string_bytes()
        class_name = name.decode("latin-1")
        match = _NUMERIC.fullmatch(class_name)
        if match is None and class_name.startswith("torch."):
            raise DamagedError(f"holds a {shown(class_name)}, which no network has")
        if match is None:
            known = ObjectRecord(class_name)
            self._known[index] = known
            return self._object(known, depth)
        dtype = np.dtype(_ELEMENTS[match[2] or "Float"])
        if match[3] == "Storage":
            storage = self._storage(dtype)
            self._known[index] = storage
            return storage
        tensor = self._tensor_view()
        self._known[index] = tensor
        held = self.record(depth + 1)
        if held is not None and not isinstance(held, np.ndarray):
            raise DamagedError("has a tensor whose storage is something else")
        tensor.storage = held
        return tensor

    def _object(self, known: ObjectRecord, depth: int) -> ObjectRecord:
        fields = self.record(depth + 1)
        if not isinstance(fields, dict):
            raise DamagedError(f"has a {shown(known.class_name)} without fields")
        known.fields = fields
        return known

    def _tensor_view(self) -> TensorRecord:
        dimensions = self._tokens.integer()
        if not 0 <= dimensions <= MAX_DIMENSIONS:
            raise DamagedError(f"has a tensor of {dimensions} dimensions")
        sizes, strides = self._tokens.longs(dimensions), self._tokens.longs(dimensions)
        (offset,) = self._tokens.longs(1)
        return TensorRecord(sizes, strides, offset)

    def _storage(self, dtype: np.dtype[np.generic]) -> Array:
        (count,) = self._tokens.longs(1)
        return self._tokens.array(dtype, count)

    def _string_bytes(self) -> bytes:
        return self._tokens.raw(self._tokens.integer())

    def _string(self) -> str:
        return self._string_bytes().decode("latin-1")

    def _skip_function(self, depth: int) -> None:
        self._string_bytes()  # its compiled code
        self.record(depth + 1)  # its upvalues
