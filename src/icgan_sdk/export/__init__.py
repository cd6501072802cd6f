"""Models for other programs: the networks and the whole edit as ONNX or `torch.export` graphs.

``IcGAN.from_pretrained(folder, runtime="onnx")`` runs what `export_onnx` writes, without torch.
"""

from icgan_sdk.export.exporting import export_onnx, export_torch

__all__ = ["export_onnx", "export_torch"]
