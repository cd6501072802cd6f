"""Stage 1 as joint training: generator, critic and E_z learn together, on real images too.

The paper trains the GAN first and inverts it afterwards. Here the generator also learns to
reconstruct a real image from its z and y, and to show what an edited y asks for.
"""

import torch
from torch import Tensor, nn

from icgan_sdk.errors import ConfigError
from icgan_sdk.model import (
    Critic,
    build_encoder_z,
    build_generator,
    draw_noise,
    init_generator,
)
from icgan_sdk.model.devices import send
from icgan_sdk.training.batch_norm import set_training
from icgan_sdk.training.checkpoint import Stateful
from icgan_sdk.training.context import Context
from icgan_sdk.training.encoder_y import load_encoder_y
from icgan_sdk.training.generated import save_samples
from icgan_sdk.training.joint_losses import (
    JointBatch,
    JointNetworks,
    critic_losses,
    generator_losses,
    gradient_penalty,
)
from icgan_sdk.training.loop import run_stage, stage_epochs
from icgan_sdk.training.losses import EDITED_WEIGHT, check_faces, load_faces
from icgan_sdk.training.optimisers import MovingAverage, descend, make_adam
from icgan_sdk.training.rows import BalancedRows, draw_images
from icgan_sdk.training.runtime import Runtime
from icgan_sdk.training.settings import JointConfig

SAMPLED, EDITED = 3 / 8, 3 / 8
"""Shares of the generated images that are sampled and edited; the rest are reconstructed."""

EDITED_WEIGHT_FROM = 0.55
"""Share of the steps that pass before `EDITED_WEIGHT` applies: G first learns what is likely."""

CRITIC_RATE = 2.0
"""The critic's learning rate, as a multiple of the generator's (two time scales, Heusel et al.
2017)."""

R1_EVERY = 16
"""Steps between penalties of the critic's gradient, which then count so many times (lazy
regularisation, Karras et al. 2020)."""

FEWEST = 5
"""Real images in a step of which at least one is reconstructed."""


