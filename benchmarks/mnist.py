"""Measure a digit model on all 10,000 MNIST test digits.

    python benchmarks/mnist.py --data prepared/mnist --model mnist

The judge is a classifier of another architecture and seed than the model's own E_y, trained here
on the real training digits (a few minutes) unless `--judge` names the file of an earlier run.
Everything goes through the public `IcGAN`: uint8 pictures in, pictures out. `--short` only shows
that everything runs: digits that the model draws stand for MNIST.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from icgan_sdk import IcGAN, Latent
from icgan_sdk.data import PreparedDataset, write_arrays
from icgan_sdk.pictures.grids import grid
from icgan_sdk.pictures.saving import save_picture

Pixels = npt.NDArray[np.uint8]
SEED = 77
SHORT = "--short" in sys.argv
EPOCHS = 1 if SHORT else 5
BATCH = 128


def _block(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out, 3, padding=1),
        nn.BatchNorm2d(out),
        nn.ReLU(),
        nn.Conv2d(out, out, 3, padding=1),
        nn.BatchNorm2d(out),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )


def make_judge() -> nn.Sequential:
    """A small VGG-like classifier of 28×28 digits in [-1, 1]; E_y is a 5×5 stride-2 network."""
    return nn.Sequential(
        _block(1, 24),
        _block(24, 48),
        _block(48, 96),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(96, 10),
    )


def train_judge(images: Tensor, digits: Tensor) -> nn.Sequential:
    """Train on real digits [N, 1, 28, 28], turned, scaled and moved a little."""
    torch.manual_seed(SEED)
    judge = make_judge()
    optimiser = torch.optim.AdamW(judge.parameters(), weight_decay=1e-2)
    steps = EPOCHS * (len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for epoch in range(EPOCHS):
        for rows in torch.split(torch.randperm(len(images)), BATCH)[: len(images) // BATCH]:
            logits = judge(_jitter(images[rows]))
            loss = F.cross_entropy(logits, digits[rows], label_smoothing=0.05)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
        print(f"judge: epoch {epoch + 1} of {EPOCHS}, loss {loss.item():.3f}", flush=True)
    return judge.eval()


def _jitter(images: Tensor) -> Tensor:
    n = len(images)
    angle, scale = (torch.rand(n) - 0.5) * 0.35, 1 + (torch.rand(n) - 0.5) * 0.2
    cos, sin = scale * angle.cos(), scale * angle.sin()
    shift = (torch.rand(n, 2) - 0.5) * 0.25
    affine = torch.stack([cos, -sin, shift[:, 0], sin, cos, shift[:, 1]], 1).view(n, 2, 3)
    where = F.affine_grid(affine, list(images.shape), align_corners=False)
    return F.grid_sample(images + 1, where, align_corners=False) - 1  # outside is background


@torch.inference_mode()
def read(judge: nn.Module, pixels: Pixels) -> Tensor:
    """The digits [N] that the judge reads in uint8 pictures [N, 28, 28]."""
    x = torch.from_numpy(pixels)[:, None].float() / 127.5 - 1
    return torch.cat([judge(part).argmax(1) for part in torch.split(x, 1000)])


def stack(pictures: Image.Image | list[Image.Image]) -> Pixels:
    """Pictures as one uint8 array [N, 28, 28]."""
    pictures = pictures if isinstance(pictures, list) else [pictures]
    return np.stack([np.asarray(p) for p in pictures])


def measure(model: IcGAN, judge: nn.Module, images: Tensor, digits: Tensor) -> dict[str, float]:
    """All figures; `images` [N, 1, 28, 28] are the test digits, `digits` [N] their classes."""
    draws = torch.Generator().manual_seed(1)
    n = len(images)
    originals = ((images[:, 0] + 1) * 127.5).round().to(torch.uint8).numpy()
    asked = (digits + torch.randint(1, 10, (n,), generator=draws)) % 10
    edited = np.empty_like(originals)
    for digit in range(10):
        rows = (asked == digit).nonzero().flatten()
        edited[rows.numpy()] = stack(model.edit(images[rows], digit=digit))
    rebuilt = stack(model.reconstruct(images))
    read_by_own = model.encode(images).y.argmax(1).cpu()
    z = torch.randn(n, model.config.z_dim, generator=draws)
    y = 2 * F.one_hot(torch.randint(10, (n,), generator=draws), 10).float() - 1
    found = model.encode(model.decode(Latent(z, y)))
    real_z = model.encode(images).z.cpu()
    return {
        "judge_accuracy": share(read(judge, originals) == digits),
        "edit_read_as_asked": share(read(judge, edited) == asked),
        "reconstruction_read_as_original": share(read(judge, rebuilt) == digits),
        "reconstruction_mse": float(
            np.mean((rebuilt.astype(np.float64) - originals.astype(np.float64)) ** 2) / 255**2
        ),
        "encoder_z_error": float((found.z.cpu() - z).square().mean()),
        "encoder_y_accuracy": share(read_by_own == digits),
        "real_z_std": float(real_z.std()),
    }


def share(right: Tensor) -> float:
    """Share of true entries."""
    return float(right.double().mean())


def figure(model: IcGAN, images: Tensor, digits: Tensor) -> Image.Image:
    """Figure 5 for digits, twice the size: original, reconstruction, the ten digits in its style.

    The originals are the first test digit of each class.
    """
    firsts = [int((digits == d).nonzero()[0]) for d in range(10)]
    sheet = grid([model.variations(images[row]) for row in firsts])
    return sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=not SHORT, help="prepared MNIST")
    parser.add_argument("--model", default="mnist", help="bundled name or artefact folder")
    parser.add_argument("--judge", type=Path, help="judge.safetensors: read if there, else written")
    parser.add_argument("--grid", type=Path, help="also write the grid of variations here")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--short", action="store_true", help="only see that everything runs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        if SHORT:
            arguments.data = draw_digits(Path(temporary) / "data")
        run(arguments)


def draw_digits(folder: Path) -> Path:
    """A data set of digits that the bundled model draws."""
    model = IcGAN.from_pretrained("mnist")
    labels = np.eye(10, dtype=np.uint8)[np.arange(300) % 10]
    z = torch.randn(300, model.config.z_dim, generator=torch.Generator().manual_seed(0))
    pictures = stack(model.decode(Latent(z, torch.from_numpy(labels) * 2.0 - 1)))
    partitions = {"train": 200, "test": 100}
    write_arrays(
        folder, pictures[..., None], labels, model.config.attributes, partitions, padding=2
    )
    return folder


def run(arguments: argparse.Namespace) -> None:
    """Train a judge or read it, measure, print."""
    train, test = (PreparedDataset.open(arguments.data, name) for name in ("train", "test"))
    if arguments.judge and arguments.judge.exists():
        judge = make_judge().eval()
        judge.load_state_dict(load_file(arguments.judge))
    else:
        judge = train_judge(*_digits(train))
        if arguments.judge:
            save_file(judge.state_dict(), arguments.judge)
    name = Path(arguments.model) if Path(arguments.model).is_dir() else arguments.model
    model = IcGAN.from_pretrained(name)
    images, digits = _digits(test)
    figures = measure(model, judge, images, digits)
    if arguments.grid:
        save_picture(figure(model, images, digits), arguments.grid)
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        print("\n".join(f"{name:32} {value:.4f}" for name, value in figures.items()))


def _digits(data: PreparedDataset) -> tuple[Tensor, Tensor]:
    images = data.images(slice(0, len(data)))
    inner = slice(data.padding, data.image_size - data.padding)
    return images[..., inner, inner].contiguous(), data.all_labels().argmax(1)


if __name__ == "__main__":
    main()
