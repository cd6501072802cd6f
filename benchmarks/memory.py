"""Memory of `icgan edit` by the number of pictures in a folder, in processes of their own.

python benchmarks/memory.py [--counts 100 1000 5000]

The peak must not grow with the count. Pictures are copies of the example's face.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "examples" / "astronaut.jpg"
WORKER = """
import resource, sys
from icgan_sdk.cli.main import run
status = run(["edit", sys.argv[1] + "/*.jpg", "Smiling=0", "-o", sys.argv[2]])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


def peak(count: int) -> float:
    """Most memory that an edit of so many pictures has, MiB."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "in"
        folder.mkdir()
        (folder / "0.jpg").write_bytes(EXAMPLE.read_bytes())
        for number in range(1, count):
            os.link(folder / "0.jpg", folder / f"{number}.jpg")
        done = subprocess.run(
            [sys.executable, "-c", WORKER, str(folder), str(Path(temporary) / "out")],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert len(list((Path(temporary) / "out").iterdir())) == count
    return int(done.stderr.split()[-1]) / 1024


def main() -> None:
    """Print a row for each count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 1000, 5000])
    print("| pictures | peak memory, MiB |\n|---:|---:|")
    for count in parser.parse_args().counts:
        print(f"| {count:,} | {peak(count):.0f} |", flush=True)


if __name__ == "__main__":
    main()
