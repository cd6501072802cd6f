"""Bringing tensors to a device."""

import torch
from torch import Tensor


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device; a GPU gets it without anybody waiting for the copy."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()  # only from there a copy runs beside the computation
    return tensor.to(device, non_blocking=True)
