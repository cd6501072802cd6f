"""The artefact folder's file names, its config.json, and what its weights are; without torch.

Each network has a file of its own, ``generator.safetensors`` …, and the key ``networks`` of
config.json lists them. The files, not a table of tensors, are the unit: a tensor's name begins with
its network's, and one network can be replaced alone. Folders of older releases hold all networks in
`WEIGHTS_FILE`.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, ModelFormatError, ModelNotFoundError
from icgan_sdk.extensions import source_of
from icgan_sdk.files import sha256
from icgan_sdk.versioned import JsonFormat


def network_file(network: str) -> str:
    """The name of a network's file."""
    return f"{network}.safetensors"


def network_of(tensor: str) -> str:
    """The network that a tensor belongs to, by its name."""
    return tensor.partition(".")[0]


CONFIG_FORMAT = JsonFormat(version=2, error=ModelFormatError)
"""The format of config.json. Its version counts for the whole folder; 1 had a single file."""

CONFIG_FILE = "config.json"
PLUGINS = "plugins"
"""Key in config.json of the packages that the architectures come from, where others made them."""

CARD_FILE = "README.md"
WEIGHTS_FILE = "model.safetensors"

NETWORKS = ("generator", "encoder", "encoder_z", "encoder_y", "painter", "discriminator")
"""All that a model may have."""

CRITIC_FILE = "critic.safetensors"
"""The painter's critic, which only training opens; see `icgan_sdk.artefacts.critic`."""

QUALITY_FILE = "quality.json"
"""How real each edit looks; see `icgan_sdk.artefacts.quality`."""

ARTEFACT_FOLDER, RUN_CONFIG_FILE = "artefact", "config.toml"
"""In the folder of a training run: the model that it made, and the run's own config."""

RECORD_FILE = "export.json"
ENCODER, READER, GENERATOR = "encoder", "reader", "generator"
PAINTER, COMPOSITE, EDIT = "painter", "composite", "edit"
STEPS = (ENCODER, READER, GENERATOR, PAINTER, COMPOSITE)
"""The graphs an engine runs one by one; `EDIT` is all of them in one."""

GRAPH_FILES = (RECORD_FILE, *(f"{name}.onnx" for name in STEPS))
"""What `icgan_sdk.export.write_graphs` puts beside the weights."""

WEIGHTS_FILES = (WEIGHTS_FILE, *map(network_file, NETWORKS))

ARTEFACT_FILES = (CONFIG_FILE, *WEIGHTS_FILES, CRITIC_FILE, QUALITY_FILE, CARD_FILE, *GRAPH_FILES)

STATISTICS = (".running_mean", ".running_var")
"""How tensors end that are no parameters but batch norm's."""

PICKLE_SUFFIXES = frozenset({".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth"})


INDEX = "networks"
"""The key of config.json that lists the networks that have files."""


class Artefact(NamedTuple):
    """What an artefact folder says of itself.

    Attributes:
        config: The model's.
        files: The file of each network; one and the same in folders of older releases.
    """

    config: ModelConfig
    files: dict[str, Path]


def config_to_json(config: ModelConfig, networks: Sequence[str] = ()) -> str:
    """The text of config.json: the format's version, `ModelConfig.to_dict`, and its plug-ins.

    Args:
        config: The model's.
        networks: Those that have files beside it; none in an export.
    """
    index = {INDEX: list(networks)} if networks else {}
    kinds = {
        "generator": config.generator,
        "encoder": config.encoder,
        "painter": config.painter_architecture,
    }
    plugins = sorted({source_of(kind, name) for kind, name in kinds.items()} - {""})
    return CONFIG_FORMAT.to_json(
        {**index, **config.to_dict(), **({PLUGINS: plugins} if plugins else {})}
    )


def read_config(folder: Path) -> ModelConfig:
    """Read and check the config.json of an artefact folder or an export; weights don't matter.

    Raises:
        ModelNotFoundError: If there is no such folder.
        ModelFormatError: If it is missing, damaged, of a newer format or inconsistent.
    """
    return _to_config(folder, _read_plain(folder))


