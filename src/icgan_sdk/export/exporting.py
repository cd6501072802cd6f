"""Models to folders of graphs, each compared with the networks before the folder appears."""

import io
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import product
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from icgan_sdk.artefacts.export_folder import (
    EXPORT_FILES,
    SUFFIXES,
    Format,
    check_installed,
    write_record,
)
from icgan_sdk.artefacts.layout import (
    CARD_FILE,
    CONFIG_FILE,
    EDIT,
    QUALITY_FILE,
    RECORD_FILE,
    config_to_json,
    read_artefact,
)
from icgan_sdk.artefacts.resolving import resolve
from icgan_sdk.artefacts.store import load_artefact
from icgan_sdk.bundled import FACES_FILE
from icgan_sdk.engines.onnxruntime import open_session, run_session
from icgan_sdk.errors import SaveError
from icgan_sdk.export.graphs import Graph, make_graphs
from icgan_sdk.files import atomic_file, atomic_folder, check_replaceable, sha256
from icgan_sdk.model import IcGANNetworks

OPSET = 20
"""ONNX operator set; runtimes know it since the end of 2023 (ONNX 1.15, onnxruntime 1.17)."""

TOLERANCE = 1e-4
"""Largest difference of any number a graph gives from what the networks give."""

TRACED_BATCH = 2
"""Batch of the examples for tracing; neither 0 nor 1, which tracing takes for fixed sizes."""

CHECKED_BATCHES = (1, 3)

Inputs = dict[str, Tensor]
Run = Callable[[Inputs], Sequence[Tensor]]
Writer = Callable[[Graph, ExportedProgram, Path], Run]


def export_onnx(model: str | os.PathLike[str], folder: str | os.PathLike[str]) -> dict[str, float]:
    """Write a model as ONNX: ``encoder.onnx``, ``generator.onnx``, ``edit.onnx`` (a whole edit).

    Beside them lie the model's ``config.json`` and card, and the record ``export.json``. Batches
    may have any size, numbers are float32. ``IcGAN.from_pretrained(folder, runtime="onnx")`` runs
    the folder without torch.

    Args:
        model: As for `IcGAN.from_pretrained`.
        folder: New or empty, or an earlier export, which is replaced.

    Returns:
        By file, the largest difference found between its outputs under onnxruntime and the
        networks', at most `TOLERANCE`.

    Raises:
        ConfigError: If a package of the extra ``onnx`` is missing.
        ModelNotFoundError: If there is no such model.
        ModelFormatError: If the model's files are damaged.
        DownloadError: If the Hub's repository can't be fetched.
        SaveError: If the folder holds other files or can't be written, or a graph's outputs differ;
            nothing is then written.
    """
    check_installed("onnx", "onnxscript")
    return _export(model, folder, "onnx", _write_onnx)


def export_torch(model: str | os.PathLike[str], folder: str | os.PathLike[str]) -> dict[str, float]:
    """Write a model as `torch.export` archives: ``encoder.pt2``, ``generator.pt2``, ``edit.pt2``.

    They run where torch is, without this package: ``torch.export.load(path).module()``.

    Args:
        model: As for `IcGAN.from_pretrained`.
        folder: New or empty, or an earlier export, which is replaced.

    Returns:
        By file, the largest difference found between its outputs and the networks', at most
        `TOLERANCE`.

    Raises:
        ModelNotFoundError: If there is no such model.
        ModelFormatError: If the model's files are damaged.
        DownloadError: If the Hub's repository can't be fetched.
        SaveError: If the folder holds other files or can't be written, or a graph's outputs differ;
            nothing is then written.
    """
    return _export(model, folder, "torch", _write_torch)


def write_graphs(model: str | os.PathLike[str]) -> dict[str, float]:
    """Put ONNX graphs beside a model's weights, which they use: some hundred KB in all.

    ``IcGAN.from_pretrained(…, runtime="onnx")`` then runs the model without torch.

    Args:
        model: As for `IcGAN.from_pretrained`.

    Returns:
        As `export_onnx`.

    Raises:
        ConfigError: If a package of the extra ``onnx`` is missing.
        ModelNotFoundError: If there is no such model.
        ModelFormatError: If the model's files are damaged.
        SaveError: If its folder can't be written, or a graph's outputs differ; nothing is then
            written.
    """
    check_installed("onnx", "onnxscript")
    source = resolve(model)
    networks = load_artefact(source).requires_grad_(False)
    weights = list(dict.fromkeys(read_artefact(source).files.values()))
    with tempfile.TemporaryDirectory() as temporary:
        folder, graphs = Path(temporary), make_graphs(networks, TRACED_BATCH, photo=True)
        steps = [graph for graph in graphs if graph.name != EDIT]  # which is for other programs
        write = partial(_write_onnx, weights=weights)
        differences = _write_checked(networks, steps, folder, "onnx", write)
        write_record(folder, "onnx", differences, _sums(weights, folder, differences))
        for name in (*differences, RECORD_FILE):  # the record last: it refuses other graphs
            with atomic_file(source / name) as target:
                target.write_bytes((folder / name).read_bytes())
    return differences


