"""Stage 1 as joint training: generator, critic and E_z learn together, from real faces too.

The paper trains the GAN first and inverts it afterwards. Here the generator also learns what it is
for: to rebuild a real image from its z and y, and to show what an edited y asks for.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.devices import send
from icgan_sdk.model import Critic, Encoder, Generator, draw_noise, map_distance
from icgan_sdk.model.layers import init_dcgan
from icgan_sdk.training.augment import augment
from icgan_sdk.training.batches import BalancedRows, Epochs, draw_images
from icgan_sdk.training.checkpoint import Stateful
from icgan_sdk.training.config import JointConfig
from icgan_sdk.training.context import Context, run_stage
from icgan_sdk.training.encoders import attribute_loss, load_encoder_y
from icgan_sdk.training.gan import save_samples
from icgan_sdk.training.optimisers import MovingAverage, make_adam
from icgan_sdk.training.prior import distance_from_prior
from icgan_sdk.training.runtime import Runtime

SAMPLED, EDITED = 3 / 8, 3 / 8
"""Shares of the generated images that come from noise and that are edits; the rest rebuild."""


class JointBatch(NamedTuple):
    """Inputs of one step.

    Attributes:
        x: Real images [B, C, S, S] in [-1, 1].
        y: Their attributes [B, n_y], −1 or 1.
        y_wrong: Attributes that differ from theirs, [B, n_y].
        z: Noise of the sampled images [S, z_dim].
        y_sampled: Their attributes [S, n_y].
        y_edited: What the first E real images are edited to, [E, n_y].
        touched: Which of those values the edit sets, bool [E, n_y].
    """

    x: Tensor
    y: Tensor
    y_wrong: Tensor
    z: Tensor
    y_sampled: Tensor
    y_edited: Tensor
    touched: Tensor


@dataclass(frozen=True)
class JointNetworks:
    """G, E_z and the critic, which are trained, and E_y, which is not."""

    generator: Generator
    encoder_z: Encoder
    critic: Critic
    encoder_y: Encoder


def joint_step(
    networks: JointNetworks,
    optimiser: torch.optim.Optimizer,
    optimiser_critic: torch.optim.Optimizer,
    batch: JointBatch,
    weights: JointConfig,
    runtime: Runtime,
    draws: torch.Generator,
    emphasis: float = 1.0,
    critic_alone: bool = False,
) -> dict[str, Tensor]:
    """One step of the critic, then one of generator and E_z on the same generated images.

    Three kinds of images are generated: sampled G(z, y'), edited G(E_z(x), y') and rebuilt
    G(E_z(x), y). As at inference, the generator is given the y of real images as E_y reads it,
    with what the edit sets; what it is to show are the labels. The critic takes hinge losses: of
    real images with their y, against real images with a wrong y (weight ½) and generated ones; and
    it learns to read the attributes of real images. Generator and encoder minimise −score of all
    three kinds, plus the weighted losses of `JointConfig`; in what the critic reads, values that
    an edit sets count `emphasis` times. With `critic_alone` the step ends after the critic's part.

    Returns:
        Mean losses by name.
    """
    G, E, critic = networks.generator, networks.encoder_z, networks.critic
    edited = len(batch.y_edited)
    rebuilt = len(batch.x) - len(batch.z) - edited
    with runtime.autocast():
        z_real = E(batch.x).float()
        with torch.no_grad():
            y_read = networks.encoder_y(batch.x[: max(edited, rebuilt)]).float()
        y_set = torch.where(batch.touched, batch.y_edited, y_read[:edited])
        fake = G(
            torch.cat([batch.z, z_real[:edited], z_real[:rebuilt]]),
            torch.cat([batch.y_sampled, y_set, y_read[:rebuilt]]),
        )
        y = torch.cat([batch.y_sampled, batch.y_edited, batch.y[:rebuilt]])
        losses = _critic_losses(critic, batch, fake.detach().float(), y, weights, draws)
    optimiser_critic.zero_grad()
    torch.autograd.backward(losses["critic"] + losses["critic_y"])
    runtime.average_gradients(critic)
    optimiser_critic.step()
    if critic_alone:
        return {name: loss.detach() for name, loss in losses.items()}

    critic.requires_grad_(False)
    with runtime.autocast():
        losses |= _generator_losses(
            networks, batch, fake.float(), y, z_real, weights, draws, emphasis
        )
    optimiser.zero_grad()
    torch.autograd.backward(losses.pop("total"))
    runtime.average_gradients(G)
    runtime.average_gradients(E)
    optimiser.step()
    critic.requires_grad_(True)
    return {name: loss.detach() for name, loss in losses.items()}


def _critic_losses(
    critic: Critic,
    batch: JointBatch,
    fake: Tensor,
    y: Tensor,
    weights: JointConfig,
    draws: torch.Generator,
) -> dict[str, Tensor]:
    real = augment(batch.x, draws) if weights.augment else batch.x
    fake = augment(fake, draws) if weights.augment else fake
    with nn.utils.parametrize.cached():
        h, h_fake = torch.split(critic.embed(torch.cat([real, fake])), [len(real), len(fake)])
        loss = F.relu(1 - critic.score(h, batch.y)).mean()
        loss = loss + 0.5 * F.relu(1 + critic.score(h, batch.y_wrong)).mean()
        loss = loss + F.relu(1 + critic.score(h_fake, y)).mean()
        return {"critic": loss, "critic_y": attribute_loss(critic.read(h), batch.y)}


def _generator_losses(
    networks: JointNetworks,
    batch: JointBatch,
    fake: Tensor,
    y: Tensor,
    z_real: Tensor,
    weights: JointConfig,
    draws: torch.Generator,
    emphasis: float,
) -> dict[str, Tensor]:
    critic = networks.critic
    sampled = len(batch.z)
    counts = torch.ones_like(y)
    counts[sampled : sampled + len(batch.touched)][batch.touched] = emphasis
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
    losses["z"] = F.mse_loss(networks.encoder_z(fake[:sampled]).float(), batch.z)
    losses["prior"] = distance_from_prior(z_real, draws)
    losses["total"] = (
        losses["g"]
        + weights.attribute_weight * losses["g_y"]
        + weights.pixel_weight * losses["pixel"]
        + weights.feature_weight * losses.get("feature", 0.0)
        + weights.z_weight * losses["z"]
        + weights.prior_weight * losses["prior"]
    )
    return losses


def train_joint(context: Context) -> None:
    """Train G, the critic and E_z; the checkpoint also keeps moving averages of G and E_z."""
    config, runtime = context.config, context.runtime
    networks = context.build("gan", lambda: _Networks(context))
    G, E, critic = networks.generator, networks.encoder_z, networks.critic
    context.begin(G, "generator")
    context.begin(E, "encoder_z")
    optimiser = make_adam(nn.ModuleList([G, E]), config.gan)
    optimiser_critic = make_adam(critic, config.gan, config.joint.critic_rate)
    average_g = MovingAverage(G, config.gan.ema_decay)
    average_e = MovingAverage(E, config.gan.ema_decay)
    runtime.compile(G, E, critic)
    balanced = BalancedRows(context.train.all_labels()) if config.joint.balanced else None
    last = Epochs(len(context.train), config.gan, runtime, "gan").steps
    trained = JointNetworks(G, E, critic, load_encoder_y(context))

    def step_function(step: int, rows: Tensor) -> dict[str, Tensor]:
        draws = runtime.generator("gan", step)
        batch = _draw_batch(context, rows, balanced, draws)
        losses = joint_step(
            trained,
            optimiser,
            optimiser_critic,
            batch,
            config.joint,
            runtime,
            draws,
            config.joint.emphasis if step > config.joint.emphasis_from * last else 1.0,
            critic_alone=step <= config.joint.warmup,
        )
        average_g.update(G, step)
        average_e.update(E, step)
        return losses

    def end_of_epoch(epoch: int) -> dict[str, float]:
        save_samples(average_g.network, context, epoch)
        return {}

    parts: dict[str, Stateful] = {
        "G": G,
        "E": E,
        "critic": critic,
        "average": average_g.network,
        "average_encoder": average_e.network,
        "optimiser": optimiser,
        "optimiser_critic": optimiser_critic,
    }
    run_stage(context, "gan", config.gan, parts, step_function, end_of_epoch)


class _Networks(nn.Module):
    """The three networks with their initial weights."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        model = context.model
        self.generator, self.critic = Generator(model), Critic(model)
        self.encoder_z = Encoder(model, model.z_dim, model.encoder_z_fc)
        init_dcgan(self.generator)


def _draw_batch(
    context: Context, rows: Tensor, balanced: BalancedRows | None, draws: torch.Generator
) -> JointBatch:
    settings, runtime, labels = context.config.gan, context.runtime, context.labels
    count = len(rows)
    if balanced is not None:
        rows = balanced.half_of(rows, draws)
    x = draw_images(context.train, rows, settings.flip, settings.shift, draws)
    y = context.train.labels(rows)
    sampled, edited = round(SAMPLED * count), round(EDITED * count)
    z = draw_noise(sampled, context.model, draws)
    y_sampled = y[torch.randperm(count, generator=draws)[:sampled]]
    y_wrong, _ = labels.edited(y, draws)
    others = (y, y_wrong, z, y_sampled, *labels.edited(y[:edited], draws))
    return JointBatch(runtime.images(x), *(send(t, runtime.device) for t in others))
