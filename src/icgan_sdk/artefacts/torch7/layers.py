"""A saved network as a sequence of layers, its containers unfolded.

The classes are those of the Lua packages nn and cudnn, which name their layers alike. IcGAN's
networks fork in two ways: y joins feature maps (``ParallelTable`` and ``JoinTable``, or
``JoinTable`` alone at the generator's input), and the SNG encoder has two branches
(``ConcatTable``).
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

import numpy as np

from icgan_sdk.artefacts.torch7.reader import (
    ObjectRecord,
    Record,
    Table,
    TensorRecord,
    read_torch7,
    shown,
)
from icgan_sdk.artefacts.torch7.tokens import Array, DamagedError
from icgan_sdk.errors import ModelFormatError

Kind = Literal[
    "convolution",
    "full convolution",
    "fully connected layer",
    "batch norm",
    "ReLU",
    "leaky ReLU",
    "tanh",
    "sigmoid",
    "flattening",
    "joining of y",
    "branch",
]

_KINDS: dict[str, Kind] = {
    "SpatialConvolution": "convolution",
    "SpatialConvolutionMM": "convolution",
    "SpatialFullConvolution": "full convolution",
    "Linear": "fully connected layer",
    "BatchNormalization": "batch norm",
    "SpatialBatchNormalization": "batch norm",
    "ReLU": "ReLU",
    "Threshold": "ReLU",
    "LeakyReLU": "leaky ReLU",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "View": "flattening",
    "Reshape": "flattening",
    "JoinTable": "joining of y",
}
_TRANSPARENT = {"Identity", "Copy", "Contiguous"}
_MAX_MODULES = 2000
_MAX_DEPTH = 20
_MAX_SIZE = 2**20


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a file.

    Attributes:
        kind: What it does.
        place: File, path inside the containers (from 1) and class, for messages.
        fields: Its fields in the file.
        repeats: Joining of y: how often y is repeated along rows and columns, () at the input.
    """

    kind: Kind
    place: str
    fields: Table
    repeats: tuple[int, ...] = ()

    def refuse(self, problem: str) -> NoReturn:
        """Raise ModelFormatError about this layer."""
        raise ModelFormatError(f"{self.place} {problem}")

    def number(self, name: str, default: float | None = None) -> float:
        """A field that must be a finite number."""
        value = self.fields.get(name, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            self.refuse(f"has no number {name!r}")
        return float(value)

    def size(self, name: str, default: int | None = None) -> int:
        """A field that must be a whole number, not negative."""
        value = self.number(name, default)
        if value != int(value) or not 0 <= value < _MAX_SIZE:
            self.refuse(f"has {name} {value:g}, not a size")
        return int(value)

    def flag(self, name: str, default: bool) -> bool:
        """A field that is true or false."""
        return bool(self.fields.get(name, default))

    def tensor(self, name: str) -> Array | None:
        """A field's tensor as a view of the file; None if there is none, or an empty one."""
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, TensorRecord):
            self.refuse(f"has a {name} that is no tensor")
        try:
            found = value.array()
        except DamagedError as error:
            raise ModelFormatError(f"{self.place}: {name} {error}") from error
        return found if found.size else None


@dataclass(frozen=True, eq=False)
class SavedNetwork:
    """The network in a file.

    Attributes:
        path: The file.
        n_bytes: Its size.
        layers: All layers in the order they are computed.
    """

    path: Path
    n_bytes: int
    layers: list[Layer]

    def refuse(self, problem: str) -> NoReturn:
        """Raise ModelFormatError about this file."""
        raise ModelFormatError(f"{self.path} {problem}")

    def of_kind(self, kind: Kind) -> list[Layer]:
        """The layers of a kind."""
        return [layer for layer in self.layers if layer.kind == kind]


def read_network(path: str | os.PathLike[str]) -> SavedNetwork:
    """Read a saved network.

    Raises:
        ModelNotFoundError: If there is no such file.
        ModelFormatError: If it is damaged, holds no network, or has a layer that IcGAN never has.
    """
    path = Path(path)
    record = read_torch7(path)
    if not isinstance(record, ObjectRecord):
        raise ModelFormatError(f"{path} holds no network: nothing of nn or cudnn is outermost")
    layers = list(_Unfolding(path).layers(record, ""))
    return SavedNetwork(path, path.stat().st_size, layers)


