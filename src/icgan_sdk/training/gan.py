"""Stage 1: the conditional GAN with a matching-aware discriminator (paper §3.1, equation 2)."""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.model import Discriminator, build_generator, draw_noise, init_generator
from icgan_sdk.model.devices import send
from icgan_sdk.model.layers import init_dcgan
from icgan_sdk.training.checkpoint import Stateful
from icgan_sdk.training.context import Context, Stage
from icgan_sdk.training.generated import save_samples
from icgan_sdk.training.joint import check_joint, train_joint
from icgan_sdk.training.loop import run_stage
from icgan_sdk.training.optimisers import MovingAverage, descend, make_adam
from icgan_sdk.training.rows import draw_images
from icgan_sdk.training.runtime import Runtime
from icgan_sdk.training.settings import GANMethod
from icgan_sdk.training.train_config import TrainConfig


class GANBatch(NamedTuple):
    """Inputs of one step.

    Attributes:
        x: Real images [B, C, S, S] in [-1, 1].
        y: Their attributes [B, n_y], −1 or 1.
        y_wrong: Label vectors that don't match the real images, [B, n_y].
        y_fake: Attributes y' of the generated images, [B, n_y].
        z: Noise [B, z_dim].
    """

    x: Tensor
    y: Tensor
    y_wrong: Tensor
    y_fake: Tensor
    z: Tensor


def gan_step(
    G: nn.Module,
    D: Discriminator,
    optimiser_g: torch.optim.Optimizer,
    optimiser_d: torch.optim.Optimizer,
    batch: GANBatch,
    runtime: Runtime,
) -> dict[str, Tensor]:
    """One step of D, then one of G on the same generated images.

    D minimises BCE(real, y → 1) + ½ BCE(real, wrong y → 0) + ½ BCE(generated, y' → 0). Each term
    is a pass with its own batch-norm statistics. Without attributes there is no wrong y, and the
    weight of the last term is 1. G minimises the non-saturating loss BCE(generated, y' → 1).

    Returns:
        Mean losses: ``d`` (half of D's sum, as the original reports it) and ``g``.
    """
    with runtime.autocast():
        fake = G(batch.z, batch.y_fake)
        labels = [batch.y, batch.y_wrong] if batch.y.shape[1] else [batch.y]
        real_logits, *false_logits = D(batch.x, torch.stack(labels))
        false_logits.append(D(fake.detach(), batch.y_fake))
    loss_d = _bce(real_logits, 1.0)
    for logits in false_logits:
        loss_d = loss_d + _bce(logits, 0.0) / len(false_logits)
    descend(loss_d, D, optimiser_d, runtime)

    D.requires_grad_(False)  # G's step needs no gradients of D's weights
    with runtime.autocast():
        logits = D(fake, batch.y_fake)
    loss_g = _bce(logits, 1.0)
    descend(loss_g, G, optimiser_g, runtime)
    D.requires_grad_(True)
    return {"d": loss_d.detach() / 2, "g": loss_g.detach()}


def _bce(logits: Tensor, target: float) -> Tensor:
    logits = logits.float()
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def train_gan(context: Context) -> None:
    """Train G and D. The checkpoint also holds the generator's moving average."""
    settings, runtime = context.config.gan, context.runtime
    G = context.build("gan", lambda: _new_generator(context.model))
    D = context.build("gan", lambda: _new_discriminator(context.model))
    context.begin(G, "generator")
    context.begin(D, "discriminator")
    optimiser_g, optimiser_d = make_adam(G, settings), make_adam(D, settings)
    average = MovingAverage(G, settings.ema_decay)
    runtime.compile(G, D)

    def step_function(step: int, rows: Tensor) -> dict[str, Tensor]:
        batch = _draw_batch(context, step, rows)
        losses = gan_step(G, D, optimiser_g, optimiser_d, batch, runtime)
        average.update(G, step)
        return losses

    def end_of_epoch(epoch: int) -> dict[str, float]:
        save_samples(average.network, context, f"gan-{epoch:04d}.png")
        return {}

    parts: dict[str, Stateful] = {
        "G": G,
        "D": D,
        "average": average.network,
        "optimiser_g": optimiser_g,
        "optimiser_d": optimiser_d,
    }
    run_stage(context, "gan", settings, parts, step_function, end_of_epoch)


def _new_generator(model: ModelConfig) -> nn.Module:
    network = build_generator(model)
    init_generator(network, model)
    return network


def _new_discriminator(model: ModelConfig) -> Discriminator:
    network = Discriminator(model)
    init_dcgan(network)
    return network


def _draw_batch(context: Context, step: int, rows: Tensor) -> GANBatch:
    runtime, model = context.runtime, context.model
    generator = context.draws("gan", step)
    x = draw_images(context.train, rows, context.config.images.flip, 0, generator)
    y = context.train.labels(rows)
    y_wrong = context.labels.mismatched(y, generator) if model.n_attributes else y
    y_fake = context.labels.sample(len(rows), generator)
    z = draw_noise(len(rows), model, generator)
    others = (send(t, runtime.device) for t in (y, y_wrong, y_fake, z))
    return GANBatch(runtime.images(x), *others)


METHODS: dict[GANMethod, Callable[[Context], None]] = {
    "matching": train_gan,
    "joint": train_joint,
}


def _is_joint(config: TrainConfig) -> bool:
    return config.gan.method == "joint"


def _check(context: Context) -> None:
    context.labels.check_varied()
    if _is_joint(context.config):
        check_joint(context)


GAN = Stage(
    name="gan",
    seed=0,
    run=lambda context: METHODS[context.config.gan.method](context),
    # In joint training E_y reads the attributes of real images.
    needs=lambda config: ("encoder_y",) if _is_joint(config) else (),
    sections=lambda config: ("gan", "joint", "encoder_y") if _is_joint(config) else ("gan",),
    check=_check,
    stand_in=lambda _, start: start.generator,
)
