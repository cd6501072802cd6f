"""The painter's losses, and one step of the painter and its critic.

The critic scores how real a photo with its attributes is, and reads the attributes. The painter is
asked for both, and to change little (GANimation, Pumarola et al. 2018; STGAN, Liu et al. 2019).
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.model import Critic, IcGANNetworks, Painter
from icgan_sdk.model.painter import apply_change
from icgan_sdk.training.losses import attribute_loss
from icgan_sdk.training.optimisers import descend
from icgan_sdk.training.runtime import Runtime
from icgan_sdk.training.settings import PainterConfig

MARGIN = 1.5
"""Logits beyond which what the critic reads is clear enough: more would exaggerate."""

LEAST_GAP = 0.1
"""How far apart E_y's two typical readings of an attribute are taken to be, at least."""

LEAST_EASE = 0.2
"""Share of the penalties on change that stays while what is asked for isn't read yet."""


class PainterBatch(NamedTuple):
    """Inputs of one step.

    Attributes:
        x: Photos [B, C, P, P] in [-1, 1].
        y: Their attributes [B, n_y], −1 or 1.
        y_wrong: Attributes that differ from theirs, [B, n_y].
        y_edited: What they are to show, [B, n_y].
        direction: What the painter is asked for, [B, n_y].
        touched: Which values of y_edited the edit sets, bool [B, n_y].
    """

    x: Tensor
    y: Tensor
    y_wrong: Tensor
    y_edited: Tensor
    direction: Tensor
    touched: Tensor


@dataclass(frozen=True)
class PainterNetworks:
    """The painter and its critic, which are trained, and the model with its E_y, frozen.

    Attributes:
        painter: Trained.
        critic: Trained.
        model: Its E_y reads painted photos too.
        typical: What E_y reads off real photos on average, absent and present: [2, n_y]. More is
            not asked for, as it would exaggerate: E_y is far less sure of a bald head than of a
            smile.
    """

    painter: Painter
    critic: Critic
    model: IcGANNetworks
    typical: Tensor

    def paint(self, batch: PainterBatch) -> tuple[Tensor, Tensor]:
        """The painted photos [B, C, P, P], and the mask [B, 1, P, P]."""
        change, mask = self.painter.change(batch.x, batch.direction)
        return apply_change(batch.x, change, mask, mask.new_ones(len(mask))), mask

    def relative(self, y_read: Tensor) -> Tensor:
        """E_y's readings [B, n_y], scaled so that −1 and 1 are its typical ones."""
        absent, present = self.typical
        part: Tensor = (y_read - absent) / (present - absent).clamp_min(LEAST_GAP)
        return 2.0 * part - 1.0


def warmup_step(
    networks: PainterNetworks,
    optimiser_critic: torch.optim.Optimizer,
    batch: PainterBatch,
    runtime: Runtime,
    paints: bool,
) -> dict[str, Tensor]:
    """One step of the critic alone: on real photos and, if the painter already `paints`, its own.

    Against a critic that has not seen them, a trained painter would forget what it knows.

    Returns:
        Mean losses by name.
    """
    with runtime.autocast():
        with torch.no_grad():
            painted = networks.paint(batch)[0] if paints else None
        losses = critic_losses(networks.critic, batch, painted)
    descend(losses["critic"] + losses["critic_y"], networks.critic, optimiser_critic, runtime)
    return {name: loss.detach() for name, loss in losses.items()}


