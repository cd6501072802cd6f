"""Files of uploads and results, kept within a bound however many visitors come."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MOST_BYTES = 200_000_000
"""Of all files together: some thousand results, or ten of the largest uploads."""

PAUSE = 5.0
"""Seconds between two looks."""


def trim(folder: Path, most: int = MOST_BYTES) -> None:
    """Remove the oldest files until the rest is no more than `most` bytes.

    Args:
        folder: With its subfolders.
        most: Bytes of all files together.
    """
    found = []
    for path in folder.rglob("*"):
        with suppress(OSError):  # others remove files too
            if path.is_file():
                status = path.stat()
                found.append((status.st_mtime, path, status.st_size))
    total = sum(size for _, _, size in found)
    for _, path, size in sorted(found):
        if total <= most:
            return
        with suppress(OSError):
            path.unlink()
            total -= size


@contextmanager
def trimmed(folder: Path) -> Iterator[None]:
    """Look at the folder again and again while the context lasts.

    Args:
        folder: With its subfolders.
    """
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(PAUSE):
            trim(folder)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield
    finally:
        ended.set()
        looking.join()
