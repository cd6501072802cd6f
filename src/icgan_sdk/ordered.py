"""Work for one item after another, some at once, whose results come in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(items: Iterable[T], work: Callable[[T], R], at_once: int) -> Iterator[Callable[[], R]]:
    """What gives each item's result, or raises its error.

    Few items are ahead of the one that is asked for, so that memory stays bounded.

    Args:
        items: Taken one by one, in the caller's thread.
        work: Done in threads, unless `at_once` is 1.
        at_once: Items that are worked on at the same time.
    """
    if at_once == 1:
        for item in items:
            yield partial(work, item)
        return
    waiting: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(at_once)
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * at_once:
                yield waiting.popleft().result
        while waiting:
            yield waiting.popleft().result
    finally:
        pool.shutdown(cancel_futures=True)
