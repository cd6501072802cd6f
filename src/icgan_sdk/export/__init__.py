"""Models for other programs: the networks and the whole edit as ONNX or `torch.export` graphs.

``IcGAN.from_pretrained(folder, runtime="onnx")`` runs what `write_graphs` and `export_onnx` write,
without torch.
"""

from icgan_sdk.export.exporting import export_onnx, export_torch, write_graphs

__all__ = ["export_onnx", "export_torch", "write_graphs"]
