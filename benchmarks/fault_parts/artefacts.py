"""Damaged model folders through loading: only our own errors, or a valid model."""

import json
import random
from pathlib import Path
from typing import Any

import torch

from fault_parts.mutation import mutate
from fault_parts.rounds import Round
from icgan_sdk.artefacts.layout import network_file
from icgan_sdk.artefacts.store import load_artefact, save_artefact
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import IcGANError
from icgan_sdk.model import IcGANNetworks

VALUES: tuple[Any, ...] = (
    *(0, 1, -1, 7, 2**16, 2**31, 2**63, 10**30, 1.5, 1e308, -0.0),
    *(True, None, "", "x", "F16", "BF16", "F64", "I64", [], [0], [2**40], [0, 2**62], {}),
)


def make_model(folder: Path) -> None:
    """A small model with groups, batch norm and everything else a folder may hold."""
    torch.manual_seed(0)
    config = ModelConfig(
        image_size=16,
        attributes=AttributeSet(("Male", "Black_Hair", "Blond_Hair"), {"hair": ("Black_Hair",)}),
        z_dim=6,
        generator_width=4,
        discriminator_width=4,
        encoder_width=2,
        encoder_layers=3,
        encoder_z_fc=8,
        encoder_y_fc=8,
    )
    save_artefact(IcGANNetworks(config, discriminator=True), folder, card="# Fuzzed\n")


def exchange_value(plain: Any, chance: random.Random) -> Any:
    """JSON with one value, key or entry somewhere in it changed."""
    if isinstance(plain, dict) and plain and chance.random() < 0.9:
        key = chance.choice(list(plain))
        action = chance.random()
        if action < 0.1:
            return {k: v for k, v in plain.items() if k != key}
        if action < 0.2:
            return {**plain, chance.choice(["", "x", "__metadata__", key * 2]): plain[key]}
        return {**plain, key: exchange_value(plain[key], chance)}
    if isinstance(plain, list) and plain and chance.random() < 0.7:
        at = chance.randrange(len(plain))
        return [*plain[:at], exchange_value(plain[at], chance), *plain[at + 1 :]]
    return chance.choice(VALUES)


def damage_json(name: str, data: bytes, chance: random.Random) -> bytes:
    """The file with its JSON changed: the whole config.json, a file's header."""
    if name == "config.json":
        return json.dumps(exchange_value(json.loads(data), chance)).encode()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps(exchange_value(json.loads(data[8:end]), chance)).encode()
    return len(header).to_bytes(8, "little") + header + data[end:]


def damage(name: str, data: bytes, chance: random.Random) -> tuple[str, bytes]:
    """One kind of damage of a file."""
    if chance.random() < 0.5:
        return "json", damage_json(name, data, chance)
    if name != "config.json" and chance.random() < 0.5:
        kind, header = mutate(data[:400], chance)  # the tensors would hide it
        return kind, header + data[400:]
    return mutate(data, chance)


def load(folder: Path) -> str:
    """What loading ends in, in a word."""
    try:
        networks = load_artefact(folder)
    except IcGANError as error:
        if "\n" in str(error):
            raise ValueError("a message of several lines") from error
        return type(error).__name__
    if not all(bool(t.isfinite().all()) for t in networks.state_dict().values()):
        raise ValueError("values that are not finite")
    return "valid"


def make(folder: Path) -> Round:
    """Rounds that damage one of its files and load the model."""
    make_model(folder / "model")
    networks = ("generator", "encoder_z", "encoder_y", "discriminator")
    names = ("config.json", *map(network_file, networks))
    originals = {name: (folder / "model" / name).read_bytes() for name in names}

    def damage_one(chance: random.Random) -> str:
        name = chance.choice(names)
        kind, data = damage(name, originals[name], chance)
        (folder / "model" / name).write_bytes(data)
        try:
            return f"{kind}: {load(folder / 'model')}"
        finally:
            (folder / "model" / name).write_bytes(originals[name])

    return damage_one
