"""The folder of an export: its files and its record; needs no torch.

``export.json`` records the format, the graphs' files with their SHA-256, and the largest difference
found between each graph's outputs and the networks'. ``config.json`` and ``README.md`` are those of
the model, but for the config's list of files of weights. Graphs that lie beside a model's weights
hold none: they point into the files of their networks, whose SHA-256 are recorded for each graph,
and into the package's own `FACES_FILE`.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from icgan_sdk.artefacts.layout import (
    CARD_FILE,
    CONFIG_FILE,
    EDIT,
    ENCODER,
    GENERATOR,
    GRAPH_FILES,
    PAINTER,
    QUALITY_FILE,
    RECORD_FILE,
    STEPS,
    WEIGHTS_FILE,
    read_config,
)
from icgan_sdk.checks import require
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ModelFormatError, ModelNotFoundError
from icgan_sdk.files import sha256, write_text
from icgan_sdk.versioned import JsonFormat

Format = Literal["onnx", "torch"]

RECORD_FORMAT = JsonFormat(version=1, error=ModelFormatError, remedy="export the model again")
"""The format of export.json. Its version counts for the whole folder and the graphs' interface."""

GRAPHS = (*STEPS, EDIT)
EXPORT_FILES = (CONFIG_FILE, CARD_FILE, QUALITY_FILE, RECORD_FILE, *(f"{name}*" for name in GRAPHS))
"""Names of an export's files, and patterns of the graphs'."""

SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "torch": ".pt2"}

IMAGES, Z, Y, Y_NEW = "images", "z", "y", "y_new"
PRESENCES, NAMED, PHOTO = "presences", "named", "photo"
REBUILT, EDITED, CHANGE = "rebuilt", "edited", "change"


class Graphs(NamedTuple):
    """The graphs that make up an edit.

    Attributes:
        config: The model's.
        files: The graphs' files by name: encoder, generator, painter or composite, and reader
            (older releases wrote neither composite nor reader).
        sums: The files of weights that each graph points into, with their SHA-256; none, if it
            holds its own.
    """

    config: ModelConfig
    files: dict[str, Path]
    sums: dict[str, dict[Path, str]]

    def check_weights(self, name: str) -> list[Path]:
        """The files of weights that a graph needs.

        Raises:
            ModelFormatError: If one is missing, or was changed after the graph was written.
        """
        for path, expected in self.sums[name].items():
            _check_hash(path, expected)
        return list(self.sums[name])


def has_graphs(folder: Path) -> bool:
    """Whether graphs lie in a folder; `open_graphs` checks them."""
    return (folder / RECORD_FILE).is_file()


def copy_graphs(source: Path, folder: Path) -> None:
    """Copy the graphs beside a model's weights, if there are any, to a copy of the same weights."""
    if not has_graphs(source):
        return
    record = _read_record(source)
    sums = {name: sum_ for found in _sums(source, record).values() for name, sum_ in found.items()}
    if not sums or any(
        not (folder / n).is_file() or sha256(folder / n) != s for n, s in sums.items()
    ):
        return
    for name in (*record["files"], RECORD_FILE):
        if name in GRAPH_FILES:
            shutil.copyfile(source / name, folder / name)


def check_installed(*packages: str) -> None:
    """Raise ConfigError unless packages of the extra `onnx` are there, and can be loaded."""
    for name in packages:
        require(name, f"writing ONNX needs {name}: pip install 'icgan-sdk[onnx]'")


def write_record(
    folder: Path,
    form: Format,
    differences: dict[str, float],
    weights: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Write ``export.json`` beside the graphs' files.

    Args:
        folder: Where they lie.
        form: Their format.
        differences: The largest difference found, by graph.
        weights: For each graph's file those that it points into, with their SHA-256, if the graphs
            hold no weights.
    """
    files = sorted(path for path in folder.iterdir() if path.name.startswith(GRAPHS))
    record: dict[str, object] = {
        "format": form,
        "files": {path.name: sha256(path) for path in files},
        "largest_difference": differences,
    }
    if weights is not None:
        record["weights"] = weights
    write_text(folder / RECORD_FILE, RECORD_FORMAT.to_json(record))


def open_graphs(folder: Path) -> Graphs:
    """Check the folder of an ONNX export, or of a model with graphs beside its weights.

    The weights are not looked at; see `Graphs.check_weights`.

    Raises:
        ModelNotFoundError: If there is no such folder.
        ModelFormatError: If it holds no ONNX graphs, or is incomplete, damaged or of a newer
            format.
    """
    if not folder.is_dir():
        raise ModelNotFoundError(
            f"no such folder: {folder}; the ONNX runtime takes a model with graphs beside its "
            "weights, or the folder of an export ('icgan export')"
        )
    record = _read_record(folder)
    files: dict[str, object] = record["files"]
    config = read_config(folder)
    needed = {ENCODER, GENERATOR} | ({PAINTER} if config.painter_size else set())
    graphs = [name for name in STEPS if name in needed or name + SUFFIXES["onnx"] in files]
    for name in graphs:
        _check_files(folder, name + SUFFIXES["onnx"], files)
    paths = {name: folder / (name + SUFFIXES["onnx"]) for name in graphs}
    sums = _sums(folder, record)
    found = {name: sums.get(path.name, {}) for name, path in paths.items()}
    return Graphs(
        config,
        paths,
        {name: {folder / n: s for n, s in files.items()} for name, files in found.items()},
    )


def _sums(folder: Path, record: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The files of weights of each graph's file, with their SHA-256."""
    sums = record.get("weights", {})
    if isinstance(sums, str):  # an older release's: all weights are in one file
        return {name: {WEIGHTS_FILE: sums} for name in record["files"]}
    wrong = not isinstance(sums, dict) or not all(
        isinstance(files, dict) for files in sums.values()
    )
    if wrong or any(Path(name).name != name for files in sums.values() for name in files):
        raise RECORD_FORMAT.damaged(folder / RECORD_FILE, "weights are wrong")
    return dict(sums)


def _check_files(folder: Path, graph: str, files: dict[str, object]) -> None:
    # A graph of more than 2 GB keeps its weights in a second file, encoder.onnx.data.
    for name in [graph, *(n for n in files if n.startswith(graph) and n != graph)]:
        if Path(name).name != name or not (folder / name).is_file():
            raise ModelFormatError(f"{folder} is not a complete export: {name} missing")
        _check_hash(folder / name, files.get(name))


def _check_hash(path: Path, expected: object) -> None:
    if not path.is_file():
        raise ModelFormatError(f"{path.parent} is not a complete model: {path.name} missing")
    if sha256(path) != expected:
        raise ModelFormatError(
            f"{path} is damaged or was changed: its SHA-256 is not the one in {RECORD_FILE}; "
            "export the model again"
        )


def _read_record(folder: Path) -> dict[str, Any]:
    path = folder / RECORD_FILE
    if not path.is_file():
        raise ModelFormatError(
            f"{folder} holds no graphs ({RECORD_FILE} missing): 'icgan export {folder}' writes "
            "them beside the weights of a model"
        )
    record = RECORD_FORMAT.read(path, required=("format", "files"))
    form, files = record["format"], record["files"]
    if not isinstance(files, dict):
        raise RECORD_FORMAT.damaged(path, "files are wrong")
    if form != "onnx":
        raise ModelFormatError(
            f"{folder} is an export of format {form!r}; the ONNX runtime needs --format onnx"
        )
    return record
