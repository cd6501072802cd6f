"""What the commands say on stderr, and going on after one bad input."""

import sys
from collections.abc import Callable, Iterable
from typing import TypeVar

import typer

from icgan_sdk.errors import ImageError

T = TypeVar("T")


def report(problem: object) -> None:
    """Say in one line on stderr what went wrong."""
    print(f"icgan: error: {' '.join(str(problem).split())}", file=sys.stderr)


def for_each(items: Iterable[T], work: Callable[[T], None]) -> None:
    """Do the work for every item; report pictures that can't be read and go on.

    Raises:
        typer.Exit: With status 1 at the end, if any picture could not be read.
    """
    failed = False
    for item in items:
        try:
            work(item)
        except ImageError as error:
            report(error)
            failed = True
    if failed:
        raise typer.Exit(1)
