"""Comparing features of pictures with those of their partners."""

import torch
import torch.nn.functional as F
from torch import Tensor

PENALTY = 0.01
"""Weight of the probe's squared weights: with few photos it would else learn them by heart."""


def matched(differences: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Up to `most` evenly spaced rows of [N, M], N ≤ M, and the nearest free column of each."""
    total, count = len(differences), min(most, len(differences))
    rows = torch.arange(count) * total // max(count, 1)
    left, columns = differences[rows].clone(), torch.empty_like(rows)
    for place, row in enumerate(left):
        columns[place] = row.argmin()
        left[:, columns[place]] = torch.inf
    return rows, columns


def squared_distance(a: Tensor, b: Tensor) -> float:
    """Unbiased squared MMD of features and those of their partners, both [N, F].

    The kernel is (a·b / F + 1)³. Without bias it is 0 on average where partners might as well be
    exchanged, and may be negative. So partners, who are alike, aren't compared with each other
    (Gretton et al. 2012, "A Kernel Two-Sample Test", equation 4).
    """
    return float(_exchanges(a, b).sum() / (len(a) * (len(a) - 1)))


def chance(a: Tensor, b: Tensor) -> float:
    """Standard deviation of `squared_distance` if partners are exchanged at random."""
    h = _exchanges(a, b)
    # Each exchange turns the signs of a row and of a column, which are independent.
    return float((2 * ((h + h.T) / 2).square().sum()).sqrt() / (len(a) * (len(a) - 1)))


def _exchanges(a: Tensor, b: Tensor) -> Tensor:
    """What each two pairs contribute, [N, N] with nothing for a pair and itself."""
    a, b = a.double(), b.double()

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / x.shape[1] + 1.0) ** 3

    across = kernel(a, b)
    return (kernel(a, a) + kernel(b, b) - across - across.T).fill_diagonal_(0.0)


def probe(a: Tensor, b: Tensor) -> float:
    """How well a linear probe tells features [N, F] from others [M, F]: AUC over two folds."""
    x, target = torch.cat([a, b]).double(), torch.cat([torch.ones(len(a)), torch.zeros(len(b))])
    fold = torch.cat([torch.arange(len(a)), torch.arange(len(b))]) % 2
    areas = []
    for held in (0, 1):
        weights = _fit(x[fold != held], target[fold != held].double())
        scores = x[fold == held] @ weights[:-1]
        own, other = (scores[target[fold == held] == kind] for kind in (1, 0))
        above = (own[:, None] > other).double() + (own[:, None] == other).double() / 2
        areas.append(float(above.mean()))
    return sum(areas) / len(areas)


def _fit(x: Tensor, target: Tensor) -> Tensor:
    """Logistic regression with a penalty on the weights: [F + 1], the last the bias."""
    with torch.inference_mode(False), torch.enable_grad():
        x, target = x.clone(), target.clone()
        weights = torch.zeros(x.shape[1] + 1, dtype=torch.double, requires_grad=True)
        optimiser = torch.optim.LBFGS([weights], max_iter=50, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimiser.zero_grad()
            logits = x @ weights[:-1] + weights[-1]
            error = F.binary_cross_entropy_with_logits(logits, target)
            total = error + PENALTY * weights[:-1].square().sum()
            torch.autograd.backward(total)
            return total

        optimiser.step(loss)
        return weights.detach()
