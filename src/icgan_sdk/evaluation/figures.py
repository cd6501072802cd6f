"""The paper's figures as pictures: what a model makes of a data set's images, side by side."""

import torch
from PIL import Image
from torch import Tensor

from icgan_sdk.data import PreparedDataset
from icgan_sdk.engines.batches import Latent, decode, encode
from icgan_sdk.evaluation.diversity import Neighbours
from icgan_sdk.evaluation.passes import device_of
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.pictures.arrays import to_pictures
from icgan_sdk.pictures.grids import grid, titled
from icgan_sdk.training.samples import attribute_grid, pairs_grid


def reconstruction_figure(
    networks: IcGANNetworks, dataset: PreparedDataset, rows: Tensor, *, refine: int = 0
) -> Image.Image:
    """Real images above what G makes of their z and y (Figure 4), 8 pairs a double row.

    Args:
        networks: In eval mode.
        dataset: The real images.
        rows: Which, [B]; B below 8 or a multiple of it.
        refine: Optimisation steps on z, as in `edit`.
    """
    x, latent = _read(networks, dataset, rows, refine)
    rebuilt = decode(networks, latent, device_of(networks))
    return pairs_grid(x, rebuilt, networks.config)


def variations_figure(
    networks: IcGANNetworks, dataset: PreparedDataset, rows: Tensor, *, refine: int = 0
) -> Image.Image:
    """Figure 5: a real image a row; original, reconstruction, and each attribute changed.

    The reconstruction is of y as E_y read it, the others are `AttributeSet.variations` of it.

    Args:
        networks: In eval mode.
        dataset: The real images.
        rows: Which, [B].
        refine: Optimisation steps on z, as in `edit`.
    """
    x, latent = _read(networks, dataset, rows, refine)
    attributes = networks.config.attributes
    sheet = []
    for image, z, y in zip(x, latent.z, latent.y, strict=True):
        edits = [y.tolist(), *attributes.variations(y.tolist())]
        varied = Latent(z.expand(len(edits), -1), y.new_tensor(edits))
        images = decode(networks, varied, device_of(networks))
        sheet.append(to_pictures(torch.cat([image[None], images]), networks.config))
    titles = ("Original", "Reconstruction", *attributes.names)
    return titled(grid(sheet), titles)


def interpolation_figure(
    networks: IcGANNetworks,
    dataset: PreparedDataset,
    pairs: Tensor,
    *,
    steps: int = 4,
    refine: int = 0,
) -> Image.Image:
    """Figure 6a: a pair a row; the first, `steps` pictures on the line between, the last.

    Linear in z and y, both ends included. As in the original code, y is first taken to −1 or 1,
    and there are four steps.

    Args:
        networks: In eval mode.
        dataset: The real images.
        pairs: Rows of the two ends, [B, 2].
        steps: At least 2.
        refine: Optimisation steps on z, as in `edit`.
    """
    x, latent = _read(networks, dataset, pairs.flatten(), refine)
    weights = torch.linspace(0.0, 1.0, steps, device=latent.z.device)[:, None]
    sheet = []
    for first in range(0, len(x), 2):
        z, y = (torch.lerp(t[first], t[first + 1], weights) for t in (latent.z, _signs(latent.y)))
        between = decode(networks, Latent(z, y), device_of(networks))
        images = torch.cat([x[first : first + 1], between, x[first + 1 : first + 2]])
        sheet.append(to_pictures(images, networks.config))
    return grid(sheet)


def swap_figure(
    networks: IcGANNetworks, dataset: PreparedDataset, pairs: Tensor, *, refine: int = 0
) -> Image.Image:
    """Figure 6b: a pair a row; for each, original, reconstruction, and with the other's y.

    Exchanged y are taken to −1 or 1, as in the original code.

    Args:
        networks: In eval mode.
        dataset: The real images.
        pairs: Rows of both, [B, 2].
        refine: Optimisation steps on z, as in `edit`.
    """
    x, latent = _read(networks, dataset, pairs.flatten(), refine)
    device = device_of(networks)
    others = _signs(latent.y).view(len(pairs), 2, -1).flip(1).flatten(0, 1)
    rebuilt = decode(networks, latent, device)
    swapped = decode(networks, Latent(latent.z, others), device)
    cells = to_pictures(torch.stack([x, rebuilt, swapped], dim=1).flatten(0, 1), networks.config)
    titles = ["Original A", "Reconstruction", "Attributes of B"]
    titles += ["Original B", "Reconstruction", "Attributes of A"]
    sheet = [cells[start : start + 6] for start in range(0, len(cells), 6)]
    return titled(grid(sheet), titles)


def samples_figure(
    networks: IcGANNetworks, generator: torch.Generator, *, rows: int = 8
) -> Image.Image:
    """Generated images: a row shares z, a column has one attribute only.

    Args:
        networks: In eval mode.
        generator: For z; on the CPU.
        rows: How many.
    """
    config = networks.config
    sheet = attribute_grid(networks.generator, config, generator, device_of(networks), rows)
    return titled(sheet, config.attributes.names)


def neighbours_figure(
    networks: IcGANNetworks, train: PreparedDataset, neighbours: Neighbours
) -> Image.Image:
    """A generated image a row, and the training images nearest to it.

    Args:
        networks: Whose images they are.
        train: The training partition.
        neighbours: As `measure_memorisation` found them.
    """
    sheet = [
        to_pictures(torch.cat([image[None], train.images(rows)]), networks.config)
        for image, rows in zip(neighbours.images, neighbours.rows, strict=True)
    ]
    places = [f"Nearest {place}" for place in range(1, neighbours.rows.shape[1] + 1)]
    return titled(grid(sheet), ("Generated", *places))


def _read(
    networks: IcGANNetworks, dataset: PreparedDataset, rows: Tensor, refine: int
) -> tuple[Tensor, Latent]:
    """Real images [B, C, S, S], their z and y."""
    x = dataset.images(rows)
    return x, encode(networks, x, device_of(networks), refine)


def _signs(y: Tensor) -> Tensor:
    return torch.where(y > 0, 1.0, -1.0)
