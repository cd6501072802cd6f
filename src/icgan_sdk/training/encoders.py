"""Stages 3 and 4: the encoders that invert the generator (paper §3.2, equations 3 and 4)."""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError
from icgan_sdk.model import Critic, Encoder, IcGANNetworks, map_distance
from icgan_sdk.pictures.arrays import strip_padding
from icgan_sdk.pictures.saving import save_picture
from icgan_sdk.training.batches import chunks, draw_images
from icgan_sdk.training.checkpoint import Stateful, is_complete, load_checkpoint
from icgan_sdk.training.context import Context, run_stage
from icgan_sdk.training.generated import draw_generated, load_generator, open_generated
from icgan_sdk.training.optimisers import make_adam
from icgan_sdk.training.prior import distance_from_prior
from icgan_sdk.training.runtime import Runtime
from icgan_sdk.training.samples import pairs_grid
from icgan_sdk.training.settings import EncoderZConfig

LOGITS = 3.0
"""What E_y reads, −1 to 1, times this is taken for logits."""


class EncoderBatch(NamedTuple):
    """Inputs of one step of E_z, or of the one encoder of SNG.

    Attributes:
        x: Generated images [B, C, S, S].
        z: Their noise [B, z_dim].
        y: Their attributes [B, n_y].
        x_real: Real images [R, C, S, S]; R may be 0.
        y_real: Their attributes [R, n_y], as G is given them.
        y_edited: What they are to show after an edit [R, n_y], −1 or 1; None: they aren't edited.
        touched: Which of those values the edit sets, bool [R, n_y].
    """

    x: Tensor
    z: Tensor
    y: Tensor
    x_real: Tensor
    y_real: Tensor
    y_edited: Tensor | None = None
    touched: Tensor | None = None


def encoder_z_losses(
    networks: IcGANNetworks,
    batch: EncoderBatch,
    settings: EncoderZConfig,
    *,
    draws: torch.Generator,
    y_source: str = "generated",
    critic: Critic | None = None,
    emphasis: float = 1.0,
) -> dict[str, Tensor]:
    """Losses of E_z: the error of z on generated images, and what is mixed in.

    L_ez = ‖z − E_z(G(z, y'))‖² per dimension (equation 3). By the weights of the settings, also
    on real images: ‖x − G(E_z(x), y)‖² of pixels in [0, 1], the same difference in a critic's
    maps (in-domain inversion, Zhu et al. 2020), what is read off edits of them by the critic, or
    else by E_y (z must not hold on to what y is to change), and the distance of E_z(x) from
    N(0, 1). The SNG design learns y in the same step: on generated images as the original, or on
    real ones (equation 4).

    Args:
        networks: Of which the encoder learns.
        batch: Generated images, and real ones where a weight needs them.
        settings: The weights.
        draws: For the directions of `distance_from_prior`.
        y_source: Which images SNG learns y on.
        critic: Frozen; needed with `feature_weight`. Without it E_y has to be trained already
            where edits are asked for.
        emphasis: How often what an edit sets counts in what is read.

    Returns:
        ``z``, where present ``y``, ``pixel``, ``feature``, ``edit`` and ``prior``, and ``total``.
    """
    n = len(batch.x)
    x = torch.cat([batch.x, batch.x_real])
    losses: dict[str, Tensor] = {}
    if networks.encoder is not None:
        z, y = networks.encode(x)
        on_real = y_source == "real"
        losses["y"] = (
            encoder_y_loss(y[n:], batch.y_real) if on_real else encoder_y_loss(y[:n], batch.y)
        )
    else:
        z = networks.encode_z(x, torch.cat([batch.y, batch.y_real]))
    losses["z"] = F.mse_loss(z[:n].float(), batch.z)
    total = losses["z"] + losses.get("y", 0.0)
    if settings.pixel_weight or settings.feature_weight:
        rebuilt = networks.decode(z[n:], batch.y_real).float()
        losses["pixel"] = ((rebuilt - batch.x_real) / 2).square().mean()
        total = total + settings.pixel_weight * losses["pixel"]
        if critic is not None and settings.feature_weight:
            losses["feature"] = map_distance(critic.maps(rebuilt), critic.maps(batch.x_real))
            total = total + settings.feature_weight * losses["feature"]
    if batch.y_edited is not None and batch.touched is not None:
        y_set = torch.where(batch.touched, batch.y_edited, batch.y_real)
        edited = networks.decode(z[n:], y_set).float()
        counts = torch.where(batch.touched, emphasis, 1.0)
        if critic is None:
            read = LOGITS * networks.read_y(edited).float()
        else:
            read = critic.read(critic.embed(edited))
        losses["edit"] = attribute_loss(read, batch.y_edited, counts)
        total = total + settings.edit_weight * losses["edit"]
    if settings.prior_weight:
        losses["prior"] = distance_from_prior(z[n:].float(), draws)
        total = total + settings.prior_weight * losses["prior"]
    return {**losses, "total": total}


