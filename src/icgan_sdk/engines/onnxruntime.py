"""A model run by onnxruntime; torch is never imported."""

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import numpy.typing as npt

from icgan_sdk.artefacts.export_folder import (
    CHANGE,
    EDITED,
    IMAGES,
    REBUILT,
    Y_NEW,
    Y,
    Z,
    open_graphs,
)
from icgan_sdk.artefacts.layout import (
    COMPOSITE,
    ENCODER,
    GENERATOR,
    PAINTER,
    READER,
)
from icgan_sdk.bundled import FACES_FILE
from icgan_sdk.checks import require
from icgan_sdk.config import ModelConfig
from icgan_sdk.engines.engine import CHUNK, Engine
from icgan_sdk.errors import ConfigError, ModelFormatError
from icgan_sdk.machine import usable_cores
from icgan_sdk.pictures.arrays import Floats

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from icgan_sdk.model import IcGANNetworks

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
"""onnxruntime's names of devices."""

WITHOUT = "runtime='torch' (--runtime torch) edits aligned pictures without it"

INTERFACES = {
    ENCODER: ((IMAGES,), (Z, Y)),
    READER: ((IMAGES,), (Y,)),
    GENERATOR: ((Z, Y), (IMAGES,)),
    PAINTER: ((IMAGES, Y, Y_NEW), (EDITED,)),
    COMPOSITE: ((IMAGES, REBUILT, EDITED), (CHANGE,)),
}
"""What each graph takes and gives."""


class OnnxEngine(Engine):
    """Runs the graphs in a model's folder or in an export; torch's results differ by rounding.

    Each graph is opened when it is needed first, or expected; only then the files of its weights.

    Args:
        folder: What `write_graphs` or `export_onnx` wrote.
        device: "cpu", "cuda", "cuda:1"; "auto" or None: the CPU.

    Raises:
        ConfigError: If there is no such device.
        ModelNotFoundError: If there is no such folder.
        ModelFormatError: If it holds no graphs, or is incomplete, damaged or of a newer format.
    """

    def __init__(self, folder: str | os.PathLike[str], device: str | None = "cpu") -> None:
        self._graphs = open_graphs(Path(folder))
        self.config = self._graphs.config
        self._folder = Path(folder).absolute()  # pickles are opened elsewhere
        self._device = "cpu" if device in {None, "auto"} else str(device)
        _provider(self._device)
        self._sessions: dict[str, Future[InferenceSession]] = {}
        self._callers = 1
        self._changing = threading.Lock()
        self._opener = ThreadPoolExecutor(thread_name_prefix="icgan-open")

    def __reduce__(self) -> tuple[object, ...]:
        # Sessions can't be pickled.
        return (OnnxEngine, (self._folder, self._device))

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
        device = "cpu" if device == "auto" else str(device)
        _provider(device)
        with self._changing:
            self._device, self._sessions = device, {}

    def share_cores(self, callers: int) -> int:
        """Give each of several calls at once its part of the cores, see `Engine.share_cores`."""
        with self._changing:
            before = self._callers
            if callers != before:
                self._callers, self._sessions = callers, {}
            return before

    def expect_paint(self) -> None:
        """Begin to open what `read` and `paint` need, see `Engine.expect_paint`."""
        for name in (READER, PAINTER):
            if name in self._graphs.files:
                self._open(name)

    def encode(self, images: Floats) -> tuple[Floats, Floats]:
        """E_z and E_y, see `Engine.encode`."""
        z, y = self._run(ENCODER, {IMAGES: images})
        return z, y

    def read(self, images: Floats) -> Floats:
        """E_y alone, see `Engine.read`."""
        if READER not in self._graphs.files:
            return self.encode(images)[1]
        (y,) = self._run(READER, {IMAGES: images})
        return y

    def decode(self, z: Floats, y: Floats) -> Floats:
        """G(z, y), see `Engine.decode`."""
        (images,) = self._run(GENERATOR, {Z: z, Y: y})
        return images

    def change(self, images: Floats, rebuilt: Floats, edited: Floats) -> Floats:
        """What an edit adds to the original pixels, see `Engine.change`."""
        if COMPOSITE not in self._graphs.files:
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

    def _run(self, name: str, feed: Mapping[str, Floats]) -> list[Floats]:
        session, total = self._open(name).result(), len(next(iter(feed.values())))
        parts = [
            run_session(session, {k: x[at : at + CHUNK] for k, x in feed.items()})
            for at in range(0, total, CHUNK)
        ]
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def _open(self, name: str) -> "Future[InferenceSession]":
        with self._changing:
            task = self._sessions.get(name)
            if task is None or (task.done() and task.exception()):
                task = self._opener.submit(self._session, name, self._device, self._callers)
                self._sessions[name] = task
            return task

    def _session(self, name: str, device: str, callers: int) -> "InferenceSession":
        path, weights = self._graphs.files[name], self._graphs.check_weights(name)
        if weights and name == ENCODER:
            weights.append(FACES_FILE)  # E_z may see faces
        session = open_session(path, device, weights, callers)
        _check_interface(session, name, self.config, path)
        return session


def _provider(device: str) -> tuple[str, dict[str, str]]:
    """The name that onnxruntime has for a device, and the options that number it.

    Raises:
        ConfigError: If there is no such device here, or onnxruntime can't be loaded.
    """
    require("onnxruntime", "onnxruntime is not installed: pip install onnxruntime", WITHOUT)
    import onnxruntime

    kind, _, number = device.partition(":")
    if kind not in PROVIDERS or (number and not number.isdecimal()):
        raise ConfigError(f"the ONNX runtime has no device {device!r}: give auto, cpu or cuda")
    name, available = PROVIDERS[kind], onnxruntime.get_available_providers()
    if name not in available:
        raise ConfigError(
            f"onnxruntime has no execution provider {name} here; it has: {', '.join(available)}"
        )
    return name, {"device_id": number} if number else {}


def open_session(
    path: Path, device: str = "cpu", weights: Sequence[Path] = (), callers: int = 1
) -> "InferenceSession":
    """Load a graph into onnxruntime.

    Args:
        path: Its file.
        device: Where it is to compute.
        weights: The safetensors files that the graph points into, if it does.
        callers: Threads that run it at once, and share the cores.

    Raises:
        ConfigError: If onnxruntime has no such device here.
        ModelFormatError: If the graph can't be loaded.
    """
    import onnxruntime

    provider, provider_options = _provider(device)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is told by exceptions
    # Alone it takes all cores; on Linux it would count those too that the process is not bound to.
    if callers > 1 or sys.platform == "linux":
        options.intra_op_num_threads = max(1, usable_cores() // callers)
    # Threads wait by spinning, which takes a core from whatever else runs: a millisecond bridges
    # one operation to the next, more would go on after the last. Older releases don't know this.
    options.add_session_config_entry("session.intra_op.spin_duration_us", "1000")
    try:
        if weights:
            # Given as memory: onnxruntime refuses files that are links, as in the Hub's cache.
            contents = [np.memmap(file, np.uint8, "r") for file in weights]
            options.add_external_initializers_from_files_in_memory(
                [file.name for file in weights], contents, list(map(len, contents))
            )
        return onnxruntime.InferenceSession(
            path, options, providers=[provider], provider_options=[provider_options]
        )
    except Exception as error:  # onnxruntime's have no base of their own
        raise ModelFormatError(f"{path} can't be loaded, it may be damaged: {error}") from error


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
