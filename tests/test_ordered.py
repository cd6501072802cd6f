"""Several items at the same time: results in order, few ahead."""

import threading
import time

import pytest

from icgan_sdk.errors import ImageError
from icgan_sdk.ordered import in_order


@pytest.mark.parametrize("at_once", [1, 3])
def test_results_come_in_order_whoever_is_done_first(at_once: int) -> None:
    def work(number: int) -> int:
        time.sleep(0.02 if number % 3 == 0 else 0)
        if number == 4:
            raise ImageError("four is bad")
        return number

    found: list[int | str] = []
    for done in in_order(range(9), work, at_once):
        try:
            found.append(done())
        except ImageError as error:
            found.append(str(error))
    assert found == [0, 1, 2, 3, "four is bad", 5, 6, 7, 8]


def test_few_are_ahead_and_nothing_more_begins_when_the_rest_is_not_wanted() -> None:
    begun: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> None:
        with lock:
            begun.append(number)

    results = in_order(range(1000), work, 2)
    for _ in range(5):
        next(results)()
    results.close()  # type: ignore[attr-defined]
    assert len(begun) < 20
