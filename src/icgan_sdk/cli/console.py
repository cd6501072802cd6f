"""Streams that take all text, messages on stderr, and continuing after a bad input."""

import codecs
import errno
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO, TypeVar

import typer

from icgan_sdk.errors import (
    DataWarning,
    FontWarning,
    ImageError,
    NoFaceFoundError,
    PhotoWarning,
    SaveError,
)
from icgan_sdk.progress import Progress

T = TypeVar("T")

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""Why nothing more can be written, whatever its name."""

OURS = (DataWarning, FontWarning, PhotoWarning)
"""Warnings that are printed in one line."""


_ESCAPE = "icgan.escape"
"""Name of `_escape` among Python's handlers of encoding errors."""


def prepare_streams() -> None:
    """Let stdout and stderr take any text: other encodings than UTF-8, and closed streams too.

    Python has no stream where the parent process closed it, as launchers without a console do.
    """
    codecs.register_error(_ESCAPE, _escape)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Also takes the closed stream's number, which the next file would get otherwise.
            nowhere = Path(os.devnull).open("w", encoding="utf-8", errors=_ESCAPE)  # noqa: SIM115
            setattr(sys, name, nowhere)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ESCAPE)


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    # A file's name that isn't valid Unicode is printed with the bytes it has.
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.backslashreplace_errors(error)


def drop_streams() -> None:
    """Send what is still to be printed nowhere, after the reader of our output has gone."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # io.UnsupportedOperation is both
            stream.flush()
            continue
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def report(problem: object) -> None:
    """Say in one line on stderr what went wrong."""
    print(f"icgan: error: {' '.join(str(problem).split())}", file=sys.stderr)


def note(text: str) -> None:
    """Say in one line on stderr what is worth knowing, and no error."""
    print(f"icgan: {text}", file=sys.stderr)


def for_each(items: Iterable[T], work: Callable[[T], object]) -> None:
    """Do the work for every item. Report pictures that can't be read, used or written, and go on.

    Args:
        items: In the order in which their results are told.
        work: Gives what to print, or None.

    Raises:
        typer.Exit: With status 1 at the end, if there was any such picture.
    """
    failed = False
    for item in items:
        try:
            result = work(item)
        except (ImageError, NoFaceFoundError, SaveError) as error:
            if getattr(error.__cause__, "errno", None) in FULL:
                raise  # as all others would be
            report(error)
            failed = True
        else:
            if result is not None:
                print(result)
    if failed:
        raise typer.Exit(1)


@contextmanager
def our_warnings() -> Iterator[None]:
    """Print each warning of ours in one line, and equal ones only once."""
    shown: set[str] = set()

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if not issubclass(category, OURS):
            show_others(message, category, filename, lineno, file, line)
        elif str(message) not in shown:
            shown.add(str(message))
            print(f"icgan: warning: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        # Some cameras take pictures that large. Pillow refuses those twice as large.
        warnings.filterwarnings("ignore", message=r"Image size .* exceeds limit")
        show_others = warnings.showwarning
        for ours in OURS:
            warnings.simplefilter("always", ours)
        warnings.showwarning = show
        yield


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on stderr."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    bar = Bar(*Bar.get_default_columns(), MofNCompleteColumn(), console=console)
    with ExitStack() as shown:

        def update(done: int, total: int) -> None:
            if not bar.tasks:  # so that no bar stands above an error before the first picture
                shown.enter_context(bar)
                bar.add_task("pictures")
            bar.update(bar.task_ids[0], completed=done, total=total)

        yield update
