"""The losses of joint training: of the critic, and of G and E_z."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.model import Critic, map_distance
from icgan_sdk.model.face_recognition import FaceVectors
from icgan_sdk.training.augment import augment
from icgan_sdk.training.losses import (
    attribute_loss,
    distance_from_prior,
    identity_loss,
)
from icgan_sdk.training.settings import JointConfig

PRIOR_WEIGHT = 1.0
"""Weight of the distance between real images' z and N(0, 1). Where the two differ, G draws from z
that it meets only in edits and reconstructions."""


class JointBatch(NamedTuple):
    """Inputs of one step.

    Attributes:
        x: Real images [B, C, S, S] in [-1, 1].
        y: Their attributes [B, n_y], −1 or 1.
        y_wrong: Label vectors that don't match the real images, [B, n_y].
        z: Noise of the sampled images [S, z_dim].
        y_sampled: Attributes of the sampled images [S, n_y].
        y_edited: Attributes that the first E real images should show after their edits, [E, n_y].
        touched: Which of those values the edit changes, bool [E, n_y].
        same_person: Which edits leave the person who it is, bool [E].
    """

    x: Tensor
    y: Tensor
    y_wrong: Tensor
    z: Tensor
    y_sampled: Tensor
    y_edited: Tensor
    touched: Tensor
    same_person: Tensor


@dataclass(frozen=True)
class JointNetworks:
    """The networks of joint training; E_y and what knows faces are not trained."""

    generator: nn.Module
    encoder_z: nn.Module
    critic: Critic
    encoder_y: nn.Module
    faces: FaceVectors | None = None


def critic_losses(
    critic: Critic,
    batch: JointBatch,
    fake: Tensor,
    y: Tensor,
    weights: JointConfig,
    draws: torch.Generator,
) -> dict[str, Tensor]:
    """The critic's losses.

    Args:
        critic: Is trained.
        batch: Real images with right and wrong attributes.
        fake: Generated images [N, C, S, S], without a gradient.
        y: What these should show, [N, n_y].
        weights: Whether the images are augmented.
        draws: For augmentation.

    Returns:
        ``critic``, the hinge loss of the scores, and ``critic_y``, the attribute loss.
    """
    real = augment(batch.x, draws) if weights.augment else batch.x
    fake = augment(fake, draws) if weights.augment else fake
    with nn.utils.parametrize.cached():
        h, h_fake = torch.split(critic.embed(torch.cat([real, fake])), [len(real), len(fake)])
        loss = F.relu(1 - critic.score(h, batch.y)).mean()
        loss = loss + 0.5 * F.relu(1 + critic.score(h, batch.y_wrong)).mean()
        loss = loss + F.relu(1 + critic.score(h_fake, y)).mean()
        return {"critic": loss, "critic_y": attribute_loss(critic.read(h), batch.y)}


def generator_losses(
    networks: JointNetworks,
    batch: JointBatch,
    fake: Tensor,
    y: Tensor,
    z_real: Tensor,
    weights: JointConfig,
    draws: torch.Generator,
    edited_weight: float,
) -> dict[str, Tensor]:
    """The losses of G and E_z.

    Args:
        networks: The critic is frozen here.
        batch: Real images, noise and attributes.
        fake: Generated images [N, C, S, S]: sampled, edited, reconstructed.
        y: What these should show, [N, n_y].
        z_real: z of the real images, [B, z_dim].
        weights: Of the losses.
        draws: For augmentation, the cuts of `identity_loss` and the directions of
            `distance_from_prior`.
        edited_weight: Weight in the attribute loss of the values that an edit changes.

    Returns:
        ``g``, ``g_y``, ``pixel``, ``z``, ``prior``, where weighted ``feature`` and ``identity``;
        and their weighted sum, ``total``.
    """
    critic = networks.critic
    sampled = len(batch.z)
    counts = torch.ones_like(y)
    # An index by a mask would wait for the GPU.
    edited = torch.where(batch.touched, edited_weight, 1.0)
    counts[sampled : sampled + len(edited)] = edited
    rebuilt = fake[sampled + len(batch.y_edited) :]
    x = batch.x[: len(rebuilt)]
    with nn.utils.parametrize.cached():
        h = critic.embed(augment(fake, draws) if weights.augment else fake)
        read = attribute_loss(critic.read(h), y, counts)
        losses = {"g": -critic.score(h, y).mean(), "g_y": read}
        if weights.feature_weight > 0:
            with torch.no_grad():
                targets = critic.maps(x)
            losses["feature"] = map_distance(critic.maps(rebuilt), targets)
    losses["pixel"] = (rebuilt - x).abs().mean()
    if networks.faces is not None:
        originals = torch.cat([batch.x[: len(edited)], x])
        people = torch.cat([batch.same_person, batch.same_person.new_ones(len(x))])
        losses["identity"] = identity_loss(
            networks.faces, fake[sampled:], originals, draws, people.float()
        )
    losses["z"] = F.mse_loss(networks.encoder_z(fake[:sampled]).float(), batch.z)
    losses["prior"] = distance_from_prior(z_real, draws)
    losses["total"] = (
        losses["g"]
        + weights.attribute_weight * losses["g_y"]
        + weights.pixel_weight * losses["pixel"]
        + weights.feature_weight * losses.get("feature", 0.0)
        + weights.identity_weight * losses.get("identity", 0.0)
        + weights.z_weight * losses["z"]
        + PRIOR_WEIGHT * losses["prior"]
    )
    return losses


def gradient_penalty(critic: Critic, x: Tensor, y: Tensor) -> Tensor:
    """R1: half the mean squared norm of the gradient of real images' scores by their pixels.

    In float32, as gradients of gradients lose too much in bfloat16.

    Args:
        critic: Whose scores.
        x: Real images [B, C, S, S].
        y: Their attributes [B, n_y].

    Returns:
        A scalar, with a gradient by the critic's weights.
    """
    x = x.detach().float().requires_grad_()
    with torch.autocast(x.device.type, enabled=False):
        scores = critic.score(critic.embed(x), y)
    (gradient,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean() / 2
