"""Optimisation steps: Adam in two variants, learning-rate schedules, moving averages."""

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from icgan_sdk.model.layers import saved_buffers
from icgan_sdk.training.runtime import Runtime
from icgan_sdk.training.settings import OptimiserConfig


class Torch7Adam(torch.optim.Adam):
    """Adam as Torch7's optim computes it: ε is added to √v before the bias correction.

    step = lr·√(1−β2^t)/(1−β1^t)·m/(√v + ε), which is PyTorch's Adam with ε/√(1−β2^t).
    """

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """One optimisation step."""
        for group in self.param_groups:
            group.setdefault("torch7_eps", group["eps"])
            states = [self.state[p] for p in group["params"] if self.state[p]]
            taken = int(states[0]["step"]) if states else 0
            group["eps"] = group["torch7_eps"] / math.sqrt(1 - group["betas"][1] ** (taken + 1))
        return super().step(closure)


def make_adam(
    network: nn.Module, config: OptimiserConfig, relative_rate: float = 1.0
) -> torch.optim.Adam:
    """The optimiser of one network; ε is 1e-8 (paper §5.1).

    Args:
        network: Its parameters are optimised.
        config: The stage's settings.
        relative_rate: The network's learning rate as a multiple of the stage's.
    """
    variant = Torch7Adam if config.adam == "torch7" else torch.optim.Adam
    betas = (config.beta1, config.beta2)
    groups = [{"params": list(network.parameters()), "relative_rate": relative_rate}]
    return variant(groups, config.learning_rate, betas, eps=1e-8, fused=True)


def set_learning_rate(
    optimiser: torch.optim.Optimizer, config: OptimiserConfig, step: int, steps: int
) -> None:
    """Set the learning rate for a step (counted from 1) as the config's schedule has it."""
    rate = config.learning_rate
    if config.schedule == "cosine":
        rate *= 0.5 * (1 + math.cos(math.pi * (step - 1) / steps))
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("relative_rate", 1.0)


def descend(
    loss: Tensor, network: nn.Module, optimiser: torch.optim.Optimizer, runtime: Runtime
) -> None:
    """One optimisation step of a network, with gradients averaged over the processes."""
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    runtime.average_gradients(network)
    optimiser.step()


# Not torch.optim.swa_utils.AveragedModel: its first update copies the network instead of averaging,
# its averaging function would make the host wait for the GPU to read the number of updates, and
# that number is part of its state, which existing checkpoints don't hold.
class MovingAverage:
    """Exponential moving average of a network's parameters; buffers are copied.

    The decay rises with the step n as (1 + n) / (10 + n) up to its final value. So the average
    soon forgets the random start.

    Args:
        network: The network to follow; the average begins at its present weights.
        decay: Final decay; 0 keeps a plain copy.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Add the network as it is after a step, counted from 1."""
        decay = min(self.decay, (1 + step) / (10 + step)) if self.decay else 0.0
        mine: list[Tensor] = list(self.network.parameters())
        theirs: list[Tensor] = list(network.parameters())
        torch._foreach_lerp_(mine, theirs, 1 - decay)
        pairs = zip(saved_buffers(self.network), saved_buffers(network), strict=True)
        for average, current in pairs:
            average.copy_(current)
