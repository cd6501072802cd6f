"""Opening a model with the engine that a user asks for."""

from pathlib import Path
from typing import get_args

from icgan_sdk.engines.engine import Engine, RuntimeName
from icgan_sdk.errors import ConfigError


def open_engine(folder: Path, runtime: RuntimeName, device: str | None) -> Engine:
    """A model's folder, ready to run.

    Args:
        folder: An artefact folder for "torch", the folder of an ONNX export for "onnx".
        runtime: What shall run it.
        device: As `IcGAN` takes it.

    Raises:
        ConfigError: If the runtime is unknown or not installed, or there is no such device.
        ModelNotFoundError: If there is no such folder.
        ModelFormatError: If its files are damaged, incomplete or of a newer format.
    """
    # Each brings in its library, which takes seconds or may be missing.
    if runtime == "torch":
        from icgan_sdk.artefacts.store import load_artefact
        from icgan_sdk.engines.pytorch import TorchEngine

        return TorchEngine(load_artefact(folder), device)
    if runtime == "onnx":
        from icgan_sdk.engines.onnxruntime import OnnxEngine

        return OnnxEngine(folder, device)
    raise ConfigError(f"runtime must be one of {', '.join(get_args(RuntimeName))}, not {runtime!r}")