def encoder_y_loss(read: Tensor, y: Tensor) -> Tensor:
    """L_ey = ‖y − E_y(x)‖² per attribute (equation 4), of what E_y read [B, n_y] and the truth."""
    return F.mse_loss(read.float(), y)


def attribute_loss(logits: Tensor, y: Tensor, counts: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of a critic's logits [B, n_y], summed over the attributes.

    Each counts as often as `counts` [B, n_y] says, by default once.
    """
    target = (y + 1) / 2
    return F.binary_cross_entropy_with_logits(logits, target, counts, reduction="sum") / len(y)


def descend(
    loss: Tensor, network: nn.Module, optimiser: torch.optim.Optimizer, runtime: Runtime
) -> None:
    """One optimisation step of a network, with gradients averaged over the processes."""
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    runtime.average_gradients(network)
    optimiser.step()


def train_encoder_z(context: Context) -> None:
    """Train E_z (SNG: the whole encoder) on images generated on the fly."""
    config, runtime = context.config, context.runtime
    settings = config.encoder_z
    networks = _networks(context)
    encoder = networks.encoder or networks.encoder_z
    assert encoder is not None  # every design has one of the two
    context.begin(encoder, "encoder" if networks.encoder is not None else "encoder_z")
    critic = _known_networks(networks, context)
    y_is_read = critic is not None or context.start is not None
    optimiser = make_adam(encoder, settings)
    runtime.compile(encoder, networks.generator)
    # In SNG the y loss on real images takes the settings of E_y for them.
    y_on_real = networks.encoder is not None and config.encoder_y.source == "real"
    real = config.encoder_y if y_on_real else settings
    uses_real = y_on_real or any(
        (
            settings.pixel_weight,
            settings.feature_weight,
            settings.edit_weight,
            settings.prior_weight,
        )
    )

    def step_function(step: int, rows: Tensor) -> dict[str, Tensor]:
        draws = runtime.generator("encoder_z", step)
        x, z, y = draw_generated(networks.generator, len(rows), context, draws)
        used = rows if uses_real else rows[:0]
        x_real = draw_images(context.train, used, real.flip, real.shift, draws)
        x_real, labels = runtime.images(x_real), context.train.labels(used)
        batch = EncoderBatch(x, z, y, x_real, labels.to(runtime.device))
        if settings.edit_weight:
            edit = context.labels.edited(labels, draws)
            y_edited, touched = (t.to(runtime.device) for t in edit)
            batch = batch._replace(y_edited=y_edited, touched=touched)
        with runtime.autocast():
            if uses_real and y_is_read and networks.encoder_y is not None:
                batch = batch._replace(y_real=networks.encoder_y(x_real).float())  # as at inference
            losses = encoder_z_losses(
                networks,
                batch,
                settings,
                draws=draws,
                y_source=config.encoder_y.source,
                critic=critic,
                emphasis=config.joint.emphasis,
            )
        descend(losses.pop("total"), encoder, optimiser, runtime)
        return losses

    def end_of_epoch(epoch: int) -> dict[str, float]:
        encoder.eval()
        figures = judge_z(networks, context)
        _save_pairs(networks, context, f"encoder_z-{epoch:04d}.png")
        encoder.train()
        return figures

    parts: dict[str, Stateful] = {"encoder": encoder, "optimiser": optimiser}
    run_stage(context, "encoder_z", settings, parts, step_function, end_of_epoch)


def train_encoder_y(context: Context) -> None:
    """Train E_y on real images, or on generated ones as the paper's §4.1 compares."""
    settings, runtime = context.config.encoder_y, context.runtime
    encoder = context.build("encoder_y", lambda: _make_encoder_y(context))
    context.begin(encoder, "encoder_y")
    runtime.compile(encoder)
    optimiser = make_adam(encoder, settings)
    generator = load_generator(context) if settings.source == "generated" else None

    def step_function(step: int, rows: Tensor) -> dict[str, Tensor]:
        draws = runtime.generator("encoder_y", step)
        if generator is not None:
            x, _, y = draw_generated(generator, len(rows), context, draws)
        else:
            x = draw_images(context.train, rows, settings.flip, settings.shift, draws)
            x, y = runtime.images(x), context.train.labels(rows).to(runtime.device)
        with runtime.autocast():
            loss = encoder_y_loss(encoder(x), y)
        descend(loss, encoder, optimiser, runtime)
        return {"y": loss}

    def end_of_epoch(epoch: int) -> dict[str, float]:
        encoder.eval()
        figures = judge_y(encoder, context)
        encoder.train()
        return figures

    parts: dict[str, Stateful] = {"encoder": encoder, "optimiser": optimiser}
    run_stage(context, "encoder_y", settings, parts, step_function, end_of_epoch)


def _networks(context: Context) -> IcGANNetworks:
    networks = context.build("encoder_z", lambda: IcGANNetworks(context.model))
    networks.generator = load_generator(context)
    return networks


def _known_networks(networks: IcGANNetworks, context: Context) -> Critic | None:
    """Give E_z's stage what is trained already: E_y if there is one, and the critic."""
    settings, joint = context.config.encoder_z, context.config.gan.method == "joint"
    if joint and is_complete(context.checkpoint("gan")):
        return _start_jointly(networks, context)
    if settings.feature_weight:
        raise ConfigError("encoder_z.feature_weight needs a critic, so run the stage gan too")
    if networks.encoder_y is not None and context.start is not None:
        networks.encoder_y = load_encoder_y(context)
    return None


def _start_jointly(networks: IcGANNetworks, context: Context) -> Critic:
    """Begin with the encoders of joint training here; returns its critic, frozen."""
    assert networks.encoder_z is not None  # joint training has the design "ind"
    load_checkpoint(context.checkpoint("gan"), {"average_encoder": networks.encoder_z})
    networks.encoder_y = load_encoder_y(context)
    critic = context.runtime.place(Critic(context.model))
    load_checkpoint(context.checkpoint("gan"), {"critic": critic})
    return critic.eval().requires_grad_(False)


def load_encoder_y(context: Context) -> Encoder:
    """The trained E_y, frozen; that of the model the run starts from if it trained none.

    Raises:
        CheckpointError: If its stage left no checkpoint, or a damaged one.
    """
    encoder = context.runtime.place(_make_encoder_y(context))
    context.load("encoder_y", "encoder", encoder)
    return encoder.eval().requires_grad_(False)


def _make_encoder_y(context: Context) -> Encoder:
    return Encoder(context.model, context.model.n_attributes, context.model.encoder_y_fc)


@torch.inference_mode()
def judge_z(networks: IcGANNetworks, context: Context) -> dict[str, float]:
    """Errors of E_z, in evaluation mode.

    Returns:
        ``generated_z``: mean square per dimension on the run's generated set (the paper's L_ez);
        ``test_pixel``: mean square error of G(E_z(x), y), pixels in [0, 1], with true y, on the
        real images of `watched`, whose partition the name says.
    """
    runtime = context.runtime
    partition, real = watched(context)
    generated, z, y_fake = open_generated(context.folder)

    def error_of_z(x: Tensor, _: Tensor, at: slice) -> Tensor:
        found = networks.encode_z(x, y_fake[at].to(runtime.device))
        return (found - z[at].to(runtime.device)).square().mean(1)

    def error_of_pixels(x: Tensor, y: Tensor, _: slice) -> Tensor:
        rebuilt = networks.decode(networks.encode_z(x, y), y)
        return (strip_padding(rebuilt - x, context.model) / 2).square().mean((1, 2, 3))

    return {
        "generated_z": _mean_over(generated, error_of_z, runtime),
        f"{partition}_pixel": _mean_over(real, error_of_pixels, runtime),
    }


@torch.inference_mode()
def judge_y(read_y: Callable[[Tensor], Tensor], context: Context) -> dict[str, float]:
    """Errors of E_y on the real images of `watched`, in evaluation mode.

    Returns:
        ``test_y``: mean square per attribute (the paper's L_ey); ``test_accuracy``: share of
        attributes read right, thresholded at 0, or of class labels, share of images; named by
        the partition.
    """
    (partition, data), runtime = watched(context), context.runtime
    one_hot = context.model.attributes.one_hot

    def right(x: Tensor, y: Tensor, _: slice) -> Tensor:
        read = read_y(x)
        if one_hot:
            return (read.argmax(1) == y.argmax(1)).float()
        return ((read > 0) == (y > 0)).float().mean(1)

    return {
        f"{partition}_y": _mean_over(
            data, lambda x, y, _: (read_y(x) - y).square().mean(1), runtime
        ),
        f"{partition}_accuracy": _mean_over(data, right, runtime),
    }


def watched(context: Context) -> tuple[str, PreparedDataset]:
    """The partition a run watches itself on, and its name: validation, else test, else train."""
    names = context.dataset.partitions
    name = next(n for n in ("validation", "test", "train") if n in names)
    return name, context.dataset.part(name)


def _mean_over(
    data: PreparedDataset,
    measure: Callable[[Tensor, Tensor, slice], Tensor],
    runtime: Runtime,
) -> float:
    """Mean of a measure [B] of images, labels and their rows over a data set."""
    total = 0.0
    for at in chunks(len(data), data.image_size):
        x, y = runtime.images(data.images(at)), data.labels(at).to(runtime.device)
        total += float(measure(x, y, at).double().sum())
    return total / len(data)


@torch.inference_mode()
def _save_pairs(networks: IcGANNetworks, context: Context, name: str) -> None:
    _, data = watched(context)
    count = min(32, len(data) - len(data) % 8)
    if count:
        x = context.runtime.images(data.images(slice(0, count)))
        y = data.labels(slice(0, count)).to(context.runtime.device)
        rebuilt = networks.decode(networks.encode_z(x, y), y)
        save_picture(pairs_grid(x, rebuilt, context.model), context.folder / "samples" / name)
