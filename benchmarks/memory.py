"""Memory by the number of pictures, edited, trained on or evaluated, and by a photo's pixels.

python benchmarks/memory.py [--work photo edit train evaluate] [--counts 1000 20000] [--short]

Each row is a process of its own. What is shown is the most memory of its own that it ever had: the
pages of the memory-mapped data are not in it, as the system takes those back when it needs them.
The peak must not grow with the count. Pictures to edit are copies of the example's face; data sets
are made up, of 128×128 to train on (200,000 of them take 20 GB of disk while they are written) and
of 64×64 to evaluate, and so are the small networks.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from icgan_sdk.artefacts.store import save_artefact
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.data import write_arrays
from icgan_sdk.model import IcGANNetworks

EXAMPLE = Path(__file__).parents[1] / "examples" / "astronaut.jpg"
SHORT = "--short" in sys.argv
"""Only to see that everything runs."""
DIFFERENT = 200
STEPS = 200
"""Of the training; its first epoch would take hours."""

WORKER = """
import sys, threading, time
from pathlib import Path
from icgan_sdk.cli.main import run

peak = 0

def watch():
    global peak
    while True:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                peak = max(peak, int(line.split()[1]))
        time.sleep(0.02)

threading.Thread(target=watch, daemon=True).start()
status = run(sys.argv[1:])
print(peak, file=sys.stderr)
sys.exit(status)
"""


def photo(count: int, folder: Path) -> list[str]:
    """A photo of so many million pixels."""
    side = round((count * 1e6) ** 0.5)
    with Image.open(EXAMPLE) as example:
        example.resize((side, side)).save(folder / "photo.jpg")
    return ["edit", str(folder / "photo.jpg"), "Smiling=0", "-o", str(folder / "out.jpg")]


def edit(count: int, folder: Path) -> list[str]:
    """A folder of so many pictures."""
    pictures = folder / "in"
    pictures.mkdir()
    (pictures / "0.jpg").write_bytes(EXAMPLE.read_bytes())
    for number in range(1, count):
        os.link(pictures / "0.jpg", pictures / f"{number}.jpg")
    return ["edit", f"{pictures}/*.jpg", "Smiling=0", "-o", str(folder / "out")]


def train(count: int, folder: Path) -> list[str]:
    """The GAN stage on so many pictures of 128×128."""
    made_up_data(folder / "data", 128, {"train": count})
    settings = [
        "model.generator_width=8", "model.discriminator_width=8", "model.z_dim=16",
        f"gan.epochs={STEPS}", "gan.batch_size=32", "run.device=cpu",
    ]  # fmt: skip
    return [
        "train", "paper", "--data", str(folder / "data"), "--out", str(folder / "run"),
        "--stage", "gan", "--stop-after", "1s" if SHORT else "60s",
        *(w for s in settings for w in ("--set", s)),
    ]  # fmt: skip


def evaluate(count: int, folder: Path) -> list[str]:
    """An evaluation on so many pictures; referees learn from 1,000."""
    parts = {"train": 64 if SHORT else 1000, "validation": 64 if SHORT else 200, "test": count}
    made_up_model(folder / "model", made_up_data(folder / "data", 64, parts))
    return [
        "evaluate", str(folder / "model"), "--data", str(folder / "data"),
        "--out", str(folder / "out"), "--device", "cpu",
    ]  # fmt: skip


WORK: dict[str, tuple[Callable[[int, Path], list[str]], tuple[int, ...]]] = {
    "photo": (photo, (1,) if SHORT else (12, 50, 108)),
    "edit": (edit, (2,) if SHORT else (100, 1000, 5000)),
    "train": (train, (64,) if SHORT else (2000, 20_000, 200_000)),
    "evaluate": (evaluate, (8,) if SHORT else (5000, 10_000, 20_000)),
}


def made_up_data(folder: Path, side: int, partitions: dict[str, int]) -> AttributeSet:
    """Some different pictures, again and again."""
    draws = np.random.default_rng(0)
    attributes = AttributeSet(("Light", "Low"))
    labels = draws.integers(0, 2, (DIFFERENT, 2), dtype=np.uint8)
    pictures = draws.integers(0, 40, (DIFFERENT, side, side, 3), dtype=np.uint8)
    pictures += np.uint8(90) * labels[:, :1, None, None]
    pictures[:, side // 2 :] += np.uint8(90) * labels[:, 1:, None, None]
    count = sum(partitions.values())
    images = np.lib.format.open_memmap(
        folder.with_name("images.npy"), "w+", np.uint8, (count, *pictures.shape[1:])
    )
    for start in range(0, count, DIFFERENT):
        images[start : start + DIFFERENT] = pictures[: count - start]
    rows = np.arange(count) % DIFFERENT
    write_arrays(folder, images, labels[rows], attributes, partitions, source="made up")
    folder.with_name("images.npy").unlink()
    return attributes


def made_up_model(folder: Path, attributes: AttributeSet) -> None:
    """A small untrained model, 64×64."""
    torch.manual_seed(0)
    config = ModelConfig(
        64, attributes=attributes, z_dim=16, generator_width=8, encoder_width=8, encoder_y_fc=32
    )
    save_artefact(IcGANNetworks(config), folder, card="# Tiny\n")


def peak(work: Callable[[int, Path], list[str]], count: int) -> float:
    """Most memory that the work on so many pictures has, MiB."""
    with tempfile.TemporaryDirectory() as temporary:
        command = [sys.executable, "-c", WORKER, *work(count, Path(temporary))]
        done = subprocess.run(
            command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
    if done.returncode:
        sys.exit(done.stderr)
    return int(done.stderr.split()[-1]) / 1024


def main() -> None:
    """Print a row for each work and count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", choices=WORK, nargs="+", default=list(WORK))
    parser.add_argument("--counts", type=int, nargs="+")
    parser.add_argument("--short", action="store_true", help="Only see that everything runs.")
    arguments = parser.parse_args()
    print("| work | pictures (photo: million pixels) | peak memory, MiB |\n|---|---:|---:|")
    for name in arguments.work:
        work, counts = WORK[name]
        for count in arguments.counts or counts:
            print(f"| {name} | {count:,} | {peak(work, count):.0f} |", flush=True)


if __name__ == "__main__":
    main()
