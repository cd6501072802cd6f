"""Hostile pictures through an edit: our own errors, or a picture of the right size."""

import random
import warnings
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from fault_parts.mutation import mutate
from fault_parts.rounds import Round
from icgan_sdk import IcGAN
from icgan_sdk.artefacts.store import save_artefact
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import IcGANError
from icgan_sdk.model import IcGANNetworks

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "YCbCr", "HSV", "LAB")


def seeds() -> list[bytes]:
    """A picture in each format and mode that Pillow writes."""
    Image.init()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    found = []
    for name in sorted(Image.SAVE):
        for mode in MODES:
            picture = Image.fromarray(pixels)
            if mode == "I;16":
                picture = picture.convert("I")
            stream = BytesIO()
            with suppress(Exception):  # formats know few modes
                picture.convert(mode).save(stream, name)
                found.append(stream.getvalue())
    return found


def make(folder: Path) -> Round:
    """Rounds that damage one picture's file and edit it."""
    save_model(folder / "model")
    model, kinds = IcGAN.from_pretrained(folder / "model"), seeds()

    def edit_one(chance: random.Random) -> str:
        kind, data = mutate(chance.choice(kinds), chance)
        path = folder / f"picture.{chance.choice(['png', 'jpg', 'bin'])}"
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = model.edit(path, Smiling=1, paste_back=chance.random() < 0.5)
        except IcGANError as error:
            if "\n" in str(error) or path.name not in str(error):
                raise ValueError("a message of several lines, or without a name") from error
            return f"{kind}: {type(error).__name__}"
        assert min(result.size) >= 1
        return f"{kind}: edited"

    return edit_one


def save_model(folder: Path) -> None:
    """A model that has learned nothing."""
    config = ModelConfig(16, z_dim=2, generator_width=2, encoder_width=2, encoder_layers=3)
    save_artefact(IcGANNetworks(config), folder, card="")
