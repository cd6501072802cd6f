"""The models a demo shows, each loaded once and shared by all visitors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from icgan_sdk.artefacts.layout import CARD_FILE
from icgan_sdk.artefacts.resolving import resolve
from icgan_sdk.celeba import CELEBA_ATTRIBUTES
from icgan_sdk.config import ModelConfig
from icgan_sdk.engines.engine import RuntimeName
from icgan_sdk.errors import ConfigError
from icgan_sdk.icgan import IcGAN
from icgan_sdk.pictures.formats import open_listed

EXAMPLES = Path(__file__).parent / "examples"
"""Pictures to try; all but each folder's first are samples of the bundled models."""

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)

SAMPLES = 6
"""Examples of a model there are no pictures for."""


@dataclass(frozen=True)
class Exhibit:
    """A model and what the page shows beside it.

    Attributes:
        model: Only ever read, so that threads may share it.
        card: The model card's Markdown, without its front matter.
        examples: Pictures to try, at least two.
    """

    model: IcGAN
    card: str
    examples: tuple[Image.Image, ...]


def load_exhibits(
    names: Sequence[str], device: str | None, runtime: RuntimeName = "torch"
) -> dict[str, Exhibit]:
    """Load every model once.

    Args:
        names: As `IcGAN.from_pretrained` takes them.
        device: As for `IcGAN`.
        runtime: As for `IcGAN.from_pretrained`.

    Raises:
        ConfigError: If no model is named, or one has no attributes.
    """
    if not names:
        raise ConfigError("the demo needs at least one model")
    return {name: _load(name, device, runtime) for name in names}


def _load(name: str, device: str | None, runtime: RuntimeName) -> Exhibit:
    folder = resolve(name)
    model = IcGAN.from_pretrained(folder, device=device, runtime=runtime)
    if not model.attributes:
        raise ConfigError(f"{name}: a model without attributes has nothing to edit")
    card = folder / CARD_FILE
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    text = _FRONT_MATTER.sub("", text).strip()
    return Exhibit(model, text or f"# {name}\n\nThis model has no card.", _examples(model))


def _examples(model: IcGAN) -> tuple[Image.Image, ...]:
    kind = _kind(model.config)
    if kind is None:
        return tuple(model.sample(SAMPLES, seed=0))
    pictures = []
    for path in sorted((EXAMPLES / kind).iterdir()):
        with open_listed(path) as picture:
            pictures.append(picture.copy())
    return tuple(pictures)


def _kind(config: ModelConfig) -> str | None:
    names = config.attributes.names
    if config.channels == 3 and set(names) <= set(CELEBA_ATTRIBUTES):
        return "faces"
    return "digits" if config.channels == 1 and names == tuple("0123456789") else None
