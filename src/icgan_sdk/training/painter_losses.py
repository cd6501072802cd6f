"""The painter's losses, and one step of the painter and its critic.

The critic scores how real a photo with its attributes is, and reads the attributes. The painter is
asked for both, and to change little (GANimation, Pumarola et al. 2018; STGAN, Liu et al. 2019).
What it puts on itself it must also take off again, where the bare photo is known.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.model import IcGANNetworks, Painter
from icgan_sdk.model.painter import apply_change
from icgan_sdk.model.photo_critic import PhotoCritic
from icgan_sdk.training.losses import attribute_loss
from icgan_sdk.training.optimisers import descend
from icgan_sdk.training.painter_batches import PainterBatch
from icgan_sdk.training.runtime import Runtime
from icgan_sdk.training.settings import PainterConfig

MARGIN = 1.5
"""Logits beyond which what the critic reads is clear enough: more would exaggerate."""

LEAST_GAP = 0.1
"""How far apart E_y's two typical readings of an attribute are taken to be, at least."""

LEAST_EASE = 0.2
"""Share of the penalties on change that stays while what is asked for isn't read yet."""

TAKING_AWAY = 0.4
"""Share of the penalties on change for edits that take something away: they need new content where
there was none, and the mask open there."""

EMPHASIS = 10.0
"""Weight of the values that an edit sets among those that are read; all others weigh 1."""

MASK, VARIATION, PIXELS = 0.5, 1.0, 2.0
"""Weights of the mask's mean, of its total variation (the mean difference of neighbours), and of
the mean absolute change of pixels, in [-1, 1] units."""

BRIGHTNESS = 8.0
"""Weight of how much brighter or darker skin becomes that is to stay, in [-1, 1] units."""

CYCLE = 15.0
"""Weight of the mean difference between bare photos and those that were cleared again."""

MOST_CHANGED = 6.0
"""How much more than on average a pixel counts there that was painted on, at most."""

WRONG = 0.5
"""Weight of real photos with a wrong y in the critic's loss."""


