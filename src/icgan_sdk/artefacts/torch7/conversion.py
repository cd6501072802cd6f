"""Converting the networks that the authors' Torch7 code saved."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import nn

from icgan_sdk.artefacts.card import model_card
from icgan_sdk.artefacts.torch7.inference import SavedNetworks, infer_config
from icgan_sdk.artefacts.torch7.layers import SavedNetwork, read_network
from icgan_sdk.artefacts.torch7.weights import load_weights
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.celeba import CELEBA_ATTRIBUTES
from icgan_sdk.config import PAPER_CROP, Crop, ModelConfig, Noise
from icgan_sdk.errors import ModelFormatError
from icgan_sdk.files import sha256
from icgan_sdk.model import IcGANNetworks

PathLike = str | os.PathLike[str]


def from_torch7(
    generator: PathLike,
    encoder_z: PathLike,
    encoder_y: PathLike | None = None,
    *,
    discriminator: PathLike | None = None,
    attributes: str | Sequence[str] | AttributeSet = "celeba18",
    noise: Noise = "normal",
) -> IcGANNetworks:
    """Build a model from networks that the original Torch7 code saved.

    Sizes and encoder design are inferred from the files and checked layer by layer. Files may be
    binary or ASCII, saved on a CPU or a GPU (``cudnn`` classes) or by old versions of nn, and may
    hold left-over gradients and buffers. Nothing in them is executed.

    Args:
        generator: G.
        encoder_z: E_z; with the SNG design the one encoder.
        encoder_y: E_y; left out with SNG.
        discriminator: D, for continuing the training.
        attributes: Names of the attributes in y's order, which the files don't record: "celeba18",
            "mnist", names (a sequence, or one string with commas), or a set with groups of its own.
            If all names are CelebA's, they get the paper's groups, and the model gets the original
            code's crop of the aligned frame.
        noise: The distribution of z in training, which the files don't record either.

    Returns:
        The networks on the CPU, in eval mode, float32; save them with
        `icgan_sdk.artefacts.store.save_artefact`.

    Raises:
        ModelNotFoundError: If a file is missing.
        ModelFormatError: If a file is damaged, or a layer isn't as an IcGAN network has it; the
            message names file and layer.
        ConfigError: If attribute names repeat, can't be stored, or are more or fewer than the
            networks have.
    """
    named = attributes if isinstance(attributes, AttributeSet) else _named(attributes)
    named.check_storable()
    saved = SavedNetworks(
        read_network(generator),
        read_network(encoder_z),
        None if encoder_y is None else read_network(encoder_y),
        None if discriminator is None else read_network(discriminator),
    )
    config = infer_config(saved, named, _crop(named), noise)
    # Inference tensors as parameters would forbid training.
    with torch.inference_mode(False):
        networks = _without_memory(config, saved)
        for network, file in _pairs(networks, saved):
            load_weights(network, file, config.image_size)
    return networks.eval()


def torch7_card(config: ModelConfig, *, files: Sequence[PathLike], name: str, command: str) -> str:
    """The model card of a converted model. It lists the files and their hashes.

    Args:
        config: The model's.
        files: The Torch7 files.
        name: What users load the model by.
        command: What converted it.
    """
    sums = [(Path(f).name, sha256(f)) for f in files]
    table = "\n".join(["| file | SHA-256 |", "|---|---|", *(f"| {f} | `{s}` |" for f, s in sums)])
    return model_card(
        config,
        name=name,
        data="Not recorded: trained by the original Torch7 code.",
        license="see the terms of the original weights and of the data they were trained on",
        command=command,
        seed=None,
        metrics={},
        notes=f"Converted from Torch7 files:\n\n{table}",
    )


def _named(names: str | Sequence[str]) -> AttributeSet:
    if names == "celeba18":
        return AttributeSet.celeba()
    if names == "mnist":
        return AttributeSet.classes("digit", "0123456789")
    names = tuple(n.strip() for n in names.split(",")) if isinstance(names, str) else tuple(names)
    if set(names) <= set(CELEBA_ATTRIBUTES):
        return AttributeSet.celeba(names)
    return AttributeSet(names)


def _crop(attributes: AttributeSet) -> Crop | None:
    return PAPER_CROP if set(attributes.names) <= set(CELEBA_ATTRIBUTES) else None


def _without_memory(config: ModelConfig, saved: SavedNetworks) -> IcGANNetworks:
    try:
        with torch.device("meta"):
            return IcGANNetworks(config, discriminator=saved.discriminator is not None)
    except (RuntimeError, TypeError, OverflowError) as error:
        raise ModelFormatError(f"{saved.generator.path}: its sizes are out of range") from error


def _pairs(
    networks: IcGANNetworks, saved: SavedNetworks
) -> Iterator[tuple[nn.Module, SavedNetwork]]:
    """Our networks, each with its file."""
    ours = {
        "generator": networks.generator,
        "encoder_z": networks.encoder or networks.encoder_z,
        "encoder_y": networks.encoder_y,
        "discriminator": networks.discriminator,
    }
    for name, file in saved._asdict().items():
        network = ours[name]
        if network is not None and file is not None:
            yield network, file
