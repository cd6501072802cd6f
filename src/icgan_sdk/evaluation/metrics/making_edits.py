"""The edits that metrics judge, made as `icgan_sdk.IcGAN.edit` makes them."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.celeba import CELEBA
from icgan_sdk.editing.latents import Latent
from icgan_sdk.engines.pytorch import decode
from icgan_sdk.evaluation.metrics.seeing import RealBatch, enlarge
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.compositing import Detail, carry_change
from icgan_sdk.model.devices import device_of

MEN_ONLY = CELEBA.only_with
"""Attributes that are added only to pictures labelled with another attribute."""

Edit = tuple[str, bool]
"""An attribute, and whether it is added or removed."""


class Inverted(NamedTuple):
    """Pictures that edits start from.

    Attributes:
        x: The originals [B, C, P, P], on the CPU.
        latent: Their z and y.
        rebuilt: Their reconstructions as G gives them, [B, C, S, S] on the CPU.
    """

    x: Tensor
    latent: Latent
    rebuilt: Tensor

    def at(self, places: Tensor) -> "Inverted":
        """Some of the pictures, by their places, [B]; a place may come more than once."""
        latent = Latent(self.latent.z[places], self.latent.y[places])
        return Inverted(self.x[places], latent, self.rebuilt[places])


def inverted(batch: RealBatch) -> Inverted:
    """A batch of real pictures, to be edited."""
    return Inverted(batch.real.images, batch.refined_latent, batch.refined_decoded)


@torch.inference_mode()
def edited(networks: IcGANNetworks, detail: Detail, before: Inverted, y_new: Tensor) -> Tensor:
    """Edit pictures.

    Photos that a painter paints on may be larger than the data: they are scaled up, and its change
    down.

    Args:
        networks: In eval mode.
        detail: "generated" gives G's pictures, "photo" the originals with the change put onto them.
        before: The pictures.
        y_new: Attributes after the edit [B, n_y], on the networks' device.

    Returns:
        Pictures in [-1, 1] on the CPU: [B, C, S, S] of G's side, or [B, C, P, P] of the originals'.
    """
    device = device_of(networks)
    if detail == "photo" and networks.painter is not None:
        x = enlarge(before.x.to(device), networks.config.photo.image_size)
        change = networks.paint(x, before.latent.y.to(device), y_new) - x
        if x.shape[-1] != before.x.shape[-1]:
            change = networks.shrink(change)
        return (before.x + change.to(before.x.device)).clamp(-1.0, 1.0)
    images = decode(networks, before.latent.z, y_new, device)
    return carry_change(before.x, before.rebuilt, images) if detail == "photo" else images


def editable(
    y: Tensor,
    attributes: AttributeSet,
    edit: Edit,
    only_where: Mapping[str, str] = MEN_ONLY,
) -> Tensor:
    """Which pictures an edit makes sense for.

    Args:
        y: Labels [B, n_y], −1 or 1.
        attributes: What the labels mean.
        edit: The edit.
        only_where: Attributes that are added only to pictures labelled with another attribute.

    Returns:
        Bool [B].
    """
    name, adding = edit
    present = dict(zip(attributes.names, (y > 0).T, strict=True))
    chosen: Tensor = ~present[name] if adding else present[name]
    if adding and only_where.get(name) in present:
        chosen = chosen & present[only_where[name]]
    return chosen


def edits_of(attributes: AttributeSet) -> list[Edit]:
    """Every edit of one attribute. A class can only be changed to another."""
    directions = (True,) if attributes.one_hot else (True, False)
    return [(name, adding) for adding in directions for name in attributes.names]
