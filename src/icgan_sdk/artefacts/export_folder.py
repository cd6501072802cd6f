"""The folder of an export: its files and its record; needs no torch.

``export.json`` records the format, the graphs' files with their SHA-256, and the largest difference
found between each graph's outputs and the networks'. ``config.json`` and ``README.md`` are those of
the model.
"""

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Literal

from icgan_sdk.artefacts.layout import CARD_FILE, CONFIG_FILE, read_config
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, ModelFormatError, ModelNotFoundError, SaveError

Format = Literal["onnx", "torch"]

FORMAT_VERSION = 1
"""Version of the folder's layout and of the graphs' inputs and outputs; newer ones are refused."""

RECORD_FILE = "export.json"
ENCODER, GENERATOR, COMPOSITE, EDIT = "encoder", "generator", "composite", "edit"
GRAPHS = (ENCODER, GENERATOR, COMPOSITE, EDIT)
STEPS = (ENCODER, GENERATOR, COMPOSITE)
"""The graphs an engine runs one by one; `EDIT` is all of them in one."""

SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "torch": ".pt2"}

IMAGES, Z, Y = "images", "z", "y"
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
        "format_version": FORMAT_VERSION,
        "format": form,
        "files": {path.name: _sha256(path) for path in files},
        "largest_difference": differences,
    }
    (folder / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def open_graphs(folder: Path) -> tuple[ModelConfig, dict[str, Path]]:
    """Check the folder of an ONNX export.

    Returns:
        The model's config, and the files of the graphs that make up an edit, by name: encoder,
        generator and, unless an older release wrote the folder, composite.

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
    graphs = [name for name in STEPS if name != COMPOSITE or name + SUFFIXES["onnx"] in files]
    config = read_config(folder, ENCODER + SUFFIXES["onnx"])
    for name in graphs:
        _check_files(folder, name + SUFFIXES["onnx"], files)
    return config, {name: folder / (name + SUFFIXES["onnx"]) for name in graphs}


def _check_files(folder: Path, graph: str, files: dict[str, object]) -> None:
    # A graph of more than 2 GB keeps its weights in a second file, encoder.onnx.data.
    for name in [graph, *(n for n in files if n.startswith(graph) and n != graph)]:
        if Path(name).name != name or not (folder / name).is_file():
            raise ModelFormatError(f"{folder} is not a complete export: {name} missing")
        if _sha256(folder / name) != files.get(name):
            raise ModelFormatError(
                f"{folder / name} is damaged or was changed: its SHA-256 is not the one in "
                f"{RECORD_FILE}; export the model again"
            )


def check_replaceable(folder: Path) -> None:
    """Raise SaveError if writing an export there would remove anything but an export."""
    if not folder.is_dir():
        return
    names = {path.name for path in folder.iterdir()}
    ours = {CONFIG_FILE, CARD_FILE, RECORD_FILE} if RECORD_FILE in names else set()
    others = sorted(n for n in names - ours if not (ours and n.startswith(GRAPHS)))
    if others:
        raise SaveError(
            f"{folder} holds other files ({', '.join(others[:3])}), which exporting there would "
            "remove; choose a new or empty folder"
        )


def _read_record(folder: Path) -> dict[str, object]:
    path = folder / RECORD_FILE
    if not path.is_file():
        raise ModelFormatError(
            f"{folder} is no export ({RECORD_FILE} missing); 'icgan export {folder} -o FOLDER' "
            "makes one of a model"
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        version, form, files = (record[k] for k in ("format_version", "format", "files"))
    except (OSError, ValueError, RecursionError, TypeError, KeyError) as error:
        raise ModelFormatError(f"{path} is damaged: {type(error).__name__} {error}") from error
    if type(version) is not int or version < 1 or not isinstance(files, dict):
        raise ModelFormatError(f"{path} is damaged: format_version or files are wrong")
    if version > FORMAT_VERSION:
        raise ModelFormatError(
            f"{path} has format version {version}, this icgan-sdk reads up to {FORMAT_VERSION}; "
            "upgrade it: pip install -U icgan-sdk"
        )
    if form != "onnx":
        raise ModelFormatError(
            f"{folder} is an export of format {form!r}; the ONNX runtime needs --format onnx"
        )
    return files


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
