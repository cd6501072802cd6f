"""Every write fails once: the old state stays, the error is ours, nothing is left behind."""

import builtins
import errno
import io
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fault_parts.jobs import JOBS
from fault_parts.rounds import Round, leftovers
from icgan_sdk.errors import IcGANError

ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOENT, errno.EIO)
CALLS = ("open", "fsync", "replace", "mkdir")
WRITING = set("wax+")


class Fault:
    """Lets one call that writes fail, below a folder.

    Attributes:
        calls: How many there were so far.
    """

    def __init__(self, folder: Path, at: int, error: int) -> None:
        self.calls, self._folder, self._at, self._error = 0, str(folder), at, error

    def meet(self, path: object) -> None:
        """Count a call; raise if it is the one."""
        if isinstance(path, (str, os.PathLike)) and not str(path).startswith(self._folder):
            return
        self.calls += 1
        if self.calls == self._at:
            raise OSError(self._error, os.strerror(self._error), str(path))


@contextmanager
def failing(fault: Fault) -> Iterator[None]:
    """Put the fault in front of what writes files."""
    real = {"open": builtins.open, **{name: getattr(os, name) for name in CALLS[1:]}}

    def opened(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if WRITING & set(mode):
            fault.meet(file)
        return real["open"](file, mode, *rest, **named)

    def before(name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            fault.meet(arguments[0])
            return real[name](*arguments, **named)

        return call

    builtins.open = io.open = opened
    for name in CALLS[1:]:
        setattr(os, name, before(name))
    try:
        yield
    finally:
        builtins.open = io.open = real["open"]
        for name in CALLS[1:]:
            setattr(os, name, real[name])


def make(folder: Path) -> Round:
    """Rounds that let one of a job's writes fail, over what the job left before."""
    jobs = []
    for job in JOBS:
        prepared = job.prepare(folder / job.name)
        job.work(prepared, prepared / "whole")
        counter = Fault(prepared, 0, 0)
        with failing(counter):
            job.work(prepared, prepared / "counted")
        shutil.rmtree(prepared / "counted")
        jobs.append((job, prepared, counter.calls))

    def fail_one(chance: random.Random) -> str:
        job, prepared, calls = chance.choice(jobs)
        target = prepared / "target"
        shutil.rmtree(target, ignore_errors=True)
        if chance.random() < 0.5 and job.name != "train":
            shutil.copytree(prepared / "whole", target)  # is replaced
        error = chance.choice(ERRORS)
        outcome = "nothing noticed"
        with failing(Fault(prepared, chance.randint(1, calls), error)):
            try:
                job.work(prepared, target)
            except IcGANError:
                outcome = "told"
        job.check(target)
        if outcome == "nothing noticed" and target.exists():
            job.compare(prepared / "whole", target)
        job.work(prepared, target)
        job.compare(prepared / "whole", target)
        if left := leftovers(prepared):
            raise AssertionError(f"{job.name} left {', '.join(left)}")
        return f"{job.name}: {errno.errorcode[error]} {outcome}"

    return fail_one
