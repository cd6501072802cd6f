"""Which rows of a data set a step or a measurement takes, and how their images are moved."""

from collections.abc import Iterator

import torch
from torch import Tensor

from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError
from icgan_sdk.model.devices import send
from icgan_sdk.training.runtime import Runtime
from icgan_sdk.training.settings import OptimiserConfig

SAMPLED, CHUNK = 8192, 128
"""How many training images stand for all of them, and how many are evaluated at once."""

PIXELS_AT_ONCE = 2**19
"""The most pixels that are evaluated at once. It bounds the memory for images of any size."""


def steps_per_epoch(rows: int, config: OptimiserConfig, stage: str, processes: int = 1) -> int:
    """Steps that pass over the training partition once.

    Args:
        rows: Its size.
        config: Has the batch size.
        stage: The stage's name, for the error message.
        processes: Between which a step is divided.

    Raises:
        ConfigError: If the data set can't fill one step.
    """
    steps = rows // (config.batch_size * processes)
    if not steps:
        raise ConfigError(
            f"{rows} training images can't fill a batch of {config.batch_size} in "
            f"{processes} process(es): set {stage}.batch_size lower"
        )
    return steps


class Epochs:
    """The steps of a stage, and the rows of each.

    Each epoch is a new permutation of the rows, divided among the processes. Rows at its end that
    don't fill a batch for every process are left out of that epoch.

    Args:
        rows: Size of the training partition.
        config: Epochs and batch size.
        runtime: Processes and randomness.
        stage: The stage's name, for the error message.
        seed: The stage's number (`Stage.seed`).

    Raises:
        ConfigError: If the data set can't fill one step.
    """

    def __init__(
        self, rows: int, config: OptimiserConfig, runtime: Runtime, stage: str, seed: int
    ) -> None:
        self.rows, self.batch_size = rows, config.batch_size
        self.runtime, self.seed = runtime, seed
        self.steps_per_epoch = steps_per_epoch(rows, config, stage, runtime.world_size)
        self.steps = self.steps_per_epoch * config.epochs
        self._epoch, self._order = 0, torch.empty(0, dtype=torch.int64)

    def epoch(self, step: int) -> int:
        """The epoch of a step, both counted from 1."""
        return (step - 1) // self.steps_per_epoch + 1

    def ends_epoch(self, step: int) -> bool:
        """Whether a step is its epoch's last."""
        return step % self.steps_per_epoch == 0

    def batch(self, step: int) -> Tensor:
        """The row numbers [batch_size] that this process takes in a step."""
        epoch = self.epoch(step)
        if epoch != self._epoch:
            # The number lies far beyond any step's, so permutations and steps never share draws.
            generator = self.runtime.generator(self.seed, 2**62 + epoch, rank=0)
            self._epoch, self._order = epoch, torch.randperm(self.rows, generator=generator)
        share = (step - 1) % self.steps_per_epoch * self.runtime.world_size + self.runtime.rank
        return self._order[share * self.batch_size :][: self.batch_size]


class BalancedRows:
    """Draws images so that rare attributes are seen as often as common ones.

    Args:
        labels: [N, n_y], −1 or 1.
    """

    def __init__(self, labels: Tensor) -> None:
        present = [column.nonzero()[:, 0] for column in (labels > 0).T]
        self._with = [rows for rows in present if len(rows)]

    def half_of(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Replace half of the rows: each new one shows an attribute that is drawn uniformly."""
        count = len(rows) // 2
        which = torch.randint(len(self._with), (count,), generator=generator).tolist()
        drawn = torch.rand(count, generator=generator).tolist()
        chosen = [
            int(self._with[a][int(u * len(self._with[a]))])
            for a, u in zip(which, drawn, strict=True)
        ]
        mixed = torch.cat([rows[: len(rows) - count], torch.tensor(chosen, dtype=rows.dtype)])
        return mixed[torch.randperm(len(mixed), generator=generator)]


def draw_images(
    dataset: PreparedDataset, rows: Tensor, flip: bool, shift: int, generator: torch.Generator
) -> Tensor:
    """Real images [B, C, S, S] in [-1, 1], mirrored and moved at random."""
    images = dataset.images(rows)
    if flip:
        mirrored = send(torch.rand(len(rows), generator=generator) < 0.5, images.device)
        images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
    return move(images, shift, generator) if shift else images


def move(images: Tensor, shift: int, generator: torch.Generator) -> Tensor:
    """Move each image by up to `shift` pixels each way; border pixels repeat."""
    batch, _, height, width = images.shape
    dy, dx = torch.randint(-shift, shift + 1, (2, batch, 1), generator=generator)
    rows = (torch.arange(height) + dy).clamp(0, height - 1)[:, None, :, None]
    columns = (torch.arange(width) + dx).clamp(0, width - 1)[:, None, None, :]
    channels = torch.arange(images.shape[1])[None, :, None, None]
    numbers = torch.arange(batch)[:, None, None, None]
    return images[tuple(send(at, images.device) for at in (numbers, channels, rows, columns))]


def sampled_chunks(total: int) -> tuple[Tensor, ...]:
    """Evenly spaced rows in chunks of `CHUNK`: `SAMPLED` to twice as many, or all there are."""
    return torch.split(torch.arange(0, total, max(1, total // SAMPLED)), CHUNK)


def chunks(total: int, image_size: int) -> Iterator[slice]:
    """Slices of rows to evaluate at once: 512 images at 32×32, one from 1024×1024."""
    size = max(1, PIXELS_AT_ONCE // image_size**2)
    return (slice(start, min(start + size, total)) for start in range(0, total, size))
