"""Models for other programs: the networks and the whole edit as ONNX or `torch.export` graphs.

Writing needs torch; running an ONNX export (`OnnxIcGAN`) doesn't, so each name is imported on first
use (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icgan_sdk.export.exporting import export_onnx, export_torch
    from icgan_sdk.export.runtime import OnnxIcGAN

__all__ = ["OnnxIcGAN", "export_onnx", "export_torch"]


def __getattr__(name: str) -> object:
    if name == "OnnxIcGAN":
        return getattr(import_module("icgan_sdk.export.runtime"), name)
    if name in {"export_onnx", "export_torch"}:
        return getattr(import_module("icgan_sdk.export.exporting"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
