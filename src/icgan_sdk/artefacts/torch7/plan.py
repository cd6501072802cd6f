"""Our networks as sequences of steps, with which saved layers are compared."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch

from torch import nn

from icgan_sdk.artefacts.torch7.layers import Kind
from icgan_sdk.model import Discriminator, Encoder, Generator, SharedEncoder
from icgan_sdk.model.convolutions import ConditionalConv

_KINDS: Mapping[type[nn.Module], Kind] = {
    nn.Conv2d: "convolution",
    nn.ConvTranspose2d: "full convolution",
    nn.Linear: "fully connected layer",
    nn.BatchNorm1d: "batch norm",
    nn.BatchNorm2d: "batch norm",
    nn.ReLU: "ReLU",
    nn.LeakyReLU: "leaky ReLU",
    nn.Flatten: "flattening",
}


@dataclass(frozen=True)
class Step:
    """What a layer has to be.

    Attributes:
        kind: What it does.
        name: Our module's name, with which the names of its parameters begin.
        module: That module.
        side: Joining of y: side of the maps.
    """

    kind: Kind
    name: str = ""
    module: nn.Module | None = None
    side: int = 0


@singledispatch
def steps_of(network: nn.Module, image_size: int) -> Iterator[Step]:
    """The steps of a generator, discriminator or encoder, in order."""
    raise TypeError(f"no steps are known of {type(network).__name__}")


@steps_of.register
def _(network: Generator, image_size: int) -> Iterator[Step]:
    if network.y_layer == 0:
        yield Step("joining of y", side=1)
    if network.fc is not None:
        yield from _inside(network, "fc")
        yield Step("flattening")
    for layer in range(1, len(network.hidden) + 1):
        yield from _inside(network, f"hidden.{layer - 1}")
        if layer == network.y_layer:
            yield Step("joining of y", side=4 * 2 ** (layer - 1))
    yield from _inside(network, "output")
    yield Step("tanh")


@steps_of.register
def _(network: Discriminator, image_size: int) -> Iterator[Step]:
    for step in _inside(network, ""):
        if isinstance(step.module, ConditionalConv):
            yield Step("joining of y", side=image_size // 2**network.y_layer)
        yield step
    yield Step("sigmoid")


@steps_of.register
def _(network: Encoder, image_size: int) -> Iterator[Step]:
    if network.sees_y:
        yield Step("joining of y", side=image_size)
    yield from _inside(network, "")


@steps_of.register
def _(network: SharedEncoder, image_size: int) -> Iterator[Step]:
    yield from _inside(network, "shared")
    for branch in ("branch_z", "branch_y"):
        yield Step("branch")
        yield from _inside(network, branch)


def _inside(network: nn.Module, part: str) -> Iterator[Step]:
    """The steps of a part of a network ("": all of it), whose modules compute in their order."""
    for name, module in network.get_submodule(part).named_modules(prefix=part):
        for type_, kind in _KINDS.items():
            if isinstance(module, type_):
                yield Step(kind, name, module)
