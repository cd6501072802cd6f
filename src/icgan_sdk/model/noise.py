"""Random z for training and evaluation."""

import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig


def draw_noise(batch: int, config: ModelConfig, generator: torch.Generator) -> Tensor:
    """Noise z [batch, z_dim] from the model's distribution, on the generator's device."""
    draw = torch.rand if config.noise == "uniform" else torch.randn
    z = draw(
        (batch, config.z_dim), generator=generator, device=generator.device, dtype=torch.float32
    )
    return z * 2 - 1 if config.noise == "uniform" else z
