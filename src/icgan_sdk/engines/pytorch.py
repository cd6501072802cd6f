"""The networks run by torch, on any of its devices."""

import copy
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor

from icgan_sdk.artefacts.named import NamedModel, name_model
from icgan_sdk.artefacts.store import load_artefact
from icgan_sdk.engines.engine import CHUNK, Engine
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.compositing import masked_change
from icgan_sdk.model.devices import find_device, plain_torch
from icgan_sdk.model.face_recognition import FaceVectors
from icgan_sdk.model.face_vectors import face_vectors
from icgan_sdk.model.refinement import refine_z
from icgan_sdk.pictures.arrays import Floats

_UNPICKLED: WeakValueDictionary[tuple[NamedModel, str], IcGANNetworks] = WeakValueDictionary()
_UNCHANGED: dict[tuple[NamedModel, str], list[int]] = {}
"""Networks that pickles have named, by model and device, and their `_changes` then."""


class TorchEngine(Engine):
    """Eval mode, float32, no gradients; global seeds, threads and default types stay untouched.

    A pickle holds the networks, or only the name of the model that they were loaded from, as long
    as nobody has changed them.

    Args:
        networks: Moved to the device and set to eval mode.
        device: As `find_device` takes it.
        source: The folder they were just loaded from, if any.

    Raises:
        ConfigError: If there is no such device.
    """

    def __init__(
        self,
        networks: IcGANNetworks,
        device: str | torch.device | None = "cpu",
        source: Path | None = None,
    ) -> None:
        self._device = find_device(device)
        self._networks = networks.to(self._device, torch.float32).eval()
        self._source, self._changes = source, _changes(self._networks)
        self._shared = False
        self.config = networks.config

    def __getstate__(self) -> dict[str, object]:
        if self._source is None or _changes(self._networks) != self._changes:
            return self.__dict__
        return {"model": name_model(self._source), "device": str(self._device)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "model" not in state:
            self.__dict__.update(state)
            return
        # All that are unpickled in a process share the weights, which nothing here changes.
        key = (state["model"], state["device"])
        networks = _UNPICKLED.get(key)
        folder = state["model"].find()
        if networks is None or _changes(networks) != _UNCHANGED[key]:
            networks = load_artefact(folder)
        self.__init__(networks, state["device"], folder)  # type: ignore[misc]
        self._shared = True
        _UNPICKLED[key], _UNCHANGED[key] = self._networks, self._changes

    def __copy__(self) -> "TorchEngine":
        return self._with(self.__dict__)

    def __deepcopy__(self, memo: dict[int, Any]) -> "TorchEngine":
        return self._with(copy.deepcopy(self.__dict__, memo))

    def _with(self, values: dict[str, Any]) -> "TorchEngine":
        engine = TorchEngine.__new__(TorchEngine)
        engine.__dict__.update(values)
        return engine

    @property
    def device(self) -> str:
        """Where the networks compute."""
        return str(self._device)

    @property
    def networks(self) -> IcGANNetworks:
        """The networks as modules."""
        return self._networks

    def move(self, device: str) -> None:
        """Let the networks compute elsewhere."""
        self._device = find_device(device)
        if self._shared:
            self._networks, self._shared = copy.deepcopy(self._networks), False
        self._networks.to(self._device)
        self._changes = _changes(self._networks)

    def share_cores(self, callers: int) -> int:
        """Nothing: torch has one pool of threads for the whole process, which is the caller's."""
        return 1

    @plain_torch()
    def encode(self, images: Floats) -> tuple[Floats, Floats]:
        """E_z and E_y, see `Engine.encode`."""
        z, y = encode(self._networks, torch.from_numpy(images), self._device)
        return z.cpu().numpy(), y.cpu().numpy()

    @plain_torch()
    @torch.inference_mode()
    def read(self, images: Floats) -> Floats:
        """E_y alone, see `Engine.read`."""
        return self._by_chunks(lambda x: self._networks.read_y(self._networks.shrink(x)), images)

    @plain_torch()
    def decode(self, z: Floats, y: Floats) -> Floats:
        """G(z, y), see `Engine.decode`."""
        images = decode(self._networks, torch.from_numpy(z), torch.from_numpy(y), self._device)
        return _to_array(images)

    @plain_torch()
    @torch.inference_mode()
    def change(self, images: Floats, rebuilt: Floats, edited: Floats) -> Floats:
        """What an edit adds to the original pixels, see `Engine.change`."""
        return _to_array(masked_change(*map(torch.from_numpy, (images, rebuilt, edited))))

    @plain_torch()
    @torch.inference_mode()
    def paint(self, images: Floats, y: Floats, y_new: Floats) -> Floats:
        """An edit painted onto photos, see `Engine.paint`."""
        return self._by_chunks(self._networks.paint, images, y, y_new)

    @plain_torch()
    def refine(self, images: Floats, z: Floats, y: Floats, steps: int) -> Floats:
        """Search a better z, see `Engine.refine`."""
        x, start, read = map(torch.from_numpy, (images, z, y))
        return _to_array(refine(self._networks, self._faces, x, start, read, steps, self._device))

    @cached_property
    def _faces(self) -> FaceVectors | None:
        return face_vectors(self.config)

    def _by_chunks(self, run: Callable[..., Tensor], *rows: Floats) -> Floats:
        parts = [
            run(*(torch.from_numpy(x[at : at + CHUNK]).to(self._device) for x in rows))
            for at in range(0, len(rows[0]), CHUNK)
        ]
        return _to_array(torch.cat(parts))


def _changes(networks: IcGANNetworks) -> list[int]:
    """How often each weight has been changed in place."""
    tensors = (*networks.parameters(), *networks.buffers())
    return [0 if t.is_inference() else t._version for t in tensors]  # those can't be counted


@torch.inference_mode()
def encode(networks: IcGANNetworks, images: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """E_z and E_y of batches of any size.

    Args:
        networks: In eval mode, on the device.
        images: [B, C, P, P] in [-1, 1], see `IcGANNetworks.shrink`.
        device: Where the networks are.

    Returns:
        z [B, z_dim] and y [B, n_attributes] on the device.
    """
    parts = [
        networks.encode(networks.shrink(chunk.to(device))) for chunk in torch.split(images, CHUNK)
    ]
    z, y = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
    return z, y


@torch.inference_mode()
def decode(networks: IcGANNetworks, z: Tensor, y: Tensor, device: torch.device) -> Tensor:
    """G(z, y) of batches of any size: images [B, C, S, S] in (-1, 1), on the CPU."""
    chunks = zip(torch.split(z, CHUNK), torch.split(y, CHUNK), strict=True)
    images = [networks.decode(*(t.to(device, torch.float32) for t in chunk)) for chunk in chunks]
    return torch.cat([chunk.cpu() for chunk in images])


def refine(
    networks: IcGANNetworks,
    faces: FaceVectors | None,
    images: Tensor,
    z: Tensor,
    y: Tensor,
    steps: int,
    device: torch.device,
) -> Tensor:
    """Better z for batches of any size, see `refine_z`.

    Args:
        networks: In eval mode, on the device.
        faces: As `face_vectors` gives it for them; moved to the device.
        images: [B, C, P, P] in [-1, 1], see `IcGANNetworks.shrink`.
        z: Where to start, [B, z_dim].
        y: The attributes, [B, n_attributes].
        steps: Of the search.
        device: Where the networks are.

    Returns:
        z [B, z_dim] on the device.
    """
    faces = None if faces is None else faces.to(device)
    parts = zip(*(torch.split(t, CHUNK) for t in (images, z, y)), strict=True)
    found = []
    for part in parts:
        x, start, read = (t.to(device) for t in part)
        found.append(refine_z(networks.generator, networks.shrink(x), start, read, steps, faces))
    return torch.cat(found)


def _to_array(tensor: Tensor) -> Floats:
    array: Floats = tensor.cpu().contiguous().numpy()
    return array
