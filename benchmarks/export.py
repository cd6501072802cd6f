"""Edits under onnxruntime beside edits under PyTorch: same pictures? how long?

    python benchmarks/export.py [MODEL ...] [--rounds 30] [--cores N] [--short]

Exports each model to a temporary folder and edits generated pictures with both, by turns; a ratio
below 1 means that onnxruntime takes less. Ratios of wall time and of processor time are medians
over rounds of (onnxruntime / PyTorch). Also the whole process of `icgan edit` both ways.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

SHORT = "--short" in sys.argv
"""Only to see that everything runs."""
BATCHES = (1,) if SHORT else (1, 8, 64)
PROCESS_ROUNDS = 1 if SHORT else 5
FEWEST_ROUNDS = 1 if SHORT else 6
Spent = tuple[float, float]


def spend(function: Callable[[], object]) -> Spent:
    """Wall time and processor time of a call, in seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - processor


def by_turns(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int
) -> tuple[list[Spent], list[Spent]]:
    """What both spend in rounds, the one that begins changing; two rounds more don't count."""
    spent: tuple[list[Spent], list[Spent]] = ([], [])
    for number in range(rounds + 2):
        turns = [(0, ours), (1, theirs)]
        for which, function in turns if number % 2 else reversed(turns):
            spent[which].append(spend(function))
    return spent[0][2:], spent[1][2:]


def show(name: str, torch: list[Spent], onnx: list[Spent]) -> None:
    """One line of figures."""
    medians = [1e3 * statistics.median(wall for wall, _ in spent) for spent in (torch, onnx)]
    ratios = [
        statistics.median(b[kind] / a[kind] for a, b in zip(torch, onnx, strict=True) if a[kind])
        for kind in (0, 1)
        if any(a[kind] for a in torch)
    ]
    text = "  ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"  {name:<22} torch {medians[0]:8.1f} ms  onnx {medians[1]:8.1f} ms  ratio {text}")


def edits(model: str, folder: Path, rounds: int) -> None:
    """`IcGAN.edit` by torch and by onnxruntime, of pictures in memory."""
    import numpy as np

    from icgan_sdk import Detail, IcGAN

    torch = IcGAN.from_pretrained(model, device="cpu")
    onnx = IcGAN.from_pretrained(folder, runtime="onnx")
    wanted = {torch.attributes[0]: 1, torch.attributes[-1]: 0.5}
    levels = 0
    details: tuple[Detail, Detail] = ("generated", "photo")
    for batch, detail in product(BATCHES, details):
        pictures = torch.sample(batch, seed=batch)
        ours = partial(torch.edit, pictures, wanted, detail=detail)
        theirs = partial(onnx.edit, pictures, wanted, detail=detail)
        pairs = zip(
            torch.edit(pictures, wanted, detail=detail),
            onnx.edit(pictures, wanted, detail=detail),
            strict=True,
        )
        for pair in pairs:
            a, b = (np.asarray(picture, np.int16) for picture in pair)
            levels = max(levels, int(np.abs(a - b).max()))
        show(
            f"{detail}, batch {batch}", *by_turns(ours, theirs, max(FEWEST_ROUNDS, rounds // batch))
        )
    print(f"  largest difference of edited pictures: {levels} grey levels of 255")


def processes(model: str, folder: Path, scratch: Path) -> None:
    """The whole of `icgan edit`."""
    from icgan_sdk import IcGAN

    icgan = IcGAN.from_pretrained(model, device="cpu")
    icgan.sample(1, seed=0)[0].save(scratch / "in.png")
    command = [sys.executable, "-m", "icgan_sdk.cli.main", "edit", str(scratch / "in.png")]
    command += ["--set", f"{icgan.attributes[0]}=1", "-o", str(scratch / "out.png")]

    def run(*options: str) -> None:
        subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL)

    spent = by_turns(
        lambda: run("--model", model, "--device", "cpu", "--runtime", "torch"),
        lambda: run("--model", str(folder), "--runtime", "onnx"),
        PROCESS_ROUNDS,
    )
    # The processor time is that of children, which process_time doesn't count.
    wall = [[(seconds, 0.0) for seconds, _ in part] for part in spent]
    show("icgan edit", wall[0], wall[1])


def main() -> None:
    """Export, edit, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["mnist"] if SHORT else ["celeba", "mnist"])
    parser.add_argument("--rounds", type=int, default=1 if SHORT else 30)
    parser.add_argument("--short", action="store_true", help="Only see that everything runs.")
    parser.add_argument("--cores", type=int, help="Use only so many, where others are busy.")
    arguments = parser.parse_args()
    if arguments.cores:
        # Before torch and onnxruntime come in and count them for their threads.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.cores])

    from icgan_sdk.export import export_onnx

    with tempfile.TemporaryDirectory() as temporary:
        for model in arguments.models:
            folder = Path(temporary) / model
            differences = export_onnx(model, folder)
            print(f"{model}: milliseconds (wall), ratios of wall and of processor time")
            for name, difference in differences.items():
                size = (folder / name).stat().st_size / 2**20
                print(f"  {name:<22} {size:6.1f} MiB, largest difference {difference:.1e}")
            edits(model, folder, arguments.rounds)
            processes(model, folder, Path(temporary))


if __name__ == "__main__":
    main()
