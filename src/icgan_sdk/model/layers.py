"""Functions that several networks share."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def join_maps(features: Tensor, y: Tensor) -> Tensor:
    """Append y as constant maps: [B, C, H, W] and [B, n_y] to [B, C + n_y, H, W]."""
    maps = y[:, :, None, None].expand(-1, -1, features.shape[2], features.shape[3])
    return torch.cat([features, maps.to(features.dtype)], dim=1)


def repeat_pixels(maps: Tensor) -> Tensor:
    """Twice the side, each pixel four times: [B, C, S, S] to [B, C, 2S, 2S]."""
    return F.interpolate(maps, scale_factor=2.0, mode="nearest")


@torch.no_grad()
def mix_inputs(layer: nn.Linear | nn.ConvTranspose2d, root: Tensor) -> None:
    """Let the first inputs of a layer be root·v where they were v, for root [N, N] on the CPU."""
    old = layer.weight.cpu().double()
    if isinstance(layer, nn.Linear):
        old[:, : len(root)] = old[:, : len(root)] @ root
    else:
        old[: len(root)] = torch.einsum("ij,iokl->jokl", root, old[: len(root)])
    layer.weight.copy_(old)


@torch.no_grad()
def mix_outputs(layer: nn.Linear, matrix: Tensor) -> None:
    """Let a layer give matrix·v where it gave v, for matrix [N, N] on the CPU."""
    for part in (layer.weight, layer.bias):
        part.copy_(matrix @ part.cpu().double())


def init_dcgan(network: nn.Module) -> None:
    """Set the initial weights of the original G and D: N(0, 0.02), batch norm N(1, 0.02), biases 0.

    The encoders keep PyTorch's defaults, as the original's keep those of Torch7. The numbers come
    from the global generator, as they do in the modules' constructors.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.normal_(module.weight, 1.0, 0.02)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def saved_buffers(network: nn.Module) -> list[Tensor]:
    """The buffers that belong to a network's state: batch norm's. Others never change."""
    state = network.state_dict()
    return [buffer for name, buffer in network.named_buffers() if name in state]
