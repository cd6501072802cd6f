"""Improving E_z's guess: search the z whose picture comes nearest to the given one."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

LEARNING_RATE = 0.05
BETAS = (0.9, 0.999)
EPSILON = 1e-8
COARSE_SCALES = (2, 4)
PRIOR_WEIGHT = 1e-3


def refine_z(generator: nn.Module, images: Tensor, z: Tensor, y: Tensor, steps: int) -> Tensor:
    """Adam steps on z, from where it is, towards the images; y and the generator stay.

    The loss of one image is the mean squared error of its pixels, plus that of its pixels
    averaged over squares of 2 and 4 (shape counts before texture), plus `PRIOR_WEIGHT` times the
    mean of z² (the pull of the prior N(0, 1), so that z stays where edits work). Losses are
    summed over the batch and Adam works element by element: no image influences another.
    Deterministic. The generator should be in eval mode; its parameters gather no gradients.

    Args:
        generator: G.
        images: [B, C, S, S] in [-1, 1].
        z: Start, [B, z_dim].
        y: [B, n_attributes].
        steps: 0 leaves z as it is.

    Returns:
        The new z, [B, z_dim].
    """
    with torch.inference_mode(False), torch.enable_grad():
        # Clones, because autograd refuses tensors made in inference mode.
        z, y, images = z.detach().clone().requires_grad_(), y.clone(), images.clone()
        mean, square = torch.zeros_like(z), torch.zeros_like(z)
        for step in range(1, steps + 1):
            (gradient,) = torch.autograd.grad(_loss(generator(z, y), images, z), z)
            # Adam by hand: torch.optim brings seconds of imports to the first edit.
            mean = torch.lerp(mean, gradient, 1 - BETAS[0])
            square = torch.lerp(square, gradient.square(), 1 - BETAS[1])
            scale = (square / (1 - BETAS[1] ** step)).sqrt() + EPSILON
            rate = LEARNING_RATE / (1 - BETAS[0] ** step)
            z = (z.detach() - rate * mean / scale).requires_grad_()
    return z.detach()


def _loss(generated: Tensor, images: Tensor, z: Tensor) -> Tensor:
    difference = generated - images
    loss = difference.square().mean(dim=(1, 2, 3)).sum()
    for scale in COARSE_SCALES:
        loss = loss + avg_pool2d(difference, scale).square().mean(dim=(1, 2, 3)).sum()
    return loss + PRIOR_WEIGHT * z.square().mean(dim=1).sum()