@dataclass(frozen=True)
class PainterNetworks:
    """The painter and its critic, which are trained, and the model with its E_y, frozen.

    Attributes:
        painter: Trained.
        critic: Trained.
        model: Its E_y reads painted photos too, and its painter, the moving average of the trained
            one, paints what that one has to take off.
        skin: Where photos show skin alone, [P, P] with the sum 1, or all 0.
        typical: What E_y reads off real photos on average, absent and present: [2, n_y]. More is
            not asked for, as it would exaggerate: E_y is far less sure of a bald head than of a
            smile.
    """

    painter: Painter
    critic: PhotoCritic
    model: IcGANNetworks
    typical: Tensor
    skin: Tensor

    def paint(self, x: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
        """Painted photos [B, C, P, P], and the mask [B, 1, P, P]."""
        return _paint(self.painter, x, direction)

    @torch.no_grad()
    def put_on(self, batch: PainterBatch) -> Tensor:
        """The batch's bare photos with what is put on, [K, C, P, P]."""
        assert self.model.painter is not None  # of a model with a painter in training
        bare = batch.x[batch.bare]
        return _paint(self.model.painter, bare, batch.put_on)[0].float() if len(bare) else bare

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
    critic = networks.critic
    with runtime.autocast():
        with torch.no_grad():
            painted = networks.paint(batch.x, batch.direction)[0] if paints else None
            features = None if painted is None else critic.features(painted)
        losses = critic_losses(critic, batch, features)
    descend(losses["critic"] + losses["critic_y"], critic, optimiser_critic, runtime)
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
    real photos. The painter minimises −score, what the critic reads wrong (`reading_loss`), mask
    and change (`change_penalties`) times `strictness`, the skin's brightness where it is to stay,
    and how far photos are from bare that it put something on and takes it off again.

    Returns:
        Mean losses by name; ``asked``, the share of changed values that the critic reads as asked;
        ``mask``, the mask's mean.
    """
    painter, critic = networks.painter, networks.critic
    with runtime.autocast():
        worn = networks.put_on(batch)
        x = torch.cat([batch.x, worn])
        painted, mask = networks.paint(x, torch.cat([batch.direction, -batch.put_on]))
        painted, cleared = painted[: len(batch.x)], painted[len(batch.x) :]
        mask = mask[: len(batch.x)]
        features = critic.features(painted)
        losses = critic_losses(critic, batch, [f.detach() for f in features])
    descend(losses["critic"] + losses["critic_y"], critic, optimiser_critic, runtime)

    critic.requires_grad_(False)
    with runtime.autocast(), nn.utils.parametrize.cached():
        sight = critic.look(features)
        scores, parts, logits = (
            sight.scores(batch.y_edited),
            sight.parts(batch.y_edited),
            sight.read(),
        )
        y_read = networks.model.read_y(networks.model.shrink(painted)).float()
    losses["score"] = -_mean(scores)
    losses["parts"] = -parts.mean()
    losses["read"] = settings.attribute_weight * reading_loss(
        logits / MARGIN, batch.y_edited, batch.touched
    )
    losses["read_y"] = settings.encoder_weight * reading_loss(
        networks.relative(y_read), batch.y_edited, batch.touched
    )
    change = painted - batch.x
    losses["small"] = strictness * change_penalties(change, mask, _lenience(logits, batch))
    losses["skin"] = BRIGHTNESS * brightness_change(change, networks.skin, batch.kept)
    losses["cycle"] = CYCLE * cycle_loss(cleared, batch.x[batch.bare], worn)
    realism = settings.realism_weight * (losses["score"] + losses["parts"])
    rest = ("read", "read_y", "small", "skin", "cycle")
    descend(realism + sum(losses[name] for name in rest), painter, optimiser, runtime)
    critic.requires_grad_(True)
    asked = (batch.y_edited != batch.y) & (batch.direction != 0)
    right = (logits * batch.y_edited > 0) & asked
    losses["asked"] = right.sum() / asked.sum().clamp_min(1)
    losses["mask"] = mask.mean()
    return {name: loss.detach() for name, loss in losses.items()}


def critic_losses(
    critic: PhotoCritic, batch: PainterBatch, painted: list[Tensor] | None
) -> dict[str, Tensor]:
    """The critic's losses on real photos and, if there are any yet, painted ones.

    Args:
        critic: The critic.
        batch: The batch.
        painted: The features of painted photos, without gradients.
    """
    with torch.no_grad():
        features = critic.features(batch.real)
    with nn.utils.parametrize.cached():
        real = critic.look(features)
        loss = _hinge(real.scores(batch.y_real), 1.0)
        loss = loss + WRONG * _hinge(real.scores(batch.y_wrong), -1.0)
        if painted is not None:
            fake = critic.look(painted)
            loss = loss + _hinge(fake.scores(batch.y_edited), -1.0)
            loss = loss + _hinge([real.parts(batch.y_real)], 1.0)
            loss = loss + _hinge([fake.parts(batch.y_edited)], -1.0)
        return {"critic": loss, "critic_y": attribute_loss(real.read(), batch.y_real)}


def reading_loss(read: Tensor, y: Tensor, touched: Tensor) -> Tensor:
    """Hinge with margin 1 on what is read [B, n_y], summed over the attributes.

    Values that the edit sets (`touched`) count `EMPHASIS` times.
    """
    missing = F.relu(1 - read * y)
    return torch.where(touched, EMPHASIS * missing, missing).sum(1).mean()


def ease_of(logits: Tensor, y: Tensor, asked: Tensor) -> Tensor:
    """How much of the penalties on change a picture takes, [B] in [LEAST_EASE, 1].

    Little while the critic does not read what is asked for, so that large shapes can grow first
    and be trimmed then.
    """
    signed = (logits.detach() * y * asked).sum(1) / asked.sum(1).clamp_min(1)
    return LEAST_EASE + (1 - LEAST_EASE) * torch.sigmoid(signed)


def change_penalties(change: Tensor, mask: Tensor, ease: Tensor) -> Tensor:
    """Weighted sum of the mask's mean and total variation and of the mean absolute change.

    Args:
        change: Painted minus real photos, [B, C, P, P].
        mask: [B, 1, P, P] in [0, 1].
        ease: Share of the mean terms that each picture takes, [B].
    """
    size = MASK * mask.mean((1, 2, 3)) + PIXELS * change.abs().mean((1, 2, 3))
    variation = mask.diff(dim=2).abs().mean() + mask.diff(dim=3).abs().mean()
    return (ease * size).mean() + VARIATION * variation


def brightness_change(change: Tensor, skin: Tensor, kept: Tensor) -> Tensor:
    """How much brighter or darker skin becomes, in [-1, 1] units: a scalar.

    As a whole, which people see, and half as much pixel by pixel, so that stains don't cancel out.

    Args:
        change: Painted minus real photos, [B, C, P, P].
        skin: Weights of pixels, [P, P] with the sum 1, or all 0.
        kept: Which photos count, bool [B].
    """
    brightness = change.float().mean(1)
    whole = (brightness * skin).sum((1, 2)).abs()
    pixels = (brightness.abs() * skin).sum((1, 2))
    return ((whole + pixels / 2) * kept).sum() / kept.sum().clamp_min(1)


def cycle_loss(cleared: Tensor, bare: Tensor, worn: Tensor) -> Tensor:
    """Mean absolute difference between bare photos and cleared ones, most where it was painted.

    Args:
        cleared: What was put on is taken off again, [K, C, P, P].
        bare: The photos as they were.
        worn: With what was put on.
    """
    if not len(bare):
        return cleared.sum()  # 0, with gradients
    painted = (worn - bare).abs().mean(1, keepdim=True)
    relative = painted / painted.mean((2, 3), keepdim=True).clamp_min(0.01)
    weights = (1.0 + relative.clamp_max(MOST_CHANGED)) / 2.0
    return (weights * (cleared - bare).abs()).mean()


def _paint(painter: Painter, x: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    change, mask = painter.change(x, direction)
    return apply_change(x, change, mask, mask.new_ones(len(mask))), mask


def _lenience(logits: Tensor, batch: PainterBatch) -> Tensor:
    ease = ease_of(logits, batch.y_edited, batch.direction != 0)
    return torch.where((batch.direction < 0).any(1), TAKING_AWAY * ease, ease)


def _hinge(scores: list[Tensor], sign: float) -> Tensor:
    return _mean([F.relu(1 - sign * s) for s in scores])


def _mean(scores: list[Tensor]) -> Tensor:
    return torch.stack([s.mean() for s in scores]).mean()
