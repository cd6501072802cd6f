"""Reporting how far the work is, and how long its parts take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Watcher = Callable[[str, int, int], None]
"""Called with the name of a part of the work, the units done, and the units in all."""


def ignore(part: str, done: int, total: int) -> None:
    """A watcher that does nothing."""


class Stopwatch:
    """Adds up the time each part of the work takes.

    Parts may contain parts. A second counts for the innermost part only, so the sum over all
    parts is the whole time.

    Attributes:
        seconds: Time by part, in the order in which the parts first ran.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._running: list[str] = []
        self._since = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time of the block for a part."""
        self._count()
        self._running.append(name)
        self.seconds.setdefault(name, 0.0)
        try:
            yield
        finally:
            self._count()
            self._running.pop()

    def _count(self) -> None:
        now = time.perf_counter()
        if self._running:
            self.seconds[self._running[-1]] += now - self._since
        self._since = now
