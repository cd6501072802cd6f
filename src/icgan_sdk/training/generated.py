"""Stage 2: the final generator, and a set of its images to judge encoders by (paper §3.2)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from icgan_sdk.config import PAPER_ARCHITECTURE
from icgan_sdk.data import PreparedDataset, write_arrays
from icgan_sdk.errors import CheckpointError, ConfigError
from icgan_sdk.files import atomic_file
from icgan_sdk.model import Generator, IcGANNetworks, build_generator, draw_noise
from icgan_sdk.model.convolutions import DoublingConv
from icgan_sdk.model.devices import send
from icgan_sdk.pictures.arrays import strip_padding, tensor_to_pixels
from icgan_sdk.pictures.saving import save_picture
from icgan_sdk.training.batch_norm import refresh
from icgan_sdk.training.checkpoint import save_checkpoint
from icgan_sdk.training.context import Context, Stage
from icgan_sdk.training.logging import Progress
from icgan_sdk.training.rows import chunks
from icgan_sdk.training.samples import attribute_grid

BATCH_NORM_BATCHES = 100
"""Train-mode batches that refresh the batch-norm statistics, as many as in the original."""

FAR = 2**62
"""A step beyond all steps of the batch-norm refresh, so that the set repeats none of its draws."""


def make_generated(context: Context) -> None:
    """Refresh the averaged generator's batch norm, freeze it, and write the generated set."""
    if context.runtime.is_main and not context.checkpoint("generated").exists():
        generator = context.runtime.place(build_generator(context.model))
        context.load("gan", "average", generator)
        if context.config.generated.smooth_output:
            assert isinstance(generator, Generator)  # see _check
            assert isinstance(generator.output, DoublingConv)
            generator.output.smooth()
        if not _keeps_statistics(context):
            refresh_batch_norm(generator, context)
        generator.eval()
        save_samples(generator, context, "generated.png")
        _write_set(generator, context)
        # Written last: the stage counts as complete only once its set is there.
        save_checkpoint(context.checkpoint("generated"), 1, 1, {"generator": generator})
    context.runtime.wait()


def save_samples(network: nn.Module, context: Context, name: str) -> None:
    """Write a grid of generated images to look at; every grid of a run shows the same z."""
    draws = context.draws("gan", 0, rank=0)
    picture = attribute_grid(network, context.model, draws, context.runtime.device)
    save_picture(picture, context.folder / "samples" / name)


def draw_generated(
    generator: nn.Module, batch: int, context: Context, draws: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Generate images from fresh noise and labels.

    Returns:
        Images [batch, C, S, S], their z [batch, z_dim] and y' [batch, n_y], on the device.
    """
    runtime = context.runtime
    y = send(context.labels.sample(batch, draws), runtime.device)
    z = send(draw_noise(batch, context.model, draws), runtime.device)
    with torch.no_grad(), runtime.autocast():
        images = generator(z, y)
    return runtime.images(images.float()), z, y


def _keeps_statistics(context: Context) -> bool:
    config = context.config
    return config.gan.method == "joint" and config.joint.fixed_norm


def refresh_batch_norm(generator: nn.Module, context: Context) -> None:
    """Replace the batch-norm statistics by plain means over train-mode batches.

    The moving average has other weights than the trained generator, whose statistics it holds.
    (The original makes 100 such passes, with momentum 0.1.)
    """

    def run_batch(step: int) -> None:
        draws = context.draws("generated", step, rank=0)
        draw_generated(generator, context.config.gan.batch_size, context, draws)

    refresh(generator, BATCH_NORM_BATCHES, run_batch)


def _write_set(generator: nn.Module, context: Context) -> None:
    total = context.config.generated.images
    images, noise, labels = [], [], []  # noise and labels are what the generator was given
    for at in chunks(total, context.model.image_size):
        draws = context.draws("generated", FAR + at.start, rank=0)
        x, z, y = draw_generated(generator, at.stop - at.start, context, draws)
        images.append(tensor_to_pixels(strip_padding(x, context.model)))
        noise.append(z.cpu().numpy())
        labels.append(y.cpu().numpy())
        if context.watcher is not None:
            context.watcher(Progress("generated", at.stop, total))
    folder = context.folder / "generated"
    write_arrays(
        folder,
        np.concatenate(images),
        _present(np.concatenate(labels), context),
        context.dataset.attributes,
        {"generated": total},
        padding=context.dataset.padding,
        crop=context.dataset.crop,
        source="generated images",
        overwrite=True,
    )
    for name, parts in (("z.npy", noise), ("y.npy", labels)):
        with atomic_file(folder / name) as temporary:
            np.save(temporary, np.concatenate(parts))


def _present(y: npt.NDArray[np.float32], context: Context) -> npt.NDArray[np.uint8]:
    """0/1 labels for sampled y', whose values may lie between −1 and 1."""
    if context.model.attributes.one_hot:
        y = np.eye(y.shape[1], dtype=np.float32)[y.argmax(1)]
    present: npt.NDArray[np.uint8] = (y > 0).astype(np.uint8)
    return present


def load_generator(context: Context) -> nn.Module:
    """The final generator, frozen; the start model's if this run has trained no GAN.

    Raises:
        CheckpointError: If there is neither.
    """
    generator = context.runtime.place(build_generator(context.model))
    context.load("generated", "generator", generator)
    return generator.eval().requires_grad_(False)


def open_generated(folder: Path) -> tuple[PreparedDataset, Tensor, Tensor]:
    """The generated set of a run: its images, z [N, z_dim] and y' [N, n_y].

    Raises:
        CheckpointError: If it is damaged.
    """
    path = folder / "generated"
    return PreparedDataset.open(path), _read_array(path / "z.npy"), _read_array(path / "y.npy")


def _read_array(path: Path) -> Tensor:
    try:
        return torch.from_numpy(np.load(path, allow_pickle=False))
    except Exception as error:  # NumPy's parser of damaged headers raises whatever it meets
        raise CheckpointError(f"{path} can't be read: {error}") from error


def _check(context: Context) -> None:
    smooth = context.config.generated.smooth_output
    if smooth and context.model.generator != PAPER_ARCHITECTURE:
        raise ConfigError(
            f"generated.smooth_output is for the generator {PAPER_ARCHITECTURE!r}, not "
            f"{context.model.generator!r}: leave it out"
        )


def _stand_in(context: Context, start: IcGANNetworks) -> nn.Module | None:
    # Once this run has a GAN of its own, its generator has to be finished here.
    return None if context.checkpoint("gan").exists() else start.generator


def _fill(context: Context, networks: IcGANNetworks) -> None:
    networks.generator = load_generator(context)


GENERATED = Stage(
    name="generated",
    seed=1,
    run=make_generated,
    needs=lambda config: ("gan",),
    check=_check,
    stand_in=_stand_in,
    leaves=("generated",),
    fill=_fill,
)
