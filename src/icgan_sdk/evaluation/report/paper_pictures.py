"""The paper's pictures: real pictures and what a model makes of them, side by side."""

from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.editing.latents import Latent
from icgan_sdk.engines.pytorch import decode
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.devices import device_of
from icgan_sdk.pictures.arrays import to_pictures
from icgan_sdk.pictures.grids import grid, titled
from icgan_sdk.training.samples import attribute_grid, pairs_grid

SHOWN = 8
"""Rows of pictures in a report."""

CAPTIONS = {
    "samples": ("Samples", "Generated images. A row shares z, a column has one attribute only."),
    "reconstructions": (
        "Reconstructions (Figure 4)",
        "The first pictures of the partition, each above its reconstruction.",
    ),
    "variations": (
        "Variations (Figure 5)",
        "Original, reconstruction, and each attribute set in turn. Male, if there, is inverted.",
    ),
    "interpolation": (
        "Interpolation (Figure 6a)",
        "Two originals at the ends; between them, linear in z and y.",
    ),
    "swap": ("Attribute swap (Figure 6b)", "Pairs with each other's attributes, z kept."),
}
"""Titles and captions of the pictures, in the order shown."""


class Inverted(NamedTuple):
    """Some real pictures, and what the model made of them.

    Attributes:
        images: [B, C, S, S] in [-1, 1], on the CPU.
        latent: Their z and y.
        rebuilt: G(z, y), [B, C, S, S] on the CPU.
    """

    images: Tensor
    latent: Latent
    rebuilt: Tensor

    def first(self, count: int) -> "Inverted":
        """The first so many of the pictures."""
        latent = Latent(self.latent.z[:count], self.latent.y[:count])
        return Inverted(self.images[:count], latent, self.rebuilt[:count])


def pictures_of(networks: IcGANNetworks, inverted: Inverted) -> dict[str, Image.Image]:
    """The paper's Figures 4, 5, 6a and 6b of up to 2 · `SHOWN` real pictures, by name."""
    few, count = inverted.first(SHOWN), len(inverted.images)
    return {
        "reconstructions": reconstructions_picture(
            networks, inverted if count == 2 * SHOWN else few
        ),
        "variations": variations_picture(networks, few),
        "interpolation": interpolation_picture(networks, few),
        "swap": swap_picture(networks, few),
    }


def reconstructions_picture(networks: IcGANNetworks, inverted: Inverted) -> Image.Image:
    """Figure 4: real pictures, each above its reconstruction, 8 pairs in a double row.

    Fewer than 8, or a multiple of 8.
    """
    return pairs_grid(inverted.images, inverted.rebuilt, networks.config)


@torch.inference_mode()
def variations_picture(networks: IcGANNetworks, inverted: Inverted) -> Image.Image:
    """Figure 5: a row for each real picture: original, reconstruction, each attribute changed.

    The changed ones show `AttributeSet.variations` of y as E_y read it.
    """
    attributes = networks.config.attributes
    flipped = networks.config.faces.inverted if networks.config.faces else ()
    sheet = []
    for image, rebuilt, z, y in zip(
        inverted.images, inverted.rebuilt, inverted.latent.z, inverted.latent.y, strict=True
    ):
        edits = y.new_tensor(attributes.variations(y.tolist(), flipped))
        images = decode(networks, z.expand(len(edits), -1), edits, device_of(networks))
        row = torch.cat([image[None], rebuilt[None], images])
        sheet.append(to_pictures(row, networks.config))
    titles = ("Original", "Reconstruction", *attributes.names)
    return titled(grid(sheet), titles)


@torch.inference_mode()
def interpolation_picture(
    networks: IcGANNetworks, inverted: Inverted, *, steps: int = 4
) -> Image.Image:
    """Figure 6a: a row for each pair: the first, `steps` pictures between them, the last.

    Linear in z and y, both ends included. As in the original code, y is first taken to −1 or 1,
    and there are four steps.

    Args:
        networks: In eval mode.
        inverted: The pairs, one after the other. A last picture without a partner is left out.
        steps: At least 2.
    """
    z, y = inverted.latent.z, _signs(inverted.latent.y)
    weights = torch.linspace(0.0, 1.0, steps, device=z.device)[:, None]
    sheet = []
    for first in range(0, len(z) - 1, 2):
        zs, ys = (torch.lerp(t[first], t[first + 1], weights) for t in (z, y))
        between = decode(networks, zs, ys, device_of(networks))
        x = inverted.images
        row = torch.cat([x[first : first + 1], between, x[first + 1 : first + 2]])
        sheet.append(to_pictures(row, networks.config))
    return grid(sheet)


@torch.inference_mode()
def swap_picture(networks: IcGANNetworks, inverted: Inverted) -> Image.Image:
    """Figure 6b: a row for each pair: original, reconstruction and the other's y, for both.

    The exchanged y are taken to −1 or 1, as in the original code.

    Args:
        networks: In eval mode.
        inverted: The pairs, one after the other. A last picture without a partner is left out.
    """
    pairs = inverted.first(len(inverted.images) // 2 * 2)
    z, y = pairs.latent.z, _signs(pairs.latent.y)
    others = y.view(len(y) // 2, 2, -1).flip(1).flatten(0, 1)
    swapped = decode(networks, z, others, device_of(networks))
    images = torch.stack([pairs.images, pairs.rebuilt, swapped], dim=1).flatten(0, 1)
    cells = to_pictures(images, networks.config)
    titles = ["Original A", "Reconstruction", "Attributes of B"]
    titles += ["Original B", "Reconstruction", "Attributes of A"]
    sheet = [cells[start : start + 6] for start in range(0, len(cells), 6)]
    return titled(grid(sheet), titles)


def samples_picture(
    networks: IcGANNetworks, generator: torch.Generator, *, rows: int = SHOWN
) -> Image.Image:
    """Generated images: a row shares z, a column has one attribute only.

    Args:
        networks: In eval mode.
        generator: For z; on the CPU.
        rows: How many.
    """
    config = networks.config
    return attribute_grid(networks.generator, config, generator, device_of(networks), rows)


def enlarged(sheet: Image.Image, config: ModelConfig) -> Image.Image:
    """A sheet in whole multiples of its size, so that each small picture has about 64 pixels."""
    factor = max(1, 64 // config.picture_size)
    return sheet.resize((factor * sheet.width, factor * sheet.height), Image.Resampling.NEAREST)


def _signs(y: Tensor) -> Tensor:
    return torch.where(y > 0, 1.0, -1.0)
