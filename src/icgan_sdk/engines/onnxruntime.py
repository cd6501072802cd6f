"""An exported model run by onnxruntime; torch is never imported."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import numpy.typing as npt

from icgan_sdk.artefacts.export_folder import (
    CHANGE,
    COMPOSITE,
    EDITED,
    ENCODER,
    GENERATOR,
    IMAGES,
    PAINTER,
    REBUILT,
    Y_NEW,
    Y,
    Z,
    check_installed,
    open_graphs,
)
from icgan_sdk.config import ModelConfig
from icgan_sdk.engines.engine import CHUNK, Engine
from icgan_sdk.errors import ConfigError, ModelFormatError
from icgan_sdk.pictures.arrays import Floats

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from icgan_sdk.model import IcGANNetworks

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
"""onnxruntime's names of devices."""

INTERFACES = {
    ENCODER: ((IMAGES,), (Z, Y)),
    GENERATOR: ((Z, Y), (IMAGES,)),
    PAINTER: ((IMAGES, Y, Y_NEW), (EDITED,)),
    COMPOSITE: ((IMAGES, REBUILT, EDITED), (CHANGE,)),
}
"""What each graph takes and gives."""


class OnnxEngine(Engine):
    """Runs the folder of an ONNX export; results differ from torch's by rounding.

    Args:
        folder: What `export_onnx` wrote.
        device: "cpu", "cuda", "cuda:1"; "auto" or None: the CPU.

    Raises:
        ConfigError: If onnxruntime is not installed, or there is no such device.
        ModelNotFoundError: If there is no such folder.
        ModelFormatError: If it is no ONNX export, incomplete, damaged or of a newer format.
    """

    def __init__(self, folder: str | os.PathLike[str], device: str | None = "cpu") -> None:
        check_installed("onnxruntime")
        self._config, self._paths = open_graphs(Path(folder))
        self._folder = Path(folder).absolute()  # pickles are opened elsewhere
        self._device = "cpu" if device in {None, "auto"} else str(device)
        self._open()

    def __reduce__(self) -> tuple[object, ...]:
        # Sessions can't be pickled.
        return (OnnxEngine, (self._folder, self._device))

    @property
    def config(self) -> ModelConfig:
        """Sizes and design of the networks."""
        return self._config

    @property
    def device(self) -> str:
        """Where the graphs compute."""
        return self._device

    @property
    def networks(self) -> "IcGANNetworks":
        """Exports hold graphs, no modules."""
        self._refuse("saving a model")

    def move(self, device: str) -> None:
        """Let the graphs compute elsewhere."""
        before, self._device = self._device, "cpu" if device == "auto" else str(device)
        try:
            self._open()
        except ConfigError:
            self._device = before
            raise

    def encode(self, images: Floats) -> tuple[Floats, Floats]:
        """E_z and E_y, see `Engine.encode`."""
        z, y = self._run(ENCODER, {IMAGES: images})
        return z, y

    def read(self, images: Floats) -> Floats:
        """E_y alone, see `Engine.read`."""
        return self.encode(images)[1]

    def decode(self, z: Floats, y: Floats) -> Floats:
        """G(z, y), see `Engine.decode`."""
        (images,) = self._run(GENERATOR, {Z: z, Y: y})
        return images

    def change(self, images: Floats, rebuilt: Floats, edited: Floats) -> Floats:
        """What an edit adds to the original pixels, see `Engine.change`."""
        if COMPOSITE not in self._sessions:
            raise ConfigError(
                f"{self._folder} was exported by an older release, which wrote no graph that "
                "edits photos in steps: export the model again"
            )
        (change,) = self._run(COMPOSITE, {IMAGES: images, REBUILT: rebuilt, EDITED: edited})
        return change

    def paint(self, images: Floats, y: Floats, y_new: Floats) -> Floats:
        """An edit painted onto photos, see `Engine.paint`."""
        (painted,) = self._run(PAINTER, {IMAGES: images, Y: y, Y_NEW: y_new})
        return painted

    def refine(self, images: Floats, z: Floats, y: Floats, steps: int) -> Floats:
        """Exports hold no gradients."""
        self._refuse("refine needs gradients")

    def _refuse(self, what: str) -> NoReturn:
        raise ConfigError(f"{what}, which an ONNX export can't give: use the torch runtime")

    def _open(self) -> None:
        providers, options = _provider(self._device)
        self._sessions = {
            name: open_session(path, providers, options) for name, path in self._paths.items()
        }
        for name, session in self._sessions.items():
            _check_interface(session, name, self._config, self._paths[name])

    def _run(self, name: str, feed: Mapping[str, Floats]) -> list[Floats]:
        total = len(next(iter(feed.values())))
        parts = [
            run_session(self._sessions[name], {k: x[at : at + CHUNK] for k, x in feed.items()})
            for at in range(0, total, CHUNK)
        ]
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def _provider(device: str) -> tuple[list[str], list[dict[str, str]]]:
    kind, _, number = device.partition(":")
    if kind not in PROVIDERS or (number and not number.isdecimal()):
        raise ConfigError(f"the ONNX runtime has no device {device!r}: give auto, cpu or cuda")
    return [PROVIDERS[kind]], [{"device_id": number}] if number else [{}]


def open_session(
    path: Path,
    providers: Sequence[str] = (PROVIDERS["cpu"],),
    provider_options: Sequence[dict[str, str]] | None = None,
) -> "InferenceSession":
    """Load a graph into onnxruntime.

    Raises:
        ConfigError: If onnxruntime lacks a provider.
        ModelFormatError: If the file can't be read.
    """
    import onnxruntime

    available = onnxruntime.get_available_providers()
    if lacking := [name for name in providers if name not in available]:
        raise ConfigError(
            f"onnxruntime has no execution provider {lacking[0]} here; it has: "
            f"{', '.join(available)}"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is told by exceptions
    options.intra_op_num_threads = _cores()
    # Threads wait by spinning, which takes a core from whatever else runs: a millisecond bridges
    # one operation to the next, more would go on after the last. Older releases don't know this.
    options.add_session_config_entry("session.intra_op.spin_duration_us", "1000")
    try:
        return onnxruntime.InferenceSession(
            path, options, providers=list(providers), provider_options=provider_options
        )
    except Exception as error:  # onnxruntime's have no base of their own
        raise ModelFormatError(f"{path} can't be loaded, it may be damaged: {error}") from error


def _cores() -> int:
    # onnxruntime counts the machine's cores, of which a container may have fewer; 0: its choice.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


def run_session(
    session: "InferenceSession", feed: Mapping[str, npt.NDArray[np.generic]]
) -> list[Floats]:
    """All outputs of a graph."""
    outputs: list[Floats] = session.run(None, dict(feed))
    return outputs


def _check_interface(
    session: "InferenceSession", name: str, config: ModelConfig, path: Path
) -> None:
    side = config.image_size if name == GENERATOR else config.photo.image_size
    vectors = {Z: [config.z_dim], Y: [config.n_attributes], Y_NEW: [config.n_attributes]}
    expected = tuple(
        {tensor: vectors.get(tensor, [config.channels, side, side]) for tensor in ends}
        for ends in INTERFACES[name]
    )
    # The first dimension is the batch, which has a name instead of a size.
    found = tuple(
        {x.name: x.shape[1:] for x in ends}
        for ends in (session.get_inputs(), session.get_outputs())
    )
    if found != expected:
        raise ModelFormatError(f"{path} doesn't fit the model's config: {found}, not {expected}")
