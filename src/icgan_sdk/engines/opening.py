"""Opening a model's folder with the engine that is asked for."""

from pathlib import Path
from typing import TYPE_CHECKING

from icgan_sdk.checks import require
from icgan_sdk.engines.engine import Engine, RuntimeName

if TYPE_CHECKING:
    import torch

_WITHOUT_TORCH = "runtime='onnx' (--runtime onnx) edits without it"


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
        ConfigError: If there is no such device, or PyTorch is needed and can't be loaded.
    """
    # Each engine brings in its library, which takes seconds or may be missing.
    if runtime == "onnx" or (runtime == "auto" and _runs_without_torch(folder, device)):
        from icgan_sdk.engines.onnxruntime import OnnxEngine

        return OnnxEngine(folder, None if device is None else str(device)), None
    need = f"PyTorch is not installed: {_WITHOUT_TORCH}, and 'pip install torch' brings it"
    require("torch", need, _WITHOUT_TORCH)
    from icgan_sdk.artefacts.store import open_artefact
    from icgan_sdk.engines.pytorch import TorchEngine

    networks, dtype = open_artefact(folder)
    return TorchEngine(networks, device, folder), dtype


def _runs_without_torch(folder: Path, device: "str | torch.device | None") -> bool:
    from icgan_sdk.artefacts.export_folder import has_graphs

    return (device is None or str(device) in {"auto", "cpu"}) and has_graphs(folder)
