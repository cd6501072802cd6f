"""Reading and scaling many pictures in order, in this process or in worker processes."""

import math
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import numpy.typing as npt
from PIL import Image

from icgan_sdk.errors import DatasetError, ImageError

CHUNK_BYTES = 2**20
"""Size of what a worker returns at a time: large enough to hide the cost of sending it."""

CHUNKS_AHEAD = 4
"""Chunks in progress per worker. The limit keeps memory from growing with the data set."""

Pixels = npt.NDArray[np.uint8]

ReadPicture = Callable[[str], Image.Image]
"""Opens the picture of a name, cuts and scales it. Picklable; raises ImageError."""


def read_all(
    names: Sequence[str], read: ReadPicture, shape: tuple[int, ...], workers: int
) -> Iterator[Pixels | str]:
    """The pixels of each picture in order, or the reason why it can't be read."""
    step = max(1, CHUNK_BYTES // math.prod(shape))
    chunks = (names[start : start + step] for start in range(0, len(names), step))
    if workers > 1:
        return _read_in_workers(chunks, read, workers)
    return (result for chunk in chunks for result in _read_chunk(read, chunk))


def _read_in_workers(
    chunks: Iterable[Sequence[str]], read: ReadPicture, workers: int
) -> Iterator[Pixels | str]:
    # Spawned, because torch's threads don't survive a fork.
    context = multiprocessing.get_context("spawn")
    pending: deque[Future[list[Pixels | str]]] = deque()
    try:
        with ProcessPoolExecutor(workers, context, _start_worker, (read,)) as pool:
            for chunk in chunks:
                pending.append(pool.submit(_work, chunk))
                if len(pending) >= workers * CHUNKS_AHEAD:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
    except BrokenProcessPool as error:
        raise DatasetError(
            "a worker process died; try workers=1. (Out of memory? Or a script that starts "
            'workers without `if __name__ == "__main__":`?)'
        ) from error


_reader: ReadPicture  # set in worker processes only; each opens an archive once


def _start_worker(read: ReadPicture) -> None:
    global _reader  # noqa: PLW0603  an initialiser can pass on its arguments in no other way
    _reader = read
    # Ctrl-C reaches every process of a terminal. This one ends when the main process ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # If the main process is killed, its workers would wait for work for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(names: Sequence[str]) -> list[Pixels | str]:
    return _read_chunk(_reader, names)


def _read_chunk(read: ReadPicture, names: Sequence[str]) -> list[Pixels | str]:
    return [_read_one(read, name) for name in names]


def _read_one(read: ReadPicture, name: str) -> Pixels | str:
    try:
        pixels = np.asarray(read(name))
    except ImageError as error:
        return str(error)
    return pixels if pixels.ndim == 3 else pixels[..., None]
