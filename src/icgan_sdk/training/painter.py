"""Stage `painter`: a painter learns to change photos against a critic of its own.

The critic scores how real a photo with its attributes is, and reads the attributes. The painter is
asked for both, and to change little (GANimation, Pumarola et al. 2018; STGAN, Liu et al. 2019).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.devices import send
from icgan_sdk.model import Critic, IcGANNetworks, Painter
from icgan_sdk.model.painter import apply_change, photo_config
from icgan_sdk.training.batches import BalancedRows, draw_images
from icgan_sdk.training.checkpoint import Stateful
from icgan_sdk.training.config import PainterConfig
from icgan_sdk.training.context import Context, run_stage
from icgan_sdk.training.edits import PlausibleEdits
from icgan_sdk.training.encoders import attribute_loss, descend
from icgan_sdk.training.optimisers import MovingAverage, make_adam
from icgan_sdk.training.painter_samples import judge_painter, save_sheet
from icgan_sdk.training.runtime import Runtime, Stage

CRITIC_GAIN = 2**0.5
"""Of each layer of the critic, which else learns attributes at half the speed."""

MARGIN = 1.5
"""Logits beyond which what the critic reads is clear enough: more would exaggerate."""

ENCODER_MARGIN = 0.6
"""The same for E_y, in units of y."""

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
    """The painter and its critic, which are trained, and the model's other networks, frozen."""

    painter: Painter
    critic: Critic
    model: IcGANNetworks


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
        pictures = _pictures(networks, batch)
        change, mask = painter.change(batch.x, batch.direction, pictures)
        painted = apply_change(batch.x, change, mask, mask.new_ones(len(mask)))
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
        y_read / ENCODER_MARGIN, batch.y_edited, batch.touched, settings.emphasis
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


def train_painter(context: Context) -> None:
    """Train the painter and its critic; the checkpoint also keeps the painter's moving average."""
    settings, runtime = context.config.painter, context.runtime
    built = context.build("painter", lambda: _Networks(context))
    painter, critic = built.painter, built.critic
    context.begin(painter, "painter")
    optimiser = make_adam(painter, settings)
    optimiser_critic = make_adam(critic, settings, settings.critic_rate)
    average = MovingAverage(painter, settings.ema_decay)
    runtime.compile(painter, critic)
    model = load_model(context)
    if runtime.bfloat16:
        _convert_weights(model)
    assert isinstance(average.network, Painter)
    model.painter = average.network  # for sheets and figures
    networks = PainterNetworks(painter, critic, model)
    draw_batch = _batches(context)

    def step_function(step: int, rows: Tensor) -> dict[str, Tensor]:
        batch = draw_batch(rows, runtime.generator("painter", step))
        if step <= settings.warmup:
            with runtime.autocast():
                losses = critic_losses(critic, batch, None)
            descend(losses["critic"] + losses["critic_y"], critic, optimiser_critic, runtime)
            return losses
        painted_steps = step - settings.warmup
        strictness = min(1.0, painted_steps / settings.ramp)
        losses = painter_step(
            networks, optimiser, optimiser_critic, batch, settings, runtime, strictness
        )
        average.update(painter, painted_steps)
        if step % settings.sample_every == 0 and runtime.is_main:
            save_sheet(model, context, step)
        return losses

    def end_of_epoch(_: int) -> dict[str, float]:
        return judge_painter(model, context)

    parts: dict[str, Stateful] = {
        "painter": painter,
        "critic": critic,
        "average": average.network,
        "optimiser": optimiser,
        "optimiser_critic": optimiser_critic,
    }
    run_stage(context, "painter", settings, parts, step_function, end_of_epoch)


def load_model(context: Context) -> IcGANNetworks:
    """The model's other networks, frozen: of the run, or of the model it starts from."""
    networks = context.runtime.place(IcGANNetworks(context.model))
    networks.painter = None
    # A run that only paints makes no generated set, and so has no final generator of its own.
    last: Stage = "gan" if context.config.painter.alone else "generated"
    context.load(last, "generator", networks.generator)
    encoder = networks.encoder or networks.encoder_z
    assert encoder is not None  # every design has one of the two
    context.load("encoder_z", "encoder", encoder)
    if networks.encoder_y is not None:
        context.load("encoder_y", "encoder", networks.encoder_y)
    return networks.eval().requires_grad_(False)


def _convert_weights(frozen: nn.Module) -> None:
    """Convert weights to bfloat16 once, as mixed precision would do at each step."""
    for module in frozen.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            module.to(torch.bfloat16)


class _Networks(nn.Module):
    """The two networks with their initial weights."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        model = context.model
        self.painter = Painter(model)
        width = context.config.painter.critic_width
        self.critic = Critic(replace(photo_config(model), discriminator_width=width), CRITIC_GAIN, True)


def _batches(context: Context) -> Callable[[Tensor, torch.Generator], PainterBatch]:
    """What draws a batch for given rows of the training partition."""
    data, runtime = context.train, context.runtime
    labels = data.all_labels()
    balanced, edits = BalancedRows(labels), PlausibleEdits(labels, context.model.attributes)

    def draw(rows: Tensor, draws: torch.Generator) -> PainterBatch:
        rows = balanced.half_of(rows, draws)
        settings = context.config.painter
        x = draw_images(data, rows, settings.flip, settings.shift, draws)
        y = data.labels(rows)
        y_wrong, _ = context.labels.edited(y, draws)
        others = (y, y_wrong, *edits.draw(y, draws))
        return PainterBatch(runtime.images(x), *(send(t, runtime.device) for t in others))

    return draw


@torch.no_grad()
def _pictures(networks: PainterNetworks, batch: PainterBatch) -> Tensor | None:
    if not networks.painter.sees_pictures:
        return None
    # As at inference, G is given the y that E_y reads, with what the edit sets.
    z, y_read = networks.model.encode(networks.model.shrink(batch.x))
    y_set = torch.where(batch.touched, batch.y_edited, y_read.float())
    return networks.model.pictures(z, y_read, y_set)
