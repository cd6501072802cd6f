"""Mutated Torch7 files through the conversion: only our own errors, or a valid model.

python benchmarks/torch7_fuzz.py FOLDER [--files 10000] [--seed 0]

FOLDER holds the original code's files in sets named as in SETS. Each round takes a set, damages one
of its files and converts the set. Prints counts, the longest time and the peak of memory, and that
of the imports alone. The status is 1 after any other error, which is shown with its round, and
--only ROUND repeats that.
"""

import argparse
import random
import re
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from icgan_sdk.artefacts import from_torch7
from icgan_sdk.errors import IcGANError

SETS: dict[str, dict[str, str]] = {
    **{
        name: {
            "generator": f"{name}/{name}_G.t7",
            "encoder_z": f"{name}/{name}_encZ.t7",
            "encoder_y": f"{name}/{name}_encY.t7",
            "discriminator": f"{name}/{name}_D.t7",
        }
        for name in ("tiny", "mnist_tiny", "tiny_gpu", "tiny_legacy")
    },
    "ascii": {
        "generator": "tiny/tiny_G_ascii.t7",
        "encoder_z": "tiny/tiny_encZ.t7",
        "encoder_y": "tiny/tiny_encY_ascii.t7",
    },
    "refreshed": {
        "generator": "tiny/tiny_G_bnrefreshed.t7",
        "encoder_z": "tiny/tiny_encZ.t7",
        "encoder_y": "tiny/tiny_encY.t7",
    },
    "sng": {"generator": "tiny/tiny_G.t7", "encoder_z": "alt/tiny_encSNG.t7"},
    "ind_cond": {
        "generator": "tiny/tiny_G.t7",
        "encoder_z": "alt/tiny_encINDCOND.t7",
        "encoder_y": "tiny/tiny_encY.t7",
    },
}
EXTREMES = (0, 1, 2, 3, 4, 8, 255, 2**16, 2**31 - 1, -1, -(2**31), 2**30)
WORDS = [*map(str, EXTREMES), "9" * 30, "1e999", "nan", "-inf", "x", "", "1 2", "0x10", "1.5"]
MUTATIONS = ("bits", "bytes", "length", "cut", "insert", "remove", "repeat", "exchange")


def mutate(data: bytes, chance: random.Random) -> tuple[str, bytes]:
    """One kind of damage, once or several times, mostly where the file has its structure."""
    kind = chance.choice(MUTATIONS)
    is_ascii = data[:2] == b"4\n"
    structure = [m.start() for m in re.finditer(rb"V 1|\n\d+\n", data)] or [0]
    found = bytearray(data)
    for _ in range(1 if kind == "cut" else chance.choice([1, 1, 1, 2, 5, 20])):
        if not found:
            break
        at = chance.choice(structure) + chance.randint(-40, 90)
        at = at if chance.random() < 0.8 else chance.randrange(len(data))
        damage(kind, found, min(max(at, 0), len(found) - 1), is_ascii, chance)
    return kind, bytes(found)


def damage(kind: str, data: bytearray, at: int, is_ascii: bool, chance: random.Random) -> None:
    """Change the data in place around a position."""
    size = chance.choice([1, 4, 8, 50, 1000])
    if kind == "bits":
        data[at] ^= 1 << chance.randrange(8)
    elif kind == "bytes":
        data[at : at + size] = chance.randbytes(len(data[at : at + size]))
    elif kind == "length" and is_ascii:
        line_end = data.find(b"\n", at)
        next_end = data.find(b"\n", line_end + 1)
        data[line_end + 1 : max(next_end, line_end + 1)] = chance.choice(WORDS).encode()
    elif kind == "length":
        width = chance.choice([4, 8])
        data[at : at + width] = chance.choice(EXTREMES).to_bytes(width, "little", signed=True)
    elif kind == "cut":
        del data[at:]
    elif kind == "insert":
        data[at:at] = chance.randbytes(size)
    elif kind == "remove":
        del data[at : at + size]
    elif kind == "repeat":
        data[at:at] = data[at : at + size] * chance.randint(1, 20)
    else:
        other = chance.randrange(len(data))
        data[at : at + size], data[other : other + size] = (
            data[other : other + size],
            data[at : at + size],
        )


def convert(folder: Path, set_name: str, part: str, damaged: Path) -> str:
    """Convert a set with one file replaced; what came of it, in a word or two."""
    files = {name: folder / path for name, path in SETS[set_name].items()} | {part: damaged}
    attributes = "mnist" if set_name == "mnist_tiny" else "celeba18"
    try:
        networks = from_torch7(
            files["generator"],
            files["encoder_z"],
            files.get("encoder_y"),
            discriminator=files.get("discriminator"),
            attributes=attributes,
        )
    except IcGANError as error:
        if not str(error).isprintable():
            raise ValueError("a message of several lines") from error
        return type(error).__name__
    if not all(bool(t.isfinite().all()) for t in networks.state_dict().values()):
        raise ValueError("values that are not finite")
    return "valid"


def peak_memory() -> float:
    """Most memory this process ever had, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Run the rounds and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="Repeat one round.")
    arguments = parser.parse_args()
    outcomes: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    slowest, failures, before = (0.0, 0), 0, peak_memory()
    rounds = range(arguments.files) if arguments.only is None else [arguments.only]
    with tempfile.TemporaryDirectory() as temporary:
        damaged = Path(temporary) / "damaged.t7"
        for number in rounds:
            chance = random.Random(f"{arguments.seed}/{number}")
            set_name = chance.choice(list(SETS))
            part = chance.choice(list(SETS[set_name]))
            original = (arguments.folder / SETS[set_name][part]).read_bytes()
            kind, data = mutate(original, chance)
            damaged.write_bytes(data)
            start = time.process_time()  # which other load hardly changes
            try:
                outcome = convert(arguments.folder, set_name, part, damaged)
            except Exception:
                outcome, failures = "OTHER ERROR", failures + 1
                print(f"round {number}: {set_name}, {part}, {kind}")
                traceback.print_exc()
            slowest = max(slowest, (time.process_time() - start, number))
            outcomes[outcome] += 1
            by_kind[f"{kind} {outcome}"] += 1
    print(dict(outcomes), dict(sorted(by_kind.items())), sep="\n")
    print(f"longest {slowest[0]:.3f} s of processor time (round {slowest[1]})")
    print(f"peak {peak_memory():.0f} MiB, of which {before:.0f} before")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
