"""The standard FID, with Inception's features. Its package and weights may be missing."""

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.pictures.arrays import strip_padding, tensor_to_pixels

URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth"
)
"""The weights of the standard FID's Inception network, as torch-fidelity names them."""

PLACE = "into torch.hub's folder (TORCH_HOME/hub/checkpoints)"
SHA256 = "6726825d"
"""How the SHA-256 of the weights' file starts."""


class InceptionFID:
    """FID with the 2048 features of Inception, as torchmetrics takes them.

    Whatever goes wrong is only noted, so that the other figures are still measured.

    Args:
        config: Of the model.
        device: Where to compute.

    Attributes:
        note: Why there is no figure; empty so long as there may be one.
    """

    def __init__(self, config: ModelConfig, device: torch.device) -> None:
        self._config, self.note = config, ""
        self._metric: Any = None
        path = Path(torch.hub.get_dir()) / "checkpoints" / URL.rpartition("/")[2]
        if importlib.util.find_spec("torch_fidelity") is None:
            self.note = "torch-fidelity is not installed: pip install torch-fidelity"
        elif not path.is_file():
            self.note = f"Inception's weights are missing: fetch {URL} {PLACE}"
        else:
            self._metric = self._try(lambda: self._load(path, device))

    def update(self, images: Tensor, *, real: bool) -> None:
        """Take images [B, C, S, S] in [-1, 1] into account."""
        if not self.note:
            self._try(
                lambda: self._metric.update(self._to_rgb(images).to(self._metric.device), real=real)
            )

    def compute(self) -> float | None:
        """The FID of all images so far; None if there is none, as `note` explains."""
        return None if self.note else self._try(lambda: max(0.0, float(self._metric.compute())))

    def _load(self, path: Path, device: torch.device) -> Any:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        # The file is pickled: nothing may read it unless it is the published one.
        if not digest.startswith(SHA256):
            self.note = f"{path.name} is damaged: fetch {URL} again"
            return None
        from torchmetrics.image.fid import FrechetInceptionDistance

        metric = FrechetInceptionDistance(2048, feature_extractor_weights_path=str(path))
        return metric.to("cpu" if device.type == "mps" else device)  # mps has no float64

    def _try(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except Exception as error:  # of any kind: versions of three packages must fit each other
            self.note = f"Inception's features can't be had: {error}"
            return None

    def _to_rgb(self, images: Tensor) -> Tensor:
        """Images [B, C, S, S] in [-1, 1] without padding as uint8 [B, 3, H, H]."""
        pixels = torch.from_numpy(tensor_to_pixels(strip_padding(images, self._config)))
        return pixels.permute(0, 3, 1, 2).expand(-1, 3, -1, -1)
