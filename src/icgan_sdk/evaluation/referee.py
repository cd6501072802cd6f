"""Referees: attribute nets that judge images, real or generated, by reading their attributes.

A referee's folder holds ``config.json`` (what it reads, and how it was trained) and
``model.safetensors``. Nothing is ever pickled.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import (
    ConfigError,
    IcGANError,
    ModelFormatError,
    ModelNotFoundError,
    SaveError,
    raise_where_different,
)
from icgan_sdk.evaluation.referee_networks import build_anet, build_residual
from icgan_sdk.files import atomic_file, atomic_folder, write_text
from icgan_sdk.model.devices import find_device

Architecture = Literal["anet", "residual"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)

FORMAT_VERSION = 1
"""Version of a referee's folder; newer ones are refused."""

CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"


class Impression(NamedTuple):
    """All that a referee makes of images, from one pass.

    Attributes:
        present: As `Referee.present`, bool [B, n_y].
        features: As `Referee.features`, [B, F].
        maps: As `Referee.maps`.
    """

    present: Tensor
    features: Tensor
    maps: list[Tensor]


class Referee(nn.Module):
    """A network that reads attributes off images; it judges models and is no part of any.

    - ``anet``: the paper's attribute net (§5.2): the architecture of E_y (Table 2).
    - ``residual``: a small residual network (He et al. 2016), stronger and of another family, so
      that it doesn't share the blind spots of the encoders under judgement.

    Args:
        architecture: Which of them.
        attributes: What the scores mean, in order; at least one.
        image_size: Side of the images with padding, as `ModelConfig` allows.
        channels: 1 (grey) or 3 (RGB).

    Attributes:
        thresholds: [n_y], in units of the scores: above, `present` finds an attribute present.

    Raises:
        ConfigError: If the values don't fit together.
    """

    thresholds: Tensor

    def __init__(
        self,
        architecture: Architecture,
        attributes: AttributeSet,
        image_size: int,
        channels: int,
    ) -> None:
        super().__init__()
        if architecture not in ARCHITECTURES:
            raise ConfigError(
                f"architecture must be one of {', '.join(ARCHITECTURES)}, not {architecture!r}"
            )
        if not len(attributes):
            raise ConfigError("a referee needs attributes to read, but there are none")
        config = ModelConfig(image_size=image_size, channels=channels, attributes=attributes)
        self.architecture: Architecture = architecture
        self.attributes, self.image_size, self.channels = attributes, image_size, channels
        build = build_anet if architecture == "anet" else build_residual
        self.blocks, self.neck, self.output = build(config)
        self.register_buffer("thresholds", torch.zeros(len(attributes)))

    def forward(self, x: Tensor) -> Tensor:
        """Score every attribute of images.

        Args:
            x: Images [B, C, S, S] in [-1, 1].

        Returns:
            [B, n_y], larger the more present: "anet" estimates y in −1…1, "residual" gives
            logits.
        """
        scores: Tensor = self.output(self.features(x))
        return scores

    def maps(self, x: Tensor) -> list[Tensor]:
        """Outputs [B, C_k, S_k, S_k] of the convolutional blocks, shallow to deep; not negative."""
        maps = []
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        return maps

    def features(self, x: Tensor) -> Tensor:
        """Input of the last linear layer, [B, F]; not negative."""
        features: Tensor = self.neck(self.maps(x)[-1])
        return features

    def present(self, x: Tensor) -> Tensor:
        """Which attributes images [B, C, S, S] show: bool [B, n_y]; of classes the likeliest."""
        return self._present(self(x))

    def look(self, x: Tensor) -> Impression:
        """Attributes, features and maps of images [B, C, S, S], in one pass."""
        maps = self.maps(x)
        features: Tensor = self.neck(maps[-1])
        return Impression(self._present(self.output(features)), features, maps)

    def _present(self, scores: Tensor) -> Tensor:
        if self.attributes.one_hot:
            return F.one_hot(scores.argmax(1), len(self.attributes)).bool()
        found: Tensor = scores > self.thresholds
        return found

    @property
    def device(self) -> torch.device:
        """Where the referee works."""
        return self.thresholds.device

    def check_fits(self, model: ModelConfig) -> None:
        """Raise ConfigError unless this referee can judge a model's images."""
        pairs = {
            "attributes": (list(self.attributes.names), list(model.attributes.names)),
            "one_hot": (self.attributes.one_hot, model.attributes.one_hot),
            "image_size": (self.image_size, model.image_size),
            "channels": (self.channels, model.channels),
        }
        subject = "the referee doesn't fit the model, train one on the model's data"
        raise_where_different(pairs, subject)


