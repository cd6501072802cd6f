"""Graphs that hold no weights of their own, but point into the files of a model's networks.

A safetensors file holds raw little-endian tensors, as ONNX's external data are. Weights of half
precision stay as they are; a Cast in the graph widens them when it is loaded. Those of the
face-recognition network lie in a file of the package, as bytes with a factor for each output.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from icgan_sdk.bundled import FACES_FILE, FACTOR

PREFIX = "networks."
"""What precedes a tensor's name in a graph: the graphs' modules hold the networks under it."""

FACES = "encoder_z.faces.network."
"""What precedes, after it, the names of the face-recognition network's tensors."""

SMALLEST = 64
"""Tensors of fewer numbers stay in the graph."""

TYPES: dict[str, tuple[int, type[np.number]]] = {
    "I8": (onnx.TensorProto.INT8, np.int8),
    "F16": (onnx.TensorProto.FLOAT16, np.float16),
    "F32": (onnx.TensorProto.FLOAT, np.float32),
}


class Place(NamedTuple):
    """Where a tensor lies in a file of weights: its type and shape, its first and last byte + 1."""

    dtype: str
    shape: list[int]
    start: int
    end: int


class WeightsFile:
    """A safetensors file that graphs may point into.

    Args:
        path: The file; graphs call it by its name.
        prefix: What precedes the names of its tensors in a graph.
    """

    def __init__(self, path: Path, prefix: str) -> None:
        self._places, self._content = find_tensors(path), np.memmap(path, np.uint8, "r")
        self._location, self._prefix = path.name, prefix

    def holds(self, tensor: onnx.TensorProto) -> bool:
        """Whether a graph's tensor is one of the file's, and no product of a folding."""
        name = tensor.name.removeprefix(self._prefix)
        place = self._places.get(name)
        if place is None or list(tensor.dims) != place.shape or np.prod(place.shape) < SMALLEST:
            return False
        stored = self._read(name)
        if (name + FACTOR) in self._places:
            stored *= self._read(name + FACTOR).reshape(_by_output(place.shape))
        return np.array_equal(stored, numpy_helper.to_array(tensor))

    def point(self, name: str) -> tuple[list[onnx.TensorProto], list[onnx.NodeProto]]:
        """Pointers to a tensor that the file holds, and what makes the graph's tensor of them."""
        stored = name.removeprefix(self._prefix)
        place = self._places[stored]
        if place.dtype == "F32":
            return [self._pointer(name, stored, place.shape)], []
        narrow, wide, factor = f"{name}.stored", f"{name}.wide", name + FACTOR
        pointers = [self._pointer(narrow, stored, place.shape)]
        if (stored + FACTOR) not in self._places:
            return pointers, [_widening(narrow, name)]
        pointers.append(self._pointer(factor, stored + FACTOR, _by_output(place.shape)))
        product = helper.make_node("Mul", [wide, factor], [name])
        return pointers, [_widening(narrow, wide), product]

    def _read(self, name: str) -> npt.NDArray[np.float32]:
        place = self._places[name]
        stored = self._content[place.start : place.end].view(TYPES[place.dtype][1])
        return stored.astype(np.float32).reshape(place.shape)

    def _pointer(self, name: str, stored: str, shape: list[int]) -> onnx.TensorProto:
        place = self._places[stored]
        pointer = onnx.TensorProto(
            name=name,
            dims=shape,
            data_type=TYPES[place.dtype][0],
            data_location=onnx.TensorProto.EXTERNAL,
        )
        for key, value in (
            ("location", self._location),
            ("offset", place.start),
            ("length", place.end - place.start),
        ):
            pointer.external_data.add(key=key, value=str(value))
        return pointer


def link(model: onnx.ModelProto, weights: Sequence[Path]) -> None:
    """Replace the weights in a graph by pointers into the files they came from.

    Args:
        model: Changed in place.
        weights: The safetensors files of the model, next to which the graph is going to lie.
    """
    files = [
        *(WeightsFile(path, PREFIX) for path in weights),
        WeightsFile(FACES_FILE, PREFIX + FACES),
    ]
    graph, first = model.graph, []
    for tensor, file in _found(graph, files):
        pointers, nodes = file.point(tensor.name)
        graph.initializer.remove(tensor)
        graph.initializer.extend(pointers)
        first += nodes
    nodes = [*first, *graph.node]
    for described in (graph, *nodes, *graph.value_info, *graph.input, *graph.output):
        described.ClearField("metadata_props")  # where each came from in the exporting program
    del graph.node[:]
    graph.node.extend(nodes)


def files_behind(graph: Path) -> set[str]:
    """The names of the files that a graph points into."""
    tensors = onnx.load(graph, load_external_data=False).graph.initializer
    entries = (entry for tensor in tensors for entry in tensor.external_data)
    return {entry.value for entry in entries if entry.key == "location"}


def find_tensors(weights: Path) -> dict[str, Place]:
    """Where the tensors lie in a safetensors file, by name."""
    with weights.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    header.pop("__metadata__", None)
    return {
        name: Place(
            entry["dtype"], entry["shape"], *(8 + size + at for at in entry["data_offsets"])
        )
        for name, entry in header.items()
    }


def _found(
    graph: onnx.GraphProto, files: list[WeightsFile]
) -> Iterator[tuple[onnx.TensorProto, WeightsFile]]:
    for tensor in list(graph.initializer):
        for file in files:
            if file.holds(tensor):
                yield tensor, file
                break


def _widening(stored: str, name: str) -> onnx.NodeProto:
    return helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT)


def _by_output(shape: list[int]) -> list[int]:
    """The shape of factors that belong to a tensor's outputs."""
    return [shape[0], *[1] * (len(shape) - 1)]
