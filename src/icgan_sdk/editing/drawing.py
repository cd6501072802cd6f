"""Random z and classes, drawn by NumPy, so that a seed means the same whatever runs the model."""

import numpy as np

from icgan_sdk.checks import check_whole
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError
from icgan_sdk.pictures.arrays import Floats


def source_of(seed: int | None, generator: np.random.Generator | None) -> np.random.Generator:
    """The given generator, or a new one; NumPy's global state stays untouched.

    Raises:
        ConfigError: If both are given, the seed is no whole number from 0, or the generator is not
            NumPy's.
    """
    if generator is None:
        return np.random.default_rng(None if seed is None else check_whole("seed", seed, 0))
    if not isinstance(generator, np.random.Generator):
        raise ConfigError(f"generator must be a numpy.random.Generator, not {generator!r}")
    if seed is not None:
        raise ConfigError("give a seed or a generator, not both")
    return generator


def draw_z(n: int, config: ModelConfig, source: np.random.Generator) -> Floats:
    """Z [n, z_dim] from the model's distribution."""
    shape = (n, config.z_dim)
    if config.noise == "uniform":
        return source.random(shape, np.float32) * np.float32(2) - np.float32(1)
    return source.standard_normal(shape, np.float32)


def draw_y(n: int, config: ModelConfig, source: np.random.Generator, *, classes: bool) -> Floats:
    """Y [n, n_attributes] in which everything is absent.

    Args:
        n: Rows.
        config: Of the model.
        source: Of randomness.
        classes: Of one-hot labels, let one of each row be present, drawn at random.
    """
    y = np.full((n, config.n_attributes), -1, np.float32)
    if classes and config.attributes.one_hot:
        y[np.arange(n), source.integers(config.n_attributes, size=n)] = 1
    return y
