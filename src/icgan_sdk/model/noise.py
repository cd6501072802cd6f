"""Random z, and the generators that draw it."""

import torch
from torch import Tensor

from icgan_sdk.checks import check_whole
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError


def random_source(seed: int | None, generator: torch.Generator | None) -> torch.Generator:
    """The given generator, or a new one on the CPU; the global generator stays untouched.

    Raises:
        ConfigError: If both are given, or the seed is out of range.
    """
    if generator is not None:
        if not isinstance(generator, torch.Generator):
            raise ConfigError(f"generator must be a torch.Generator, not {generator!r}")
        if seed is not None:
            raise ConfigError("give a seed or a generator, not both")
        return generator
    source = torch.Generator()
    if seed is None:
        source.seed()
        return source
    seed = check_whole("seed", seed, 0)
    if seed >= 2**63:
        raise ConfigError(f"seed must be below 2**63, not {seed}")
    return source.manual_seed(seed)


def draw_noise(batch: int, config: ModelConfig, generator: torch.Generator) -> Tensor:
    """Noise z [batch, z_dim] from the model's distribution, on the generator's device."""
    draw = torch.rand if config.noise == "uniform" else torch.randn
    z = draw(
        (batch, config.z_dim), generator=generator, device=generator.device, dtype=torch.float32
    )
    return z * 2 - 1 if config.noise == "uniform" else z
