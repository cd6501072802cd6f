"""Torch7 files made up for tests: Lua's records and a writer."""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Fields = dict[Any, Any]


@dataclass(eq=False)
class Object:
    """A Lua object; `version` as it is written, None in old files."""

    name: str
    fields: Fields = field(default_factory=dict)
    version: str | None = "V 1"


@dataclass(eq=False)
class Storage:
    values: npt.NDArray[Any]
    kind: str = "torch.FloatStorage"


@dataclass(eq=False)
class View:
    """A tensor: sizes and strides into a storage, offset from 1."""

    sizes: list[int]
    strides: list[int]
    offset: int
    storage: Storage | None
    kind: str = "torch.FloatTensor"


@dataclass(eq=False)
class Function:
    tag: int = 8


def tensor(values: Any, kind: str = "Float", dtype: Any = np.float32) -> View:
    """A tensor with a storage of its own."""
    array = np.ascontiguousarray(values, dtype)
    strides = [s // array.itemsize for s in array.strides]
    storage = Storage(array.ravel(), f"torch.{kind}Storage")
    return View(list(array.shape), strides, 1, storage, f"torch.{kind}Tensor")


def lua_list(items: Iterable[Any]) -> Fields:
    return dict(enumerate(items, start=1))


def dump(value: object, *, ascii: bool = False, long_size: int = 8) -> bytes:
    """The bytes of a file that holds one record."""
    writer = _Writer(ascii, long_size)
    writer.record(value)
    return bytes(writer.data)


class _Writer:
    def __init__(self, ascii: bool, long_size: int) -> None:
        self.data = bytearray()
        self._ascii, self._long = ascii, {8: "q", 4: "i"}[long_size]
        self._indices: dict[int, int] = {}

    def _numbers(self, letter: str, values: Iterable[float]) -> None:
        values = list(values)
        if not self._ascii:
            self.data += struct.pack(f"<{len(values)}{letter}", *values)
        elif values:
            words = (f"{v:.9g}" if letter in "fd" else str(v) for v in values)
            self.data += " ".join(words).encode() + b"\n"

    def _int(self, value: int) -> None:
        self._numbers("i", [value])

    def _string(self, text: bytes) -> None:
        self._int(len(text))
        self.data += text + (b"\n" if self._ascii and text else b"")

    def record(self, value: object) -> None:
        if value is None:
            self._int(0)
        elif isinstance(value, bool):
            self._int(5)
            self._int(int(value))
        elif isinstance(value, int | float):
            self._int(1)
            self._numbers("d", [value])
        elif isinstance(value, str):
            self._int(2)
            self._string(value.encode())
        elif isinstance(value, Function):
            self._function(value)
        else:
            self._referable(value)

    def _function(self, value: Function) -> None:
        self._int(value.tag)
        if value.tag != 6:
            self._int(self._index(value))
        self._string(b"\x1bLJ compiled code")
        self.record({1: "an upvalue"})

    def _index(self, value: object) -> int:
        return self._indices.setdefault(id(value), len(self._indices) + 1)

    def _referable(self, value: Any) -> None:
        self._int(3 if isinstance(value, Mapping) else 4)
        is_known = id(value) in self._indices
        self._int(self._index(value))
        if is_known:
            return
        if isinstance(value, Mapping):
            self._int(len(value))
            for key, item in value.items():
                self.record(key)
                self.record(item)
        elif isinstance(value, Object):
            self._class(value.name, value.version)
            self.record(value.fields)
        elif isinstance(value, View):
            self._class(value.kind)
            self._int(len(value.sizes))
            for longs in (value.sizes, value.strides, [value.offset]):
                self._numbers(self._long, longs)
            self.record(value.storage)
        else:
            self._class(value.kind)
            self._storage(value)

    def _class(self, name: str, version: str | None = "V 1") -> None:
        if version is not None:
            self._string(version.encode())
        self._string(name.encode())

    def _storage(self, storage: Storage) -> None:
        values = storage.values
        self._numbers(self._long, [len(values)])
        letter = self._long if values.dtype == np.int64 else values.dtype.char.replace("l", "q")
        if self._ascii and letter in "bB":
            self.data += values.tobytes() + (b"\n" if len(values) else b"")
        elif self._ascii and letter == "e":
            self._numbers("f", values.tolist())
        else:
            self._numbers(letter, values.tolist())
