"""A referee's features of the training pictures, kept beside it for the next evaluation."""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import SaveError
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.files import atomic_file
from icgan_sdk.training.rows import chunks

FEATURES_FILE = "training-features.safetensors"


def kept_features(
    folder: Path | None,
    referee: Referee,
    train: PreparedDataset,
    features: Callable[[Tensor], Tensor],
) -> Tensor:
    """Features [N, F] of all training pictures, from the folder's file if they are there.

    Args:
        folder: Of the referees; None: nothing is kept.
        referee: Whose features they are. Those of another, or of other data, are made again.
        train: The partition.
        features: Takes pictures [B, C, S, S]; gives their features on the CPU.
    """
    key = _key(referee, train)
    found = None if folder is None else _read(folder / FEATURES_FILE, key)
    if found is not None:
        return found
    parts = [features(train.images(at)) for at in chunks(len(train), train.image_size)]
    known = torch.cat(parts)
    if folder is not None:
        # A folder that can't be written, such as one shared by several users, only costs time.
        with contextlib.suppress(SaveError), atomic_file(folder / FEATURES_FILE) as path:
            path.write_bytes(save({"features": known}, {"key": key}))
    return known


def _key(referee: Referee, train: PreparedDataset) -> str:
    """A hash of the weights and of the data."""
    digest = hashlib.sha256(train.fingerprint().encode())
    for tensor in referee.state_dict().values():
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _read(path: Path, key: str) -> Tensor | None:
    try:
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("key") == key:
                found: Tensor = file.get_tensor("features").clone()
                return found
    except (OSError, SafetensorError):
        pass  # there is none yet, or it was cut off: it is made again
    return None
