"""Reading numbers, strings and arrays from a ``.t7`` file, binary or ASCII, within its bounds."""

import re
import struct
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]

_PIECE = 1 << 20
_TOKEN = re.compile(rb"\s*([^\s]{1,64})(?!\S)(\r?\n)?")
_INTEGER = re.compile(rb"-?\d{1,20}")
_BYTES = (np.dtype(np.uint8), np.dtype(np.int8))


class DamagedError(ValueError):
    """The file breaks off, or holds something that can't be there."""


class Tokens(Protocol):
    """Reads a file from start to end. Every method raises `DamagedError` where the file ends."""

    def integer(self) -> int:
        """A C int: type tags, lengths, indices."""
        ...

    def number(self) -> float:
        """A C double."""
        ...

    def longs(self, count: int) -> list[int]:
        """C longs: sizes, strides, offsets."""
        ...

    def raw(self, count: int) -> bytes:
        """Characters."""
        ...

    def array(self, dtype: np.dtype[np.generic], count: int) -> Array:
        """The elements of a storage."""
        ...

    def remaining(self) -> int:
        """Bytes not read yet."""
        ...


def readings_of(data: bytes) -> list[Tokens]:
    """The readers that fit a file's first bytes, the likeliest first.

    Raises:
        DamagedError: If no Torch7 file begins like this.
    """
    if len(data) >= 4 and data[0] <= 8 and data[1:4] == b"\0\0\0":
        # Only a 32-bit machine writes longs of 4 bytes; the file doesn't say it.
        return [BinaryTokens(data, 8), BinaryTokens(data, 4)]
    if re.match(rb"[0-8]\r?\n", data):
        return [AsciiTokens(data)]
    raise DamagedError("is no Torch7 file")


class BinaryTokens:
    """The binary form: little-endian, back to back.

    Args:
        data: The file.
        long_size: Bytes of a long, 8 or 4.
    """

    def __init__(self, data: bytes, long_size: int) -> None:
        self._data, self._at = data, 0
        self._long = {4: "i", 8: "q"}[long_size]

    def integer(self) -> int:
        """An int of 4 bytes."""
        return self._unpack("i", 1)[0]

    def number(self) -> float:
        """A double of 8 bytes."""
        return float(struct.unpack_from("<d", self._data, self._advance(8))[0])

    def longs(self, count: int) -> list[int]:
        """Longs of 4 or 8 bytes."""
        return self._unpack(self._long, count)

    def raw(self, count: int) -> bytes:
        """Characters."""
        at = self._advance(count)
        return self._data[at : at + count]

    def array(self, dtype: np.dtype[np.generic], count: int) -> Array:
        """A view of the file's bytes, no copy."""
        if dtype == np.int64 and self._long == "i":
            dtype = np.dtype(np.int32)
        at = self._advance(count * dtype.itemsize)
        return np.frombuffer(self._data, dtype.newbyteorder("<"), count, at)

    def remaining(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    def _unpack(self, letter: str, count: int) -> list[int]:
        at = self._advance(count * struct.calcsize(f"<{letter}"))
        return list(struct.unpack_from(f"<{count}{letter}", self._data, at))

    def _advance(self, count: int) -> int:
        if not 0 <= count <= self.remaining():
            raise DamagedError(
                f"breaks off at byte {self._at}, where {count} bytes should follow"
                if count >= 0
                else f"has a negative length at byte {self._at}"
            )
        at, self._at = self._at, self._at + count
        return at


class AsciiTokens:
    """The ASCII form: the same as text, one number or array a line."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def integer(self) -> int:
        """A whole number."""
        token = self._token()
        if not _INTEGER.fullmatch(token):
            raise DamagedError(f"has no whole number before byte {self._at}")
        return int(token)

    def number(self) -> float:
        """A number, also nan or inf."""
        try:
            return float(self._token())
        except ValueError:
            raise DamagedError(f"has no number before byte {self._at}") from None

    def longs(self, count: int) -> list[int]:
        """Whole numbers."""
        return [self.integer() for _ in range(count)]

    def raw(self, count: int) -> bytes:
        """Characters as they are, and the end of the line after them."""
        if not 0 <= count <= self.remaining():
            raise DamagedError(f"has a string of {count} characters before byte {self._at}")
        found = self._data[self._at : self._at + count]
        self._at += count
        if count:
            self._end_line()
        return found

    def array(self, dtype: np.dtype[np.generic], count: int) -> Array:
        """The numbers of a line; bytes and chars stand there as they are."""
        if count == 0 or dtype in _BYTES:
            return np.frombuffer(self.raw(count), dtype)
        end = self._data.find(b"\n", self._at)
        end = len(self._data) if end < 0 else end
        if not 0 <= 2 * count - 1 <= end - self._at:  # a number is a digit and a space
            raise DamagedError(f"has no {count} numbers in the line at byte {self._at}")
        found = np.empty(count, dtype)
        filled = 0
        for values in self._values(end):
            if filled + len(values) > count:
                raise DamagedError(f"has more than {count} numbers in the line before byte {end}")
            with np.errstate(over="ignore", invalid="ignore"):
                found[filled : filled + len(values)] = values
            filled += len(values)
        if filled < count:
            raise DamagedError(f"has {filled} numbers instead of {count} before byte {end}")
        self._at = min(end + 1, len(self._data))
        return found

    def remaining(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    def _values(self, end: int) -> Iterator[npt.NDArray[np.float64]]:
        # In pieces, because a list of all words would take many times the file's size.
        at = self._at
        while at < end:
            cut = self._data.find(b" ", min(at + _PIECE, end), end)
            cut = end if cut < 0 else cut
            try:
                yield np.array([float(word) for word in self._data[at:cut].split()], np.float64)
            except ValueError:
                raise DamagedError(f"has something else than numbers after byte {at}") from None
            at = cut

    def _token(self) -> bytes:
        match = _TOKEN.match(self._data, self._at)
        if match is None:
            raise DamagedError(f"has no number after byte {self._at}")
        self._at = match.end()
        return match[1]

    def _end_line(self) -> None:
        for ending in (b"\r\n", b"\n"):
            if self._data.startswith(ending, self._at):
                self._at += len(ending)
                return
