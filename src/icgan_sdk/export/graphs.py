"""What is exported: encoder, generator and the whole edit as modules with named in- and outputs."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from icgan_sdk.artefacts.export_folder import (
    CHANGE,
    EDITED,
    IMAGES,
    NAMED,
    PHOTO,
    PRESENCES,
    REBUILT,
    Y_NEW,
    Y,
    Z,
)
from icgan_sdk.artefacts.layout import COMPOSITE, EDIT, ENCODER, GENERATOR, PAINTER, READER
from icgan_sdk.attributes import MAX_PRESENCE, AttributeSet
from icgan_sdk.model import IcGANNetworks, draw_noise
from icgan_sdk.model.compositing import carry_change, masked_change


class EncoderGraph(nn.Module):
    """E_z and E_y: images [B, C, P, P] in [-1, 1] to z [B, z_dim] and y [B, n_attributes]."""

    def __init__(self, networks: IcGANNetworks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Encode."""
        return self.networks.encode(self.networks.shrink(images))


class ReaderGraph(nn.Module):
    """E_y alone: images [B, C, P, P] in [-1, 1] to y [B, n_attributes]."""

    def __init__(self, networks: IcGANNetworks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, images: Tensor) -> Tensor:
        """Read."""
        return self.networks.read_y(self.networks.shrink(images))


class GeneratorGraph(nn.Module):
    """G: z [B, z_dim] and y [B, n_attributes] to images [B, C, S, S] in (-1, 1)."""

    def __init__(self, networks: IcGANNetworks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Decode."""
        return self.networks.decode(z, y)


class CompositeGraph(nn.Module):
    """What an edit adds to the original pixels, see `masked_change`: all [B, C, S, S]."""

    def forward(self, images: Tensor, rebuilt: Tensor, edited: Tensor) -> Tensor:
        """Find the change."""
        return masked_change(images, rebuilt, edited)


class PainterGraph(nn.Module):
    """The painter: images [B, C, P, P], y and y_new [B, n_attributes] to painted images."""

    def __init__(self, networks: IcGANNetworks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, images: Tensor, y: Tensor, y_new: Tensor) -> Tensor:
        """Paint."""
        return self.networks.paint(images, y, y_new)


class EditGraph(nn.Module):
    """A whole edit: encode, change y, decode, and put the change onto the picture if asked to."""

    siblings: Tensor

    def __init__(self, networks: IcGANNetworks) -> None:
        super().__init__()
        self.networks = networks
        self.register_buffer("siblings", sibling_matrix(networks.config.attributes))

    def forward(self, images: Tensor, presences: Tensor, named: Tensor, photo: Tensor) -> Tensor:
        """Edit.

        Args:
            images: [B, C, P, P] in [-1, 1].
            presences: [B, n_attributes]; 0 absent, 1 present, up to 2 exaggerated.
            named: bool [B, n_attributes], which presences are asked for; others don't matter.
            photo: bool [], True for ``detail="photo"``.

        Returns:
            [B, C, P, P] in [-1, 1]; G's picture is scaled up where it is smaller.
        """
        networks, side = self.networks, images.shape[-1]
        z, y = networks.encode(networks.shrink(images))
        y_new = set_presences(y, presences, named, self.siblings)

        def carried(images: Tensor, z: Tensor, y: Tensor, y_new: Tensor) -> Tensor:
            if networks.painter is not None:
                return networks.paint(images, y, y_new).contiguous()
            edited = networks.decode(z, y_new)
            return carry_change(images, networks.decode(z, y), edited).contiguous()

        def generated(images: Tensor, z: Tensor, y: Tensor, y_new: Tensor) -> Tensor:
            edited = networks.decode(z, y_new)
            if edited.shape[-1] != side:
                edited = interpolate(edited, (side, side), mode="bilinear", align_corners=False)
            return edited.clone(memory_format=torch.contiguous_format)

        # A branch of the graph: only what is asked for runs. torch.cond asks of both branches
        # that they return new tensors of the same layout.
        result: Tensor = torch.cond(photo, carried, generated, (images, z, y, y_new))
        return result


def sibling_matrix(attributes: AttributeSet) -> Tensor:
    """Whether two different attributes are of one exclusive group: bool [n, n]."""
    names = attributes.names
    rows = [[a != b and b in attributes.group_of(a) for b in names] for a in names]
    return torch.tensor(rows, dtype=torch.bool).reshape(len(names), len(names))


def set_presences(y: Tensor, presences: Tensor, named: Tensor, siblings: Tensor) -> Tensor:
    """`AttributeSet.apply` on tensors.

    What several named members of a group leave of their siblings multiplies, as it does when they
    are applied one after the other.

    Args:
        y: [B, n].
        presences: [B, n].
        named: bool [B, n].
        siblings: Of `sibling_matrix`.

    Returns:
        The new y, [B, n].
    """
    left = torch.where(named, 1.0 - presences.clamp(max=1.0), 1.0)
    kept = torch.where(siblings, left[:, None, :], 1.0).prod(dim=2)
    receded = y - (1.0 - kept) * (y + 1.0)
    return torch.where(named, 2.0 * presences - 1.0, receded)


@dataclass(frozen=True, eq=False)
class Graph:
    """A module to export.

    Attributes:
        name: Of its file.
        module: In eval mode; takes the inputs in their order.
        inputs: Example inputs by name.
        outputs: Names of what it gives.
    """

    name: str
    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]


def make_graphs(networks: IcGANNetworks, batch: int, *, photo: bool, seed: int = 0) -> list[Graph]:
    """The graphs of a model, with example inputs such as they will meet.

    Args:
        networks: In eval mode, on the CPU.
        batch: Pictures in the examples, drawn by the generator from random z and y.
        photo: The example's.
        seed: Of the examples.
    """
    config, source = networks.config, torch.Generator().manual_seed(seed)
    shape = (batch, config.n_attributes)
    z, y = draw_noise(batch, config, source), torch.rand(shape, generator=source) * 2 - 1
    side = config.photo.image_size
    with torch.no_grad():
        images = interpolate(networks.decode(z, y), (side, side), mode="bilinear")
    presences = torch.rand(shape, generator=source) * MAX_PRESENCE
    named = torch.rand(shape, generator=source) < 0.5
    if networks.painter is not None:
        onto = Graph(PAINTER, PainterGraph(networks), {IMAGES: images, Y: y, Y_NEW: -y}, (EDITED,))
    else:
        changed = {IMAGES: images, REBUILT: 0.9 * images, EDITED: images.flip(0)}
        onto = Graph(COMPOSITE, CompositeGraph(), changed, (CHANGE,))
    edit = {IMAGES: images, PRESENCES: presences, NAMED: named, PHOTO: torch.tensor(photo)}
    graphs = [
        Graph(ENCODER, EncoderGraph(networks), {IMAGES: images}, (Z, Y)),
        Graph(GENERATOR, GeneratorGraph(networks), {Z: z, Y: y}, (IMAGES,)),
        onto,
        Graph(EDIT, EditGraph(networks).eval(), edit, (EDITED,)),
    ]
    if networks.painter is not None:  # which needs no z
        graphs.insert(1, Graph(READER, ReaderGraph(networks), {IMAGES: images}, (Y,)))
    return graphs
