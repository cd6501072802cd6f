"""Rounds of a part of the campaign: each has a random source of its own, and is repeatable."""

import os
import random
import resource
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

Round = Callable[[random.Random], str]
"""Does one round and says in a few words what came of it; what it raises is a loss."""

SLOW = 5.0
"""Seconds that no round of damaged input may take."""


@dataclass
class Report:
    """What a part found.

    Attributes:
        tried: Rounds.
        lost: What went wrong, by round.
        outcomes: How often what came of a round.
        slowest: Seconds of the longest round.
    """

    tried: int = 0
    lost: dict[int, str] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


def run_rounds(
    name: str,
    make: Callable[[Path], Round | None],
    numbers: Iterable[int],
    seed: int,
    slow: float = SLOW,
) -> Report | None:
    """Run a part.

    Args:
        name: Of the part; goes into the randomness.
        make: Prepares a folder, and gives the round; None: the part can't run here.
        numbers: Of the rounds.
        seed: Of the campaign.
        slow: Seconds beyond which a round is a loss.
    """
    report = Report()
    with tempfile.TemporaryDirectory() as temporary:
        one = make(Path(temporary))
        if one is None:
            return None
        for number in numbers:
            start = time.perf_counter()
            try:
                report.outcomes[one(random.Random(f"{name}/{seed}/{number}"))] += 1
            except Exception:
                report.lost[number] = traceback.format_exc()
            report.tried += 1
            took = time.perf_counter() - start
            report.slowest = max(report.slowest, took)
            if took > slow:
                report.lost.setdefault(number, f"took {took:.1f} s")
    return report


def shared(path: str) -> Path | None:
    """A folder of the data that tests share, if it is here."""
    root = os.environ.get("ICGAN_SHARED")
    folder = Path(root) / path if root else Path(__file__).parents[3] / "shared" / path
    return folder if folder.is_dir() else None


def peak_memory() -> float:
    """Most memory this process ever had, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def leftovers(folder: Path) -> list[str]:
    """Temporary files and folders that something left."""
    return sorted(
        str(p.relative_to(folder))
        for p in folder.rglob(".*")
        if ".tmp" in p.name or ".old." in p.name or p.is_dir()
    )
