"""The artefact folder's file names, its config.json, and what its weights are; without torch."""

import math
from collections import Counter
from pathlib import Path

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, ModelFormatError, ModelNotFoundError
from icgan_sdk.extensions import source_of
from icgan_sdk.versioned import JsonFormat

CONFIG_FORMAT = JsonFormat(version=1, error=ModelFormatError)
"""The format of config.json. Its version counts for the whole folder."""

CONFIG_FILE = "config.json"
PLUGINS = "plugins"
"""Key in config.json of the packages that the architectures come from, where others made them."""

WEIGHTS_FILE = "model.safetensors"
CRITIC_FILE = "critic.safetensors"
"""The painter's critic, which only training opens; see `icgan_sdk.artefacts.critic`."""

CARD_FILE = "README.md"

ARTEFACT_FOLDER, RUN_CONFIG_FILE = "artefact", "config.toml"
"""In the folder of a training run: the model that it made, and the run's own config."""

RECORD_FILE = "export.json"
ENCODER, READER, GENERATOR = "encoder", "reader", "generator"
PAINTER, COMPOSITE, EDIT = "painter", "composite", "edit"
STEPS = (ENCODER, READER, GENERATOR, PAINTER, COMPOSITE)
"""The graphs an engine runs one by one; `EDIT` is all of them in one."""

GRAPH_FILES = (RECORD_FILE, *(f"{name}.onnx" for name in STEPS))
"""What `icgan_sdk.export.write_graphs` puts beside the weights."""

ARTEFACT_FILES = (CONFIG_FILE, WEIGHTS_FILE, CRITIC_FILE, CARD_FILE, *GRAPH_FILES)

STATISTICS = (".running_mean", ".running_var")
"""How tensors end that are no parameters but batch norm's."""

PICKLE_SUFFIXES = frozenset({".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth"})


def config_to_json(config: ModelConfig) -> str:
    """The text of config.json: the format's version, `ModelConfig.to_dict`, and its plug-ins."""
    kinds = {
        "generator": config.generator,
        "encoder": config.encoder,
        "painter": config.painter_architecture,
    }
    plugins = sorted({source_of(kind, name) for kind, name in kinds.items()} - {""})
    return CONFIG_FORMAT.to_json({**config.to_dict(), **({PLUGINS: plugins} if plugins else {})})


def read_config(folder: Path, weights: str = WEIGHTS_FILE) -> ModelConfig:
    """Read and check the config.json of an artefact folder.

    Args:
        folder: The folder.
        weights: Name of the weights file, which must lie beside it.

    Raises:
        ModelNotFoundError: If there is no such folder.
        ModelFormatError: If a file is missing, or the config is damaged, of a newer format or
            inconsistent.
    """
    _check_files(folder, weights)
    path = folder / CONFIG_FILE
    plain = CONFIG_FORMAT.read(path)
    plain.pop(PLUGINS, None)
    try:
        return ModelConfig.from_dict(plain)
    except ConfigError as error:
        raise ModelFormatError(f"{path}: {error}") from error


def read_plugins(folder: Path) -> list[str]:
    """The plug-ins that the architectures of an artefact folder come from."""
    plugins = CONFIG_FORMAT.read(folder / CONFIG_FILE).get(PLUGINS)
    return [str(name) for name in plugins] if isinstance(plugins, list) else []


def count_parameters(folder: Path, config: ModelConfig) -> dict[str, int]:
    """Parameters of each network in an artefact folder, by the weights' header.

    Raises:
        ModelFormatError: If it can't be read, or the networks are not those of the config.
    """
    from safetensors import SafetensorError, safe_open

    path, counts = folder / WEIGHTS_FILE, Counter[str]()
    try:
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118
                if not name.endswith(STATISTICS):
                    network = name.partition(".")[0]
                    counts[network] += math.prod(file.get_slice(name).get_shape())
    except (SafetensorError, OSError) as error:
        raise unreadable(path, error) from error
    encoders = ["encoder"] if config.encoder_design == "sng" else ["encoder_z", "encoder_y"]
    known = ["generator", *encoders, "painter", "discriminator"]
    missing = {"generator", encoders[0]} - counts.keys()
    if missing or counts.keys() - {*known} or ("painter" in counts) != (config.painter_size > 0):
        raise ModelFormatError(f"{path} doesn't fit {CONFIG_FILE}: it holds {', '.join(counts)}")
    return {network: counts[network] for network in known if network in counts}


def unreadable(path: Path, error: Exception) -> ModelFormatError:
    """The error for weights that can't be read."""
    return ModelFormatError(f"{path} can't be read, it may be damaged: {error}")


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
