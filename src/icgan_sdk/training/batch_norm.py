"""Batch norm's statistics: kept while a network learns on, or taken anew."""

from collections.abc import Callable, Iterator

import torch
from torch import nn

Norm = nn.BatchNorm1d | nn.BatchNorm2d


def norms_in(network: nn.Module) -> Iterator[Norm]:
    """The batch-norm layers of a network."""
    return (module for module in network.modules() if isinstance(module, Norm))


def set_training(network: nn.Module, fixed_norm: bool) -> None:
    """Put a network into training mode; with `fixed_norm` all of it but the batch norm."""
    network.train()
    for norm in norms_in(network) if fixed_norm else ():
        norm.eval()


@torch.no_grad()
def refresh(network: nn.Module, batches: int, run_batch: Callable[[int], object]) -> None:
    """Replace the statistics by plain means over train-mode batches.

    Args:
        network: Is left in training mode.
        batches: How many there are.
        run_batch: Runs the network on one of them, counted from 1.
    """
    norms = list(norms_in(network))
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative mean
    network.train()
    for batch in range(1, batches + 1):
        run_batch(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
