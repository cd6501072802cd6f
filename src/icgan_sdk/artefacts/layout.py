"""The artefact folder's files and its config.json; reads no weights, so it needs no torch."""

import json
from pathlib import Path
from typing import Any

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, ModelFormatError, ModelNotFoundError

FORMAT_VERSION = 1
"""Version of the folder's layout; newer ones are refused."""

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
CARD_FILE = "README.md"
ARTEFACT_FILES = (CONFIG_FILE, WEIGHTS_FILE, CARD_FILE)

PICKLE_SUFFIXES = frozenset({".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth"})


def config_to_json(config: ModelConfig) -> str:
    """The text of config.json: the format's version and `ModelConfig.to_dict`."""
    return json.dumps({"format_version": FORMAT_VERSION, **config.to_dict()}, indent=2) + "\n"


def read_config(folder: Path, weights: str = WEIGHTS_FILE) -> ModelConfig:
    """Read and check the config.json of an artefact folder.

    Args:
        folder: The folder.
        weights: The file of weights that must be there beside it.

    Raises:
        ModelNotFoundError: If there is no such folder.
        ModelFormatError: If a file is missing, or the config is damaged, of a newer format or
            inconsistent.
    """
    _check_files(folder, weights)
    path = folder / CONFIG_FILE
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFormatError(f"{path} is not valid JSON, it may be damaged: {error}") from error
    if not isinstance(plain, dict):
        raise ModelFormatError(f"{path} must hold a JSON object, not {type(plain).__name__}")
    _check_version(plain.pop("format_version", None), path)
    return _parse_config(plain, path)


def _parse_config(plain: dict[str, Any], path: Path) -> ModelConfig:
    try:
        return ModelConfig.from_dict(plain)
    except ConfigError as error:
        raise ModelFormatError(f"{path}: {error}") from error


def _check_files(folder: Path, weights: str) -> None:
    if not folder.exists():
        raise ModelNotFoundError(f"no such model folder: {folder}")
    if not folder.is_dir():
        raise ModelNotFoundError(
            f"{folder} is a file; give the folder that holds {CONFIG_FILE} and {weights}"
        )
    missing = [name for name in (CONFIG_FILE, weights) if not (folder / name).is_file()]
    pickles = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in PICKLE_SUFFIXES)
    if weights in missing and pickles:
        raise ModelFormatError(
            f"{folder} holds no {weights}, only {', '.join(pickles)}: pickled weights can run "
            "code when they are opened, so they are refused; save them as safetensors first"
        )
    if missing:
        raise ModelFormatError(f"{folder} is not a complete model: {' and '.join(missing)} missing")


def _check_version(version: object, path: Path) -> None:
    if type(version) is not int or version < 1:
        raise ModelFormatError(f"{path}: format_version must be a whole number, not {version!r}")
    if version > FORMAT_VERSION:
        raise ModelFormatError(
            f"{path} has format version {version}, this icgan-sdk reads up to {FORMAT_VERSION}; "
            "upgrade it: pip install -U icgan-sdk"
        )