def check_replaceable(folder: str | os.PathLike[str]) -> None:
    """Raise SaveError if saving a referee in a folder would remove files that are none of its."""
    folder = Path(folder)
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if others := sorted(names - {CONFIG_FILE, WEIGHTS_FILE}):
        raise SaveError(
            f"{folder} holds other files ({others[0]}), which saving a referee there would remove; "
            "choose a new or empty folder"
        )


def save_referee(
    referee: Referee, folder: str | os.PathLike[str], record: Mapping[str, Any]
) -> None:
    """Write a referee's folder, as a whole or not at all.

    Args:
        referee: On any device.
        folder: New or empty, or a referee's, which is replaced.
        record: How the referee was trained, as JSON takes it; `read_record` gives it back.

    Raises:
        SaveError: If the folder holds other files or can't be written.
    """
    check_replaceable(folder)
    plain = {
        "format_version": FORMAT_VERSION,
        "architecture": referee.architecture,
        "image_size": referee.image_size,
        "channels": referee.channels,
        "attributes": list(referee.attributes.names),
        "groups": {g: list(m) for g, m in referee.attributes.groups.items()},
        "one_hot": referee.attributes.one_hot,
        "record": dict(record),
    }
    weights = {n: t.detach().cpu().contiguous() for n, t in referee.state_dict().items()}
    with atomic_folder(folder) as temporary:
        write_text(temporary / CONFIG_FILE, json.dumps(plain, indent=2) + "\n")
        with atomic_file(temporary / WEIGHTS_FILE) as path:
            path.write_bytes(save(weights))


def load_referee(folder: str | os.PathLike[str], device: str | torch.device = "cpu") -> Referee:
    """Read a referee's folder.

    Returns:
        The referee on the device, in eval mode, its parameters without gradients.

    Raises:
        ConfigError: If there is no such device.
        ModelNotFoundError: If the folder holds no referee.
        ModelFormatError: If a file is damaged, of a newer format, or they don't fit together.
    """
    folder = Path(folder)
    plain = _read_config(folder)
    try:
        attributes = AttributeSet(
            tuple(plain["attributes"]),
            {g: tuple(m) for g, m in plain["groups"].items()},
            bool(plain["one_hot"]),
        )
        with torch.device("meta"):
            referee = Referee(
                plain["architecture"], attributes, plain["image_size"], plain["channels"]
            )
    except (IcGANError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFormatError(f"{folder / CONFIG_FILE} is damaged: {error!r}") from error
    _load_weights(referee, folder / WEIGHTS_FILE)
    return referee.requires_grad_(False).eval().to(find_device(device))


def read_record(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """How a saved referee was trained: what `save_referee` was given.

    Raises:
        ModelNotFoundError: If the folder holds no referee.
        ModelFormatError: If its config is damaged or of a newer format.
    """
    path = Path(folder) / CONFIG_FILE
    record = _read_config(Path(folder)).get("record")
    if not isinstance(record, dict):
        raise ModelFormatError(f"{path} is damaged: there is no record of the training")
    return record


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise ModelNotFoundError(
            f"{folder} holds no referee (no {CONFIG_FILE}): train one with `icgan referee`"
        )
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        version = int(plain["format_version"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelFormatError(f"{path} is damaged: {error!r}") from error
    if version > FORMAT_VERSION:
        raise ModelFormatError(
            f"{path} has format version {version}, this icgan-sdk reads up to {FORMAT_VERSION}: "
            "upgrade it, or train the referee again"
        )
    checked: dict[str, Any] = plain
    return checked


def _load_weights(referee: Referee, path: Path) -> None:
    """Fill a referee without memory; strictly."""
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelFormatError(f"{path} can't be read, it may be damaged: {error}") from error
    wrong = [
        name
        for name, tensor in referee.state_dict().items()
        if name in state
        and (state[name].dtype != tensor.dtype or not bool(state[name].isfinite().all()))
    ]
    if wrong:
        raise ModelFormatError(f"{path}: {wrong[0]!r} is of another type, or not finite")
    try:
        # Copied, because safetensors' own tensors change with the file they are mapped from.
        referee.to_empty(device="cpu").load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ModelFormatError(f"{path} doesn't fit {CONFIG_FILE}: {error}") from error
