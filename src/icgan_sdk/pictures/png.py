"""What Pillow does not tell of a PNG, or refuses it for: colour signals and large texts."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import IO, NamedTuple

from PIL import PngImagePlugin

SIGNATURE = b"\x89PNG\r\n\x1a\n"

PACKED = {b"zTXt", b"iTXt", b"iCCP"}
"""Chunks whose contents may be compressed."""

SPARE = {*PACKED, b"tEXt"}
"""Chunks without which the picture is the same."""


class Chunk(NamedTuple):
    """One part of a PNG file.

    Attributes:
        kind: Its four letters.
        at: Where its length stands in the file.
        size: Bytes of its contents.
    """

    kind: bytes
    at: int
    size: int


class ColourSignal(NamedTuple):
    """A cICP chunk: the colours' meaning by numbers (ITU-T H.273).

    Attributes:
        primaries: 1 those of sRGB, 9 of BT.2020, 12 of Display P3.
        transfer: 13 that of sRGB, 16 PQ and 18 HLG (both HDR).
    """

    primaries: int
    transfer: int


def is_png(file: IO[bytes]) -> bool:
    """Whether a file begins as a PNG; it is read from the beginning again afterwards."""
    file.seek(0)
    found = file.read(len(SIGNATURE)) == SIGNATURE
    file.seek(0)
    return found


def colour_signal(file: IO[bytes]) -> ColourSignal | None:
    """The cICP chunk of a PNG, if it has one."""
    for chunk in _chunks(file):
        if chunk.kind == b"IDAT":  # it stands before the pixels
            return None
        if chunk.kind == b"cICP" and chunk.size == 4:
            primaries, transfer, _, _ = _contents(file, chunk)
            return ColourSignal(primaries, transfer)
    return None


def without_large_texts(file: IO[bytes]) -> IO[bytes]:
    """A PNG that Pillow opens: without texts and profiles that are larger than it unpacks.

    They are unpacked no further than that limit.

    Returns:
        The file itself where there are none.
    """
    spare, total = [], 0
    for chunk in _chunks(file):
        if chunk.kind in SPARE:
            size = _unpacked(_contents(file, chunk), chunk.kind)
            total += size
            if size > PngImagePlugin.MAX_TEXT_CHUNK or total > PngImagePlugin.MAX_TEXT_MEMORY // 2:
                spare.append(chunk)
    if not spare:
        file.seek(0)
        return file
    file.seek(0)
    data, kept, at = file.read(), bytearray(), 0
    for chunk in spare:
        kept += data[at : chunk.at]
        at = chunk.at + chunk.size + 12
    return BytesIO(bytes(kept + data[at:]))


def _chunks(file: IO[bytes]) -> Iterator[Chunk]:
    at = len(SIGNATURE)
    while True:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        size, kind = struct.unpack(">I4s", head)
        yield Chunk(kind, at, size)
        if kind == b"IEND":
            return
        at += size + 12


def _contents(file: IO[bytes], chunk: Chunk) -> bytes:
    file.seek(chunk.at + 8)
    return file.read(chunk.size)


def _unpacked(contents: bytes, kind: bytes) -> int:
    """Bytes of a text or profile, or one more than Pillow takes."""
    limit = PngImagePlugin.MAX_TEXT_CHUNK + 1
    _, _, rest = contents.partition(b"\0")
    if kind == b"iTXt":
        packed, rest = rest[:1] == b"\1", rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        packed, rest = kind in PACKED, rest[1:] if kind in PACKED else rest
    if not packed:
        return len(rest)
    try:
        return len(zlib.decompressobj().decompress(rest, limit))
    except zlib.error:
        return 0  # damaged ones Pillow leaves aside itself