def read_artefact(folder: Path) -> Artefact:
    """Read and check the config.json of an artefact folder, and find the files of its networks.

    Raises:
        ModelNotFoundError: If there is no such folder.
        ModelFormatError: If a file is missing, or the config is damaged, of a newer format,
            inconsistent, or lists other networks than its own.
    """
    plain = _read_plain(folder)
    config, networks = _to_config(folder, plain), plain.get(INDEX)
    needed = _networks_of(config)
    if networks is None:
        _check_files(folder, [WEIGHTS_FILE])
        path = folder / WEIGHTS_FILE
        has_discriminator = "discriminator" in map(network_of, _shapes(path))
        return Artefact(config, dict.fromkeys(needed + ["discriminator"] * has_discriminator, path))
    if not isinstance(networks, list) or networks not in (needed, [*needed, "discriminator"]):
        raise ModelFormatError(
            f"{folder / CONFIG_FILE} lists the networks {networks}, its model has "
            f"{', '.join(needed)} and may have a discriminator"
        )
    files = {network: folder / network_file(network) for network in networks}
    _check_files(folder, [path.name for path in files.values()])
    return Artefact(config, files)


def read_plugins(folder: Path) -> list[str]:
    """The plug-ins that the architectures of an artefact folder come from."""
    plugins = CONFIG_FORMAT.read(folder / CONFIG_FILE).get(PLUGINS)
    return [str(name) for name in plugins] if isinstance(plugins, list) else []


def weights_digest(folder: Path) -> str:
    """One SHA-256 for all weights in an artefact folder, the critic's too.

    That of the lines which ``sha256sum *.safetensors`` prints; of a single file its own.

    Raises:
        ModelFormatError: If there are none.
    """
    names = sorted(n for n in (*WEIGHTS_FILES, CRITIC_FILE) if (folder / n).is_file())
    if not names:
        raise ModelFormatError(f"{folder} holds no weights")
    sums = [sha256(folder / name) for name in names]
    if names == [WEIGHTS_FILE]:
        return sums[0]
    lines = (f"{digest}  {name}\n" for digest, name in zip(sums, names, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def count_parameters(artefact: Artefact) -> dict[str, int]:
    """Parameters of each network in an artefact folder, by the headers of its files.

    Raises:
        ModelFormatError: If one can't be read, or holds other networks.
    """
    counts = Counter[str]()
    for path in dict.fromkeys(artefact.files.values()):
        found = Counter[str]()
        for name, shape in _shapes(path).items():
            found[network_of(name)] += 0 if name.endswith(STATISTICS) else math.prod(shape)
        if found.keys() != {n for n, file in artefact.files.items() if file == path}:
            raise ModelFormatError(f"{path} doesn't fit {CONFIG_FILE}: it holds {', '.join(found)}")
        counts += found
    return {network: counts[network] for network in artefact.files}


def _networks_of(config: ModelConfig) -> list[str]:
    """The networks that a model has, without those that only training needs."""
    if config.encoder_design == "sng":
        encoders = ["encoder"]
    else:
        encoders = ["encoder_z", "encoder_y"] if config.n_attributes else ["encoder_z"]
    return ["generator", *encoders, *(["painter"] if config.painter_size else [])]


def _shapes(path: Path) -> dict[str, list[int]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> ModelFormatError:
    """The error for weights that can't be read."""
    return ModelFormatError(f"{path} can't be read, it may be damaged: {error}")


def _read_plain(folder: Path) -> dict[str, Any]:
    if not folder.exists():
        raise ModelNotFoundError(f"no such model folder: {folder}")
    if not folder.is_dir():
        raise ModelNotFoundError(
            f"{folder} is a file; give the folder that holds {CONFIG_FILE} and the weights"
        )
    _check_files(folder, [CONFIG_FILE])
    return CONFIG_FORMAT.read(folder / CONFIG_FILE)


def _to_config(folder: Path, plain: dict[str, Any]) -> ModelConfig:
    try:
        return ModelConfig.from_dict({k: v for k, v in plain.items() if k not in (INDEX, PLUGINS)})
    except ConfigError as error:
        raise ModelFormatError(f"{folder / CONFIG_FILE}: {error}") from error


def _check_files(folder: Path, names: Sequence[str]) -> None:
    missing = [name for name in names if not (folder / name).is_file()]
    pickles = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in PICKLE_SUFFIXES)
    if missing and pickles:
        raise ModelFormatError(
            f"{folder} holds no {missing[0]}, only {', '.join(pickles)}: pickled weights can run "
            "code when they are opened, so they are refused; save them as safetensors first"
        )
    if missing:
        raise ModelFormatError(f"{folder} is not a complete model: {' and '.join(missing)} missing")
