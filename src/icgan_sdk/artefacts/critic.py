"""The painter's critic in an artefact folder, which no edit needs, so that training can go on.

Its file names the kind of the critic, by which training builds it before its weights are loaded.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from icgan_sdk.artefacts.layout import CRITIC_FILE, unreadable
from icgan_sdk.artefacts.tensors import read_tensors, stored_state, write_tensors
from icgan_sdk.errors import ModelFormatError

KIND = "kind"
"""The metadata in the file's header that says which critic it holds."""


class TrainedCritic(NamedTuple):
    """A critic to be saved.

    Attributes:
        kind: What training calls it: "own", "projected".
        network: Its weights; buffers that are not persistent are not saved.
    """

    kind: str
    network: nn.Module


@dataclass(frozen=True)
class StoredCritic:
    """A critic's file.

    Attributes:
        path: Where it is.
        kind: As in `TrainedCritic`.
    """

    path: Path
    kind: str

    def load_into(self, critic: nn.Module) -> None:
        """Give a critic of this kind the stored weights, float32, on the device where it is.

        Raises:
            ModelFormatError: If the file is damaged, or its tensors are not the critic's in names
                and shapes, or not finite.
        """
        state, _ = read_tensors(self.path, stored_state(critic))
        critic.load_state_dict(state, strict=False)  # counters of batches keep their values


def write_critic(folder: Path, critic: TrainedCritic) -> None:
    """Write the file into a folder, in half precision.

    Raises:
        SaveError: If it can't be written, or a weight is not finite.
    """
    state, metadata = stored_state(critic.network), {KIND: critic.kind}
    write_tensors(folder / CRITIC_FILE, state, torch.float16, metadata)


def find_critic(folder: str | os.PathLike[str]) -> StoredCritic | None:
    """The critic in an artefact folder, if there is one.

    Raises:
        ModelFormatError: If its file is damaged.
    """
    path = Path(folder) / CRITIC_FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            kind = (file.metadata() or {}).get(KIND)
    except (SafetensorError, OSError) as error:
        raise unreadable(path, error) from error
    if kind is None:
        raise ModelFormatError(f"{path} doesn't say which kind of critic it holds")
    return StoredCritic(path, kind)