def joint_step(
    networks: JointNetworks,
    optimiser: torch.optim.Optimizer,
    optimiser_critic: torch.optim.Optimizer,
    batch: JointBatch,
    weights: JointConfig,
    runtime: Runtime,
    draws: torch.Generator,
    edited_weight: float = 1.0,
    critic_alone: bool = False,
    penalise: bool = False,
) -> dict[str, Tensor]:
    """One step of the critic, then one of G and E_z on the same generated images.

    G makes three kinds of images: sampled G(z, y'), edited G(E_z(x), y') and reconstructed
    G(E_z(x), y). For the last two its input y is what E_y predicts for the real image, as at
    inference, together with the values that an edit changes. Its target is the labels, with the
    same changes.

    The critic minimises a hinge loss. Real images with their y should score high; real images
    with a wrong y (weight ½) and generated images should score low. It also learns to predict
    the attributes of real images.

    G and E_z minimise −score over the three kinds of images, plus the losses that `JointConfig`
    weights.

    Args:
        networks: What is trained, and what stays as it is.
        optimiser: Of G and E_z.
        optimiser_critic: Of the critic.
        batch: Real images, noise and attributes.
        weights: Weights of the losses.
        runtime: Precision and processes.
        draws: For augmentation and for the directions of `distance_from_prior`.
        edited_weight: Weight in the attribute loss of the values that an edit changes.
        critic_alone: Train only the critic in this step.
        penalise: Also penalise the gradient of the critic's scores of real images.

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
        losses = critic_losses(critic, batch, fake.detach().float(), y, weights, draws)
    total = losses["critic"] + losses["critic_y"]
    if penalise:
        losses["r1"] = R1_EVERY * gradient_penalty(critic, batch.x, batch.y)
        total = total + weights.r1_weight * losses["r1"]
    descend(total, critic, optimiser_critic, runtime)
    if critic_alone:
        return {name: loss.detach() for name, loss in losses.items()}

    critic.requires_grad_(False)
    with runtime.autocast():
        losses |= generator_losses(
            networks, batch, fake.float(), y, z_real, weights, draws, edited_weight
        )
    descend(losses.pop("total"), nn.ModuleList([G, E]), optimiser, runtime)
    critic.requires_grad_(True)
    return {name: loss.detach() for name, loss in losses.items()}


def train_joint(context: Context) -> None:
    """Train G, the critic and E_z. The checkpoint also holds moving averages of G and E_z."""
    config, runtime = context.config, context.runtime
    networks = context.build("gan", lambda: _Networks(context))
    G, E, critic = networks.generator, networks.encoder_z, networks.critic
    context.begin(G, "generator")
    context.begin(E, "encoder_z")
    for network in (G, E):
        set_training(network, config.joint.fixed_norm)
    optimiser = make_adam(nn.ModuleList([G, E]), config.gan)
    optimiser_critic = make_adam(critic, config.gan, CRITIC_RATE)
    average_g = MovingAverage(G, config.gan.ema_decay)
    average_e = MovingAverage(E, config.gan.ema_decay)
    runtime.compile(G, E, critic)
    balanced = BalancedRows(context.train.all_labels())
    last = stage_epochs(context, "gan", config.gan).steps
    faces = load_faces(context.model, runtime) if config.joint.identity_weight else None
    trained = JointNetworks(G, E, critic, load_encoder_y(context), faces)

    def step_function(step: int, rows: Tensor) -> dict[str, Tensor]:
        draws = context.draws("gan", step)
        batch = _draw_batch(context, rows, balanced, draws)
        losses = joint_step(
            trained,
            optimiser,
            optimiser_critic,
            batch,
            config.joint,
            runtime,
            draws,
            EDITED_WEIGHT if step > EDITED_WEIGHT_FROM * last else 1.0,
            critic_alone=step <= config.joint.warmup,
            penalise=config.joint.r1_weight > 0 and step % R1_EVERY == 0,
        )
        average_g.update(G, step)
        average_e.update(E, step)
        return losses

    def end_of_epoch(epoch: int) -> dict[str, float]:
        save_samples(average_g.network, context, f"gan-{epoch:04d}.png")
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


def check_joint(context: Context) -> None:
    """Raise ConfigError if the model can't be trained jointly."""
    if not context.model.n_attributes or context.model.encoder_design != "ind":
        raise ConfigError('gan.method = "joint" needs attributes and the encoder design "ind"')
    if (batch := context.config.gan.batch_size) < FEWEST:
        raise ConfigError(
            f"gan.batch_size must be at least {FEWEST} for joint training, not {batch}: it is "
            "divided among sampled, edited and reconstructed pictures"
        )
    check_faces("joint.identity_weight", context.config.joint.identity_weight, context.model)
    if context.config.joint.fixed_norm and context.start is None:
        raise ConfigError("joint.fixed_norm needs a trained model to start from: name one by start")


class _Networks(nn.Module):
    """The three networks with their initial weights."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        model = context.model
        # The order matters: the networks draw their weights from one generator.
        self.generator = build_generator(model)
        self.critic = Critic(model)
        self.encoder_z = build_encoder_z(model)
        init_generator(self.generator, model)


def _draw_batch(
    context: Context, rows: Tensor, balanced: BalancedRows, draws: torch.Generator
) -> JointBatch:
    runtime, labels = context.runtime, context.labels
    count = len(rows)
    rows = balanced.half_of(rows, draws)
    x = draw_images(context.train, rows, context.config.images.flip, 0, draws)
    y = context.train.labels(rows)
    sampled, edited = round(SAMPLED * count), round(EDITED * count)
    z = draw_noise(sampled, context.model, draws)
    y_sampled = y[torch.randperm(count, generator=draws)[:sampled]]
    y_wrong, _ = labels.edited(y, draws)
    y_edited, touched = labels.edited(y[:edited], draws)
    other_person = context.model.faces.other_person if context.model.faces else frozenset()
    others_person = [name in other_person for name in context.model.attributes.names]
    same_person = ~(touched & torch.tensor(others_person)).any(1)
    others = (y, y_wrong, z, y_sampled, y_edited, touched, same_person)
    return JointBatch(runtime.images(x), *(send(t, runtime.device) for t in others))
