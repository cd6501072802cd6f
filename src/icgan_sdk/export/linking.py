"""Graphs that hold no weights of their own, but point into ``model.safetensors``.

A safetensors file holds raw little-endian tensors, as ONNX's external data are. Weights of half
precision stay as they are; a Cast in the graph widens them when it is loaded.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from icgan_sdk.artefacts.layout import WEIGHTS_FILE

PREFIX = "networks."
"""What precedes a tensor's name in a graph: the graphs' modules hold the networks under it."""

SMALLEST = 64
"""Tensors of fewer numbers stay in the graph."""

TYPES: dict[str, tuple[int, type[np.floating]]] = {
    "F16": (onnx.TensorProto.FLOAT16, np.float16),
    "F32": (onnx.TensorProto.FLOAT, np.float32),
}


class Place(NamedTuple):
    """Where a tensor lies in the weights' file: its type and shape, its first and last byte + 1."""

    dtype: str
    shape: list[int]
    start: int
    end: int


def link(model: onnx.ModelProto, weights: Path) -> None:
    """Replace the weights in a graph by pointers into the file they came from.

    Args:
        model: Changed in place.
        weights: A safetensors file, next to which the graph is going to lie.
    """
    places, content = find_tensors(weights), np.memmap(weights, np.uint8, "r")
    graph, casts = model.graph, []
    for tensor in list(graph.initializer):
        place = places.get(tensor.name.removeprefix(PREFIX))
        if place is None or not _is_same(tensor, place, content):
            continue
        stored = _pointer(tensor.name, place)
        graph.initializer.remove(tensor)
        if place.dtype == "F16":
            stored.name += ".stored"
            casts.append(
                helper.make_node("Cast", [stored.name], [tensor.name], to=onnx.TensorProto.FLOAT)
            )
        graph.initializer.append(stored)
    nodes = [*casts, *graph.node]
    for described in (*nodes, *graph.value_info, *graph.input, *graph.output):
        described.ClearField("metadata_props")  # where each came from in the exporting program
    del graph.node[:]
    graph.node.extend(nodes)


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


def _is_same(tensor: onnx.TensorProto, place: Place, content: npt.NDArray[np.uint8]) -> bool:
    """Whether a graph's tensor is the file's, and no product of a folding."""
    if list(tensor.dims) != place.shape or np.prod(place.shape) < SMALLEST:
        return False
    stored = content[place.start : place.end].view(TYPES[place.dtype][1])
    return np.array_equal(stored.astype(np.float32), numpy_helper.to_array(tensor).ravel())


def _pointer(name: str, place: Place) -> onnx.TensorProto:
    pointer = onnx.TensorProto(
        name=name,
        dims=place.shape,
        data_type=TYPES[place.dtype][0],
        data_location=onnx.TensorProto.EXTERNAL,
    )
    for key, value in (
        ("location", WEIGHTS_FILE),
        ("offset", place.start),
        ("length", place.end - place.start),
    ):
        pointer.external_data.add(key=key, value=str(value))
    return pointer