def painter_step(
    networks: PainterNetworks,
    optimiser: torch.optim.Optimizer,
    optimiser_critic: torch.optim.Optimizer,
    batch: PainterBatch,
    settings: PainterConfig,
    runtime: Runtime,
    strictness: float = 1.0,
) -> dict[str, Tensor]:
    """One step of the critic, then one of the painter on the same painted photos.

    The critic takes hinge losses of real photos with their y, against real photos with a wrong y
    (weight ½) and painted ones with what they are to show; and it learns to read attributes off
    real photos. The painter minimises −score, what the critic reads wrong (`reading_loss`), and
    mask and change (`change_penalties`), the latter times `strictness`.

    Returns:
        Mean losses by name; ``asked``, the share of changed values that the critic reads as asked;
        ``mask``, the mask's mean.
    """
    painter, critic = networks.painter, networks.critic
    with runtime.autocast():
        painted, mask = networks.paint(batch)
        losses = critic_losses(critic, batch, painted.detach())
    descend(losses["critic"] + losses["critic_y"], critic, optimiser_critic, runtime)

    critic.requires_grad_(False)
    with runtime.autocast(), nn.utils.parametrize.cached():
        h, parts = critic.look(painted)
        score, logits = critic.score(h, batch.y_edited), critic.read(h)
        y_read = networks.model.read_y(networks.model.shrink(painted)).float()
    losses["score"] = -score.mean()
    losses["parts"] = -parts.mean()
    losses["read"] = settings.attribute_weight * reading_loss(
        logits / MARGIN, batch.y_edited, batch.touched, settings.emphasis
    )
    losses["read_y"] = settings.encoder_weight * reading_loss(
        networks.relative(y_read), batch.y_edited, batch.touched, settings.emphasis
    )
    changed = batch.y_edited != batch.y
    ease = ease_of(logits, batch.y_edited, batch.direction != 0)
    losses["small"] = change_penalties(painted - batch.x, mask, ease, settings)
    realism = losses["score"] + settings.part_weight * losses["parts"]
    total = realism + losses["read"] + losses["read_y"] + strictness * losses["small"]
    descend(total, painter, optimiser, runtime)
    critic.requires_grad_(True)
    asked = changed & (batch.direction != 0)
    right = (logits * batch.y_edited > 0) & asked
    losses["asked"] = right.sum() / asked.sum().clamp_min(1)
    losses["mask"] = mask.mean()
    return {name: loss.detach() for name, loss in losses.items()}


def critic_losses(critic: Critic, batch: PainterBatch, painted: Tensor | None) -> dict[str, Tensor]:
    """The critic's losses on real photos and, if there are any yet, painted ones [B, C, P, P]."""
    images = batch.x if painted is None else torch.cat([batch.x, painted])
    with nn.utils.parametrize.cached():
        h, parts = critic.look(images)
        h_real, h_painted = h[: len(batch.x)], h[len(batch.x) :]
        loss = F.relu(1 - critic.score(h_real, batch.y)).mean()
        loss = loss + 0.5 * F.relu(1 + critic.score(h_real, batch.y_wrong)).mean()
        if painted is not None:
            loss = loss + F.relu(1 + critic.score(h_painted, batch.y_edited)).mean()
            loss = loss + F.relu(1 - parts[: len(batch.x)]).mean()
            loss = loss + F.relu(1 + parts[len(batch.x) :]).mean()
        return {"critic": loss, "critic_y": attribute_loss(critic.read(h_real), batch.y)}


def reading_loss(read: Tensor, y: Tensor, touched: Tensor, emphasis: float) -> Tensor:
    """Hinge with margin 1 on what is read [B, n_y], summed over the attributes.

    Values that the edit sets (`touched`) count `emphasis` times.
    """
    missing = F.relu(1 - read * y)
    return torch.where(touched, emphasis * missing, missing).sum(1).mean()


def ease_of(logits: Tensor, y: Tensor, asked: Tensor) -> Tensor:
    """How much of the penalties on change a picture takes, [B] in [LEAST_EASE, 1].

    Little while the critic does not read what is asked for, so that large shapes can grow first
    and be trimmed then.
    """
    signed = (logits.detach() * y * asked).sum(1) / asked.sum(1).clamp_min(1)
    return LEAST_EASE + (1 - LEAST_EASE) * torch.sigmoid(signed)


def change_penalties(change: Tensor, mask: Tensor, ease: Tensor, settings: PainterConfig) -> Tensor:
    """Weighted sum of the mask's mean and total variation and of the mean absolute change.

    Args:
        change: Painted minus real photos, [B, C, P, P].
        mask: [B, 1, P, P] in [0, 1].
        ease: Share of the mean terms that each picture takes, [B].
        settings: The weights.
    """
    size = settings.mask_weight * mask.mean((1, 2, 3))
    size = size + settings.pixel_weight * change.abs().mean((1, 2, 3))
    variation = mask.diff(dim=2).abs().mean() + mask.diff(dim=3).abs().mean()
    return (ease * size).mean() + settings.variation_weight * variation
