"""Improving E_z's estimate: a search for the z whose picture comes closest to a given one."""

import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from icgan_sdk.model.protocols import EntersFirst

LEARNING_RATE = 0.05
BETAS = (0.9, 0.999)
EPSILON = 1e-8
COARSE_SCALES = (2, 4)
PRIOR_WEIGHT = 1e-3
FACE_WEIGHT = 0.05
LEAST_WEIGHT = 1e-6
"""Square of the least weight of a direction, as a part of the largest one's."""


def refine_z(
    generator: nn.Module,
    images: Tensor,
    z: Tensor,
    y: Tensor,
    steps: int,
    faces: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Move z towards the images by Adam steps; y and the generator stay as they are.

    The loss of an image has up to four terms: the mean squared error of its pixels; the same error
    of its pixels averaged over squares of 2 and of 4, which gives shape more weight than texture;
    `FACE_WEIGHT` times the squared distance of its face from the original's, as a face-recognition
    network sees them; and `PRIOR_WEIGHT` times the mean of z², which keeps z near the prior
    N(0, 1), where edits work.
    Losses are summed over the batch and Adam works element by element, so no image influences
    another. It works in coordinates of z whose directions G's first layer weighs alike; else those
    that it hardly weighs would take most steps. The result is deterministic. The generator should
    be in eval mode; its parameters get no gradients.

    Args:
        generator: G.
        images: [B, C, S, S] in [-1, 1].
        z: Where to start, [B, z_dim].
        y: [B, n_attributes].
        steps: Number of steps; 0 leaves z as it is.
        faces: Vectors [B, V] of the faces in pictures; None: what they show is no face.

    Returns:
        The new z, [B, z_dim].
    """
    if not steps:
        return z
    with torch.inference_mode(False), torch.enable_grad():
        # Clones, as autograd refuses tensors that were made in inference mode.
        z, y, images = z.detach().clone(), y.clone(), images.clone()
        root = _even_root(generator, z)
        u = (z @ root.inverse()).requires_grad_()
        person = None if faces is None else faces(images)
        mean, square = torch.zeros_like(z), torch.zeros_like(z)
        for step in range(1, steps + 1):
            z = u @ root
            generated = generator(z, y)
            loss = _loss(generated, images, z)
            if faces is not None and person is not None:
                loss = loss + FACE_WEIGHT * (faces(generated) - person).square().sum()
            (gradient,) = torch.autograd.grad(loss, u)
            # Adam by hand, as importing torch.optim takes seconds at the first edit.
            mean = torch.lerp(mean, gradient, 1 - BETAS[0])
            square = torch.lerp(square, gradient.square(), 1 - BETAS[1])
            scale = (square / (1 - BETAS[1] ** step)).sqrt() + EPSILON
            rate = LEARNING_RATE / (1 - BETAS[0] ** step)
            u = (u.detach() - rate * mean / scale).requires_grad_()
        return (u @ root).detach()


@torch.no_grad()
def _even_root(generator: nn.Module, z: Tensor) -> Tensor:
    """A map u·root = z [z_dim, z_dim], of determinant 1, that G's first layer weighs evenly."""
    n = z.shape[1]
    first: object = generator.first if isinstance(generator, EntersFirst) else None
    if not isinstance(first, (nn.Linear, nn.ConvTranspose2d)):
        return torch.eye(n, dtype=z.dtype, device=z.device)
    weight = first.weight.cpu().double()
    weight = weight[:, :n].T if isinstance(first, nn.Linear) else weight[:n].flatten(1)
    moments, axes = torch.linalg.eigh(weight @ weight.T)
    least = max(LEAST_WEIGHT * float(moments[-1]), sys.float_info.min)  # of no weights at all too
    logs = moments.clamp_min(least).log()
    scales = (-(logs - logs.mean()) / 2).exp()
    root: Tensor = axes @ (scales[:, None] * axes.T)
    return root.to(z)


def _loss(generated: Tensor, images: Tensor, z: Tensor) -> Tensor:
    difference = generated - images
    loss = difference.square().mean(dim=(1, 2, 3)).sum()
    for scale in COARSE_SCALES:
        loss = loss + avg_pool2d(difference, scale).square().mean(dim=(1, 2, 3)).sum()
    return loss + PRIOR_WEIGHT * z.square().mean(dim=1).sum()
