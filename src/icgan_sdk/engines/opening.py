"""Opening a model's folder with the engine that is asked for."""

from pathlib import Path
from typing import TYPE_CHECKING

from icgan_sdk.engines.engine import Engine, RuntimeName
from icgan_sdk.errors import ConfigError

if TYPE_CHECKING:
    import torch


def open_engine(
    folder: Path, device: "str | torch.device | None", runtime: RuntimeName
) -> "tuple[Engine, torch.dtype | None]":
    """What runs a model, and the precision of its weights, where it has them.

    Args:
        folder: The model's, or an export's.
        device: Where the networks are to compute; None: the engine's usual place.
        runtime: "auto" takes onnxruntime on the CPU if the model has graphs.

    Raises:
        ModelNotFoundError: If there is no such folder.
        ModelFormatError: If its files are damaged, incomplete or of a newer format.
        ConfigError: If there is no such device, or PyTorch is needed and not installed.
    """
    # Each engine brings in its library, which takes seconds or may be missing.
    if runtime == "onnx" or (runtime == "auto" and _runs_without_torch(folder, device)):
        from icgan_sdk.engines.onnxruntime import OnnxEngine

        return OnnxEngine(folder, None if device is None else str(device)), None
    try:
        from icgan_sdk.artefacts.store import open_artefact
        from icgan_sdk.engines.pytorch import TorchEngine
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ConfigError(
            "PyTorch is not installed: runtime='onnx' edits without it, and "
            "'pip install torch' brings it"
        ) from error
    networks, dtype = open_artefact(folder)
    return TorchEngine(networks, device), dtype


def _runs_without_torch(folder: Path, device: "str | torch.device | None") -> bool:
    from icgan_sdk.artefacts.export_folder import has_graphs

    return (device is None or str(device) in {"auto", "cpu"}) and has_graphs(folder)
