"""Saving networks as an artefact folder, and loading them.

Loading is strict: the tensors must be those of the config's networks, see `tensors`.
"""

import filecmp
import os
import shutil
from pathlib import Path

import torch
from torch import Tensor

from icgan_sdk.artefacts.critic import TrainedCritic, write_critic
from icgan_sdk.artefacts.export_folder import copy_graphs
from icgan_sdk.artefacts.layout import (
    ARTEFACT_FILES,
    CARD_FILE,
    CONFIG_FILE,
    CRITIC_FILE,
    NETWORKS,
    QUALITY_FILE,
    config_to_json,
    network_file,
    network_of,
    read_artefact,
    read_plugins,
)
from icgan_sdk.artefacts.tensors import load_state, read_tensors, stored_state, write_tensors
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, ModelFormatError
from icgan_sdk.files import atomic_folder, check_replaceable, write_text
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.devices import plain_torch


def save_artefact(
    networks: IcGANNetworks,
    folder: str | os.PathLike[str],
    *,
    card: str,
    dtype: torch.dtype = torch.float32,
    critic: TrainedCritic | None = None,
    source: Path | None = None,
) -> None:
    """Write an artefact folder, as a whole or not at all.

    Args:
        networks: Generator and encoders, and the discriminator if they have it.
        folder: New or empty, or an artefact folder, which is replaced.
        card: Markdown of the model card.
        dtype: float16 halves the file. Batch norm's running statistics stay float32, because they
            may exceed the range of float16.
        critic: What the painter's training can go on with.
        source: The folder the model was loaded from, whose graphs, critic and quality come along if
            the weights are still the same.

    Raises:
        SaveError: If the folder holds other files, can't be written, or a weight is not finite.
    """
    folder = Path(folder)
    _check_replaceable(folder)
    state = _by_network(stored_state(networks))
    with atomic_folder(folder) as temporary:
        write_text(temporary / CONFIG_FILE, config_to_json(networks.config, list(state)))
        write_text(temporary / CARD_FILE, card)
        for network, weights in state.items():
            write_tensors(temporary / network_file(network), weights, dtype)
        if critic is not None:
            write_critic(temporary, critic)
        if source is not None:
            copy_graphs(source, temporary)
            _copy_what_belongs_to_the_painter(source, temporary)


def load_artefact(folder: str | os.PathLike[str]) -> IcGANNetworks:
    """The networks of an artefact folder, see `open_artefact`."""
    networks, _ = open_artefact(folder)
    return networks


def open_artefact(folder: str | os.PathLike[str]) -> tuple[IcGANNetworks, torch.dtype]:
    """Read an artefact folder.

    Returns:
        The networks on the CPU, in eval mode, float32 whatever the file's precision; with a
        discriminator if the folder holds one. And that precision: float16 if all weights have it,
        else float32 (batch norm's running statistics, which are always float32, don't count).

    Raises:
        ModelNotFoundError: If there is no such folder.
        ModelFormatError: If a file is missing or damaged, tensors are missing, unknown,
            misshapen, of another type or not finite, or the config is wrong or newer.
    """
    config, files = read_artefact(Path(folder))
    # Parameters that are inference tensors would forbid refining z later.
    with torch.inference_mode(False), plain_torch():
        networks = _without_memory(config, Path(folder), "discriminator" in files)
        expected, state = stored_state(networks), dict[str, Tensor]()
        types = set[str]()
        for path in dict.fromkeys(files.values()):
            own = {n: t for n, t in expected.items() if files[network_of(n)] == path}
            read, found = read_tensors(path, own)
            state |= read
            types |= found
        load_state(networks, state)
    return networks.eval(), torch.float16 if types == {"F16"} else torch.float32


def copy_artefact(source: str | os.PathLike[str], folder: str | os.PathLike[str]) -> None:
    """Copy an artefact folder's files byte for byte, as a whole or not at all.

    Raises:
        SaveError: If the folder holds other files or can't be written.
        ModelNotFoundError: If there is no such source.
        ModelFormatError: If the source is damaged; nothing is then written.
    """
    source, folder = Path(source), Path(folder)
    load_artefact(source)
    _check_replaceable(folder)
    with atomic_folder(folder) as temporary:
        for name in ARTEFACT_FILES:
            if (source / name).is_file():
                shutil.copyfile(source / name, temporary / name)


def _by_network(state: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The tensors of each network, in the order of `NETWORKS`."""
    found = {network_of(name) for name in state}
    return {
        network: {name: t for name, t in state.items() if network_of(name) == network}
        for network in NETWORKS
        if network in found
    }


def _copy_what_belongs_to_the_painter(source: Path, folder: Path) -> None:
    """Copy the critic and the quality of the same painter, unless there are new ones."""
    painter = network_file("painter")
    both = (source / painter).is_file() and (folder / painter).is_file()
    if both and filecmp.cmp(source / painter, folder / painter, shallow=False):
        for name in (CRITIC_FILE, QUALITY_FILE):
            if (source / name).is_file() and not (folder / name).exists():
                shutil.copyfile(source / name, folder / name)


def _check_replaceable(folder: Path) -> None:
    check_replaceable(folder, ARTEFACT_FILES, marker=CONFIG_FILE, deed="saving a model")


def _without_memory(config: ModelConfig, folder: Path, discriminator: bool) -> IcGANNetworks:
    path = folder / CONFIG_FILE
    try:
        with torch.device("meta"):
            return IcGANNetworks(config, discriminator=discriminator)
    except ConfigError as error:
        plugins = " ".join(read_plugins(folder))
        remedy = (
            f"the model needs the plug-in {plugins}: install it, if you trust it"
            if plugins
            else "a newer icgan-sdk may know it"
        )
        raise ModelFormatError(f"{path}: {error}; {remedy}") from error
    except (RuntimeError, TypeError, OverflowError) as error:
        raise ModelFormatError(f"{path}: the networks' sizes are out of range") from error
