"""A campaign of real faults against the package: what was tried, and what was lost.

    python benchmarks/faults.py                    # all parts, for about half an hour
    python benchmarks/faults.py --short            # a minute
    python benchmarks/faults.py --part kills --rounds 500 --seed 3
    python benchmarks/faults.py --part writes --only 17    # one round again

Everything follows from the seed, but for the moments of kills, which time decides too. The status
is 1 after any loss, which is shown with the round that repeats it.
"""

import argparse
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fault_parts import artefacts, folders, kills, pictures, tables, torch7, uploads, writes
from fault_parts.rounds import Round, peak_memory, run_rounds


class Part(NamedTuple):
    """A part of the campaign.

    Attributes:
        make: Prepares a folder and gives the round.
        rounds: Of the whole campaign.
        short: Of the short one.
        what: What is done, in a few words.
        slow: Seconds a round may take.
    """

    make: Callable[[Path], Round | None]
    rounds: int
    short: int
    what: str
    slow: float = 5.0


PARTS = {
    "kills": Part(
        kills.make, 200, 6, "kill -9 of training, preparation, evaluation, study, export …", 120.0
    ),
    "writes": Part(writes.make, 500, 20, "one write fails: disk full, quota, rights …", 60.0),
    "pictures": Part(pictures.make, 10_000, 300, "damaged pictures, edited"),
    "uploads": Part(uploads.make, 2000, 20, "damaged pictures, sent to the running demo"),
    "tables": Part(tables.make, 2000, 40, "damaged CSV files and CelebA lists, prepared"),
    "artefacts": Part(artefacts.make, 2000, 100, "damaged models, loaded"),
    "torch7": Part(torch7.make, 10_000, 60, "damaged Torch7 files, converted"),
    "data": Part(folders.make_data, 1000, 100, "damaged data sets, read"),
    "runs": Part(folders.make_runs, 500, 8, "damaged runs, resumed", 60.0),
}


def main() -> int:
    """Run the parts and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=PARTS, action="append", help="Only these.")
    parser.add_argument("--rounds", type=int, help="Of each part.")
    parser.add_argument("--short", action="store_true", help="Few rounds.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="Repeat one round.")
    arguments = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, seed {arguments.seed}")
    print("| part | what | tried | lost | longest round |\n|---|---|---:|---:|---:|")
    losses = 0
    for name in arguments.part or PARTS:
        part = PARTS[name]
        count = arguments.rounds or (part.short if arguments.short else part.rounds)
        numbers = range(count) if arguments.only is None else [arguments.only]
        report = run_rounds(name, part.make, numbers, arguments.seed, part.slow)
        if report is None:
            print(f"| {name} | {part.what} | – | – | – |")
            continue
        losses += len(report.lost)
        row = f"| {report.tried:,} | {len(report.lost)} | {report.slowest:.2f} s |"
        print(f"| {name} | {part.what} {row}", flush=True)
        for number, reason in list(report.lost.items())[:10]:
            print(f"round {number} of {name}:\n{reason}", file=sys.stderr)
    print(f"most memory: {peak_memory():.0f} MiB")
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main())