class _Unfolding:
    def __init__(self, path: Path) -> None:
        self._path, self._seen = path, 0

    def layers(self, module: ObjectRecord, at: str) -> Iterator[Layer]:
        """The layers of a module whose path is `at` ("" for the outermost)."""
        self._count(at)
        name, place = _bare(module), self._place(module, at)
        if name == "Sequential":
            yield from self._sequence(module, at)
        elif name == "DataParallelTable":  # replicas of one network
            child, inner = self._children(module, at)[0]
            yield from self.layers(child, inner)
        elif name == "ConcatTable":
            for number, (child, inner) in enumerate(self._children(module, at), start=1):
                yield Layer("branch", f"{place}, branch {number},", {})
                yield from self.layers(child, inner)
        elif name in _KINDS:
            yield _checked(Layer(_KINDS[name], place, module.fields))
        elif name not in _TRANSPARENT:
            raise ModelFormatError(f"{place}: no IcGAN network has such a layer there")

    def _sequence(self, module: ObjectRecord, at: str) -> Iterator[Layer]:
        children = self._children(module, at)
        for index, (child, inner) in enumerate(children):
            if _bare(child) == "ParallelTable":
                following = children[index + 1][0] if index + 1 < len(children) else None
                if following is None or _bare(following) != "JoinTable":
                    raise ModelFormatError(f"{self._place(child, inner)} isn't joined again")
                yield from self._maps(child, inner)
            elif _bare(child) == "JoinTable" and index:
                yield self._join(child, inner, *children[index - 1])
            else:
                yield from self.layers(child, inner)

    def _maps(self, fork: ObjectRecord, at: str) -> Iterator[Layer]:
        """The layers before y joins, on the images' side of a ParallelTable."""
        children = self._children(fork, at)
        if len(children) != 2:
            place = self._place(fork, at)
            raise ModelFormatError(f"{place} has {len(children)} parts, not images and y")
        yield from self.layers(*children[0])

    def _join(self, joint: ObjectRecord, at: str, fork: ObjectRecord, fork_at: str) -> Layer:
        place = self._place(joint, at)
        if _bare(fork) != "ParallelTable":
            raise ModelFormatError(f"{place} joins the parts of no ParallelTable")
        labels, inner = self._children(fork, fork_at)[1]
        repeats = tuple(self._repeats(labels, inner))
        return _checked(Layer("joining of y", place, joint.fields, repeats))

    def _repeats(self, module: ObjectRecord, at: str) -> Iterator[int]:
        """How often y is repeated on its side of a ParallelTable."""
        self._count(at)
        if _bare(module) == "Sequential":
            for child, inner in self._children(module, at):
                yield from self._repeats(child, inner)
        elif _bare(module) == "Replicate":
            yield Layer("joining of y", self._place(module, at), module.fields).size("nfeatures")
        elif _bare(module) not in {*_TRANSPARENT, "View", "Reshape"}:
            raise ModelFormatError(f"{self._place(module, at)}: y is only repeated before it joins")

    def _count(self, at: str) -> None:
        # A module may occur in many places, even in itself, so a small file could unfold for ever.
        self._seen += 1
        if self._seen > _MAX_MODULES or at.count(".") > _MAX_DEPTH:
            self._refuse_endless()

    def _refuse_endless(self) -> NoReturn:
        raise ModelFormatError(f"{self._path} holds more modules than any IcGAN network")

    def _children(self, module: ObjectRecord, at: str) -> list[tuple[ObjectRecord, str]]:
        found, modules = [], module.fields.get("modules")
        if not isinstance(modules, dict) or not modules:
            raise ModelFormatError(f"{self._place(module, at)} holds no modules")
        if len(modules) > _MAX_MODULES:  # listed again at each place of the module
            self._refuse_endless()
        for number in range(1, len(modules) + 1):
            child = modules.get(number)
            inner = f"{at}.{number}".lstrip(".")
            if not isinstance(child, ObjectRecord):
                raise ModelFormatError(f"{self._place(module, at)}: module {number} is missing")
            found.append((child, inner))
        return found

    def _place(self, module: ObjectRecord, at: str) -> str:
        where = f"layer {at}" if at else "the network"
        return f"{self._path}: {where} ({shown(module.class_name)})"


def _bare(module: ObjectRecord) -> str:
    """The class without its package, "" if that is neither nn nor cudnn."""
    package, _, name = module.class_name.partition(".")
    return name if package in {"nn", "cudnn"} else ""


def _checked(layer: Layer) -> Layer:
    """Return the layer if IcGAN's networks use its settings, else raise ModelFormatError."""
    fields = layer.fields
    if layer.kind == "ReLU" and (layer.number("threshold", 0), layer.number("val", 0)) != (0, 0):
        layer.refuse("is no ReLU: it has a threshold or value other than 0")
    if layer.kind == "flattening":
        _check_flattening(layer, fields.get("size"))
    if layer.kind == "joining of y":
        # With nInputDims, dimensions are counted without the batch.
        channels = 1 if fields.get("nInputDims") is not None else 2
        if layer.number("dimension") != channels:
            layer.refuse("doesn't join along the channels")
    return layer


def _check_flattening(layer: Layer, size: Record) -> None:
    if not isinstance(size, np.ndarray) or len([n for n in size[:8] if n not in {1, -1}]) > 1:
        layer.refuse("reshapes otherwise than to a vector")
