"""The folder of an export: its files and its record; needs no torch.

``export.json`` records the format, the graphs' files with their SHA-256, and the largest difference
found between each graph's outputs and the networks'. ``config.json`` and ``README.md`` are those of
the model.
"""

import importlib.util
from pathlib import Path
from typing import Literal

from icgan_sdk.artefacts.layout import CARD_FILE, CONFIG_FILE, read_config
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, ModelFormatError, ModelNotFoundError
from icgan_sdk.files import sha256, write_text
from icgan_sdk.versioned import JsonFormat

Format = Literal["onnx", "torch"]

RECORD_FORMAT = JsonFormat(version=1, error=ModelFormatError, remedy="export the model again")
"""The format of export.json. Its version counts for the whole folder and the graphs' interface."""

RECORD_FILE = "export.json"
ENCODER, GENERATOR, PAINTER = "encoder", "generator", "painter"
COMPOSITE, EDIT = "composite", "edit"
GRAPHS = (ENCODER, GENERATOR, PAINTER, COMPOSITE, EDIT)
EXPORT_FILES = (CONFIG_FILE, CARD_FILE, RECORD_FILE, *(f"{name}*" for name in GRAPHS))
"""Names of an export's files, and patterns of the graphs'."""

STEPS = (ENCODER, GENERATOR, PAINTER, COMPOSITE)
"""The graphs an engine runs one by one; `EDIT` is all of them in one."""

SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "torch": ".pt2"}

IMAGES, Z, Y, Y_NEW = "images", "z", "y", "y_new"
PRESENCES, NAMED, PHOTO = "presences", "named", "photo"
REBUILT, EDITED, CHANGE = "rebuilt", "edited", "change"


def check_installed(*packages: str) -> None:
    """Raise ConfigError unless the packages of the extra `onnx` are there."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(f"ONNX needs {' and '.join(missing)}: pip install 'icgan-sdk[onnx]'")


def write_record(folder: Path, form: Format, differences: dict[str, float]) -> None:
    """Write ``export.json`` beside the graphs' files."""
    files = sorted(path for path in folder.iterdir() if path.name.startswith(GRAPHS))
    record = {
        "format": form,
        "files": {path.name: sha256(path) for path in files},
        "largest_difference": differences,
    }
    write_text(folder / RECORD_FILE, RECORD_FORMAT.to_json(record))


def open_graphs(folder: Path) -> tuple[ModelConfig, dict[str, Path]]:
    """Check the folder of an ONNX export.

    Returns:
        The model's config, and the files of the graphs that make up an edit, by name: encoder,
        generator, and painter or composite (which older releases did not write).

    Raises:
        ModelNotFoundError: If there is no such folder.
        ModelFormatError: If it is no ONNX export, incomplete, damaged or of a newer format.
    """
    if not folder.is_dir():
        raise ModelNotFoundError(
            f"no such folder: {folder}; the ONNX runtime takes the folder of an export, which "
            f"'icgan export {folder} -o FOLDER' writes for a model of that name"
        )
    files = _read_record(folder)
    config = read_config(folder, ENCODER + SUFFIXES["onnx"])
    needed = {ENCODER, GENERATOR} | ({PAINTER} if config.painter_size else set())
    graphs = [name for name in STEPS if name in needed or name + SUFFIXES["onnx"] in files]
    for name in graphs:
        _check_files(folder, name + SUFFIXES["onnx"], files)
    return config, {name: folder / (name + SUFFIXES["onnx"]) for name in graphs}


def _check_files(folder: Path, graph: str, files: dict[str, object]) -> None:
    # A graph of more than 2 GB keeps its weights in a second file, encoder.onnx.data.
    for name in [graph, *(n for n in files if n.startswith(graph) and n != graph)]:
        if Path(name).name != name or not (folder / name).is_file():
            raise ModelFormatError(f"{folder} is not a complete export: {name} missing")
        if sha256(folder / name) != files.get(name):
            raise ModelFormatError(
                f"{folder / name} is damaged or was changed: its SHA-256 is not the one in "
                f"{RECORD_FILE}; export the model again"
            )


def _read_record(folder: Path) -> dict[str, object]:
    path = folder / RECORD_FILE
    if not path.is_file():
        raise ModelFormatError(
            f"{folder} is no export ({RECORD_FILE} missing); 'icgan export {folder} -o FOLDER' "
            "makes one of a model"
        )
    record = RECORD_FORMAT.read(path, required=("format", "files"))
    form, files = record["format"], record["files"]
    if not isinstance(files, dict):
        raise RECORD_FORMAT.damaged(path, "files are wrong")
    if form != "onnx":
        raise ModelFormatError(
            f"{folder} is an export of format {form!r}; the ONNX runtime needs --format onnx"
        )
    return files
