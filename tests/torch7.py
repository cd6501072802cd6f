"""The original networks' weights, copied into ours: by position, as module orders agree."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

Array = npt.NDArray[np.float32]
FIELDS = ("weight", "bias", "running_mean", "running_var")


def golden_modules(golden: Mapping[str, Array], network: str) -> list[dict[str, Array]]:
    """Parameters and statistics by module, in order, from arrays named network.path.field."""
    modules: dict[tuple[int, ...], dict[str, Array]] = {}
    for key in golden:
        if "." not in key:
            continue
        name, *path, field = key.split(".")
        if name == network and field in FIELDS:
            modules.setdefault(tuple(map(int, path)), {})[field] = golden[key]
    return [modules[path] for path in sorted(modules)]


def copy_weights(network: nn.Module, modules: list[dict[str, Array]]) -> None:
    """Copy parameters and statistics into a network of the same module order."""
    own = [m for m in network.modules() if m._parameters]
    assert len(own) == len(modules)
    with torch.no_grad():
        for module, arrays in zip(own, modules, strict=True):
            for field, array in arrays.items():
                target = getattr(module, field)
                target.copy_(torch.tensor(array).reshape(target.shape))


def flat(network: nn.Module) -> Tensor:
    """All parameters in one vector: the layout of the original's getParameters()."""
    return nn.utils.parameters_to_vector(network.parameters())


def load_flat(network: nn.Module, vector: Array) -> None:
    """The inverse of `flat`."""
    nn.utils.vector_to_parameters(torch.tensor(vector), network.parameters())


def comparable(network: nn.Module) -> Tensor:
    """Which entries of `flat` can be compared after Adam steps.

    The bias of a layer directly followed by batch norm has no effect: its gradient is rounding
    noise, which Adam turns into steps of ±lr.
    """
    mask = torch.ones_like(flat(network), dtype=torch.bool)
    leaves = [m for m in network.modules() if m._parameters]
    at = 0
    for layer, follower in zip(leaves, [*leaves[1:], None], strict=True):
        for name, parameter in layer.named_parameters(recurse=False):
            if name == "bias" and isinstance(follower, nn.BatchNorm1d | nn.BatchNorm2d):
                mask[at : at + parameter.numel()] = False
            at += parameter.numel()
    return mask