def _sums(weights: Sequence[Path], folder: Path, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """For each graph's file those of the weights that it points into, with their SHA-256."""
    from icgan_sdk.export.linking import files_behind

    sums = {path.name: sha256(path) for path in weights}
    return {
        name: {file: sums[file] for file in sorted(files_behind(folder / name) & sums.keys())}
        for name in names
    }


def _export(
    model: str | os.PathLike[str], folder: str | os.PathLike[str], form: Format, write: Writer
) -> dict[str, float]:
    folder = Path(folder)
    check_replaceable(folder, EXPORT_FILES, marker=RECORD_FILE, deed="exporting")
    source = resolve(model)
    networks = load_artefact(source).requires_grad_(False)
    with atomic_folder(folder) as temporary:
        graphs = make_graphs(networks, TRACED_BATCH, photo=True)
        differences = _write_checked(networks, graphs, temporary, form, write)
        (temporary / CONFIG_FILE).write_text(config_to_json(networks.config), encoding="utf-8")
        for name in (CARD_FILE, QUALITY_FILE):
            if (source / name).is_file():
                (temporary / name).write_bytes((source / name).read_bytes())
        write_record(temporary, form, differences)
    return differences


def _write_checked(
    networks: IcGANNetworks, graphs: Sequence[Graph], folder: Path, form: Format, write: Writer
) -> dict[str, float]:
    """Write graphs and compare each with the networks; the largest differences by file."""
    differences = {}
    for graph in graphs:
        path = folder / (graph.name + SUFFIXES[form])
        run = write(graph, _trace(graph), path)
        differences[path.name] = _check(_compare(networks, graph.name, run), path)
    return differences


def _trace(graph: Graph) -> ExportedProgram:
    shapes = tuple({0: Dim("batch", min=1)} if x.ndim else None for x in graph.inputs.values())
    with torch.no_grad():
        program = torch.export.export(
            graph.module, tuple(graph.inputs.values()), dynamic_shapes=shapes
        )
    for module in program.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in module.graph.nodes:
                # Holds the names of files and folders on the exporting machine.
                node.meta.pop("stack_trace", None)
    return program


def _write_onnx(
    graph: Graph, program: ExportedProgram, path: Path, weights: Sequence[Path] = ()
) -> Run:
    """Write a graph with its weights, or with pointers into files of weights."""
    exported = torch.onnx.export(
        program,
        (),
        dynamo=True,
        input_names=list(graph.inputs),
        output_names=list(graph.outputs),
        opset_version=OPSET,
        optimize=not weights,  # which folds weights into others
        verbose=False,
    )
    assert exported is not None  # as dynamo=True promises
    if not weights:
        exported.save(path)
    else:
        from icgan_sdk.export.linking import link

        model = exported.model_proto
        link(model, weights)
        path.write_bytes(model.SerializeToString())
    session = open_session(path, weights=[*weights, FACES_FILE] if weights else [])

    def run(inputs: Inputs) -> list[Tensor]:
        arrays = run_session(session, {name: x.numpy() for name, x in inputs.items()})
        return [torch.from_numpy(array) for array in arrays]

    return run


def _write_torch(graph: Graph, program: ExportedProgram, path: Path) -> Run:
    del graph
    buffer = io.BytesIO()  # what can't be written is then an OSError, not torch's RuntimeError
    torch.export.save(program, buffer)
    path.write_bytes(buffer.getbuffer())
    return partial(_call, torch.export.load(path).module())


def _call(module: nn.Module, inputs: Inputs) -> Sequence[Tensor]:
    with torch.no_grad():
        outputs = module(*inputs.values())
    return [outputs] if isinstance(outputs, Tensor) else outputs


def _compare(networks: IcGANNetworks, name: str, run: Run) -> float:
    """The largest difference of a written graph's outputs from the networks'."""
    largest = 0.0
    for seed, (batch, photo) in enumerate(product(CHECKED_BATCHES, (False, True)), start=1):
        graphs = make_graphs(networks, batch, photo=photo, seed=seed)
        graph = next(graph for graph in graphs if graph.name == name)
        expected, found = _call(graph.module, graph.inputs), run(graph.inputs)
        for ours, theirs in zip(expected, found, strict=True):
            # Of a model without attributes, y has no numbers.
            difference = (ours - theirs).abs().max() if ours.numel() else torch.zeros(())
            largest = max(largest, difference.nan_to_num(nan=torch.inf).item())
    return largest


def _check(difference: float, path: Path) -> float:
    if difference > TOLERANCE:
        raise SaveError(
            f"{path.name} gives other numbers than the networks: they differ by up to "
            f"{difference:.2g}, more than {TOLERANCE:g}; nothing was written"
        )
    return difference
