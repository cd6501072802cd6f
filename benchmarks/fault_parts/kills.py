"""kill -9 at random moments: what was finished is intact, what goes on ends as uninterrupted."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import torch

from fault_parts.jobs import JOBS
from fault_parts.measuring import MEASURING
from fault_parts.rounds import Round, leftovers

LONGEST = 300.0
"""Seconds after which work that isn't disturbed any more must have ended."""


def make(folder: Path) -> Round:
    """Rounds that kill a job up to three times, then let it end, and compare what it left."""
    torch.set_num_threads(1)  # threads don't survive a fork
    jobs = []
    for job in (*JOBS, *MEASURING):
        prepared = job.prepare(folder / job.name)
        start = time.perf_counter()
        job.work(prepared, prepared / "whole")
        jobs.append((job, prepared, time.perf_counter() - start))

    def kill_one(chance: random.Random) -> str:
        job, prepared, length = chance.choice(jobs)
        target = prepared / f"killed-{chance.random()}"
        hits = 0
        for _ in range(chance.randint(1, 3)):
            hits += _killed(lambda: job.work(prepared, target), chance.uniform(0, length))
            job.check(target)
        assert not _killed(lambda: job.work(prepared, target), LONGEST), f"{job.name} didn't end"
        job.compare(prepared / "whole", target)
        if left := leftovers(prepared):
            raise AssertionError(f"{job.name} left {', '.join(left)}")
        return f"{job.name}: killed {hits} times"

    return kill_one


def _killed(work: Callable[[], None], after: float) -> bool:
    """Whether the work was killed before its end."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    end = time.monotonic() + after
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True
