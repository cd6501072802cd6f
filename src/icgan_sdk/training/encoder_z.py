"""Stage 3: E_z, which inverts the generator (paper §3.2, equation 3)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError
from icgan_sdk.model import Critic, IcGANNetworks, map_distance
from icgan_sdk.model.devices import send
from icgan_sdk.model.face_recognition import FaceVectors
from icgan_sdk.model.whitening import changing, whiten
from icgan_sdk.pictures.saving import save_picture
from icgan_sdk.training.batch_norm import set_training
from icgan_sdk.training.checkpoint import Stateful, load_checkpoint
from icgan_sdk.training.context import Context, Stage
from icgan_sdk.training.encoder_y import load_encoder_y
from icgan_sdk.training.generated import draw_generated, load_generator
from icgan_sdk.training.identity import check_faces, identity_loss, load_faces
from icgan_sdk.training.judging import judge_y, judge_z, watched
from icgan_sdk.training.loop import run_stage
from icgan_sdk.training.losses import attribute_loss, encoder_y_loss
from icgan_sdk.training.optimisers import descend, make_adam
from icgan_sdk.training.prior import distance_from_prior
from icgan_sdk.training.rows import draw_images, sampled_chunks
from icgan_sdk.training.samples import pairs_grid
from icgan_sdk.training.settings import EncoderZConfig
from icgan_sdk.training.train_config import TrainConfig

LOGITS = 3.0
"""Turns what E_y reads (−1 to 1) into logits."""


class EncoderBatch(NamedTuple):
    """Inputs of one step of E_z, or of the one encoder of SNG.

    Attributes:
        x: Generated images [B, C, S, S].
        z: Their noise [B, z_dim].
        y: Their attributes [B, n_y].
        x_real: Real images [R, C, S, S]; R may be 0.
        y_real: Their attributes [R, n_y], as G is given them.
        y_edited: Attributes that they should show after an edit [R, n_y], −1 or 1; None: no edits.
        touched: Which of those values the edit changes, bool [R, n_y].
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
    faces: FaceVectors | None = None,
    emphasis: float = 1.0,
) -> dict[str, Tensor]:
    """Losses of E_z: the error of z on generated images, and up to five losses on real images.

    The first is L_ez = ‖z − E_z(G(z, y'))‖² per dimension (equation 3). The settings weight the
    others:

    - ``pixel``: ‖x − G(E_z(x), y)‖² of pixels in [0, 1];
    - ``feature``: the same difference in the critic's feature maps (in-domain inversion, Zhu et
      al. 2020);
    - ``identity``: how far G(E_z(x), y) is from showing the same person, see `identity_loss`;
    - ``edit``: the attribute loss of edited images, which the critic or else E_y reads. It keeps
      z from holding what y should change;
    - ``prior``: the distance of E_z(x) from N(0, 1).

    The one encoder of the SNG design learns y in the same step: on generated images as in the
    original, or on real ones (equation 4).

    Args:
        networks: Their encoder learns.
        batch: Generated images, and real ones if a weight needs them.
        settings: The weights.
        draws: For the directions of `distance_from_prior` and the cuts of `identity_loss`.
        y_source: The images that SNG learns y on, "generated" or "real".
        critic: Frozen; needed with `feature_weight`. Without a critic the edits of `batch` need a
            trained E_y.
        faces: What knows people again; needed with `identity_weight`.
        emphasis: Weight in the attribute loss of the values that an edit changes.

    Returns:
        ``z``, where present ``y``, ``pixel``, ``feature``, ``identity``, ``edit`` and ``prior``,
        and ``total``.
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
    if settings.pixel_weight or settings.feature_weight or settings.identity_weight:
        rebuilt = networks.decode(z[n:], batch.y_real).float()
        losses["pixel"] = ((rebuilt - batch.x_real) / 2).square().mean()
        total = total + settings.pixel_weight * losses["pixel"]
        if critic is not None and settings.feature_weight:
            losses["feature"] = map_distance(critic.maps(rebuilt), critic.maps(batch.x_real))
            total = total + settings.feature_weight * losses["feature"]
        if faces is not None:
            losses["identity"] = identity_loss(faces, rebuilt, batch.x_real, draws)
            total = total + settings.identity_weight * losses["identity"]
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


def train_encoder_z(context: Context) -> None:
    """Train E_z (SNG: the whole encoder) on images generated on the fly."""
    config, runtime = context.config, context.runtime
    settings = config.encoder_z
    networks = _networks(context)
    encoder = networks.encoder or networks.encoder_z
    assert encoder is not None  # every design has one of the two
    context.begin(encoder, "encoder" if networks.encoder is not None else "encoder_z")
    critic = _known_networks(networks, context)
    faces = load_faces(context) if settings.identity_weight else None
    y_is_read = critic is not None or context.start is not None
    set_training(encoder, settings.fixed_norm)
    optimiser = make_adam(encoder, settings)
    runtime.compile(encoder, networks.generator)
    # The real images that SNG learns y on are drawn by the settings of E_y.
    y_on_real = networks.encoder is not None and config.encoder_y.source == "real"
    real = config.encoder_y if y_on_real else settings
    uses_real = y_on_real or any(
        (
            settings.pixel_weight,
            settings.feature_weight,
            settings.identity_weight,
            settings.edit_weight,
            settings.prior_weight,
        )
    )

    def step_function(step: int, rows: Tensor) -> dict[str, Tensor]:
        draws = context.draws("encoder_z", step)
        x, z, y = draw_generated(networks.generator, len(rows), context, draws)
        used = rows if uses_real else rows[:0]
        x_real = draw_images(context.train, used, real.flip, real.shift, draws)
        x_real, labels = runtime.images(x_real), context.train.labels(used)
        batch = EncoderBatch(x, z, y, x_real, send(labels, runtime.device))
        if settings.edit_weight:
            edit = context.labels.edited(labels, draws)
            y_edited, touched = (send(t, runtime.device) for t in edit)
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
                faces=faces,
                emphasis=config.joint.emphasis,
            )
        descend(losses.pop("total"), encoder, optimiser, runtime)
        return losses

    def end_of_epoch(epoch: int) -> dict[str, float]:
        encoder.eval()
        figures = judge_z(networks, context)
        _save_pairs(networks, context, f"encoder_z-{epoch:04d}.png")
        set_training(encoder, settings.fixed_norm)
        return figures

    parts: dict[str, Stateful] = {"encoder": encoder, "optimiser": optimiser}
    run_stage(context, "encoder_z", settings, parts, step_function, end_of_epoch)


def _networks(context: Context) -> IcGANNetworks:
    networks = context.build("encoder_z", lambda: IcGANNetworks(context.model))
    networks.generator = load_generator(context)
    return networks


def _known_networks(networks: IcGANNetworks, context: Context) -> Critic | None:
    """Load the networks that are trained already: E_y if there is one, and the critic."""
    settings, joint = context.config.encoder_z, context.config.gan.method == "joint"
    if joint and context.ran("gan"):
        return _start_jointly(networks, context)
    if settings.feature_weight:
        raise ConfigError("encoder_z.feature_weight needs a critic, so run the stage gan too")
    if networks.encoder_y is not None and context.start is not None:
        networks.encoder_y = load_encoder_y(context)
    return None


def _start_jointly(networks: IcGANNetworks, context: Context) -> Critic:
    """Take over the encoders of this run's joint training; returns its critic, frozen."""
    assert networks.encoder_z is not None  # joint training has the design "ind"
    load_checkpoint(context.checkpoint("gan"), {"average_encoder": networks.encoder_z})
    networks.encoder_y = load_encoder_y(context)
    critic = context.runtime.place(Critic(context.model))
    load_checkpoint(context.checkpoint("gan"), {"critic": critic})
    return critic.eval().requires_grad_(False)


@torch.inference_mode()
def _save_pairs(networks: IcGANNetworks, context: Context, name: str) -> None:
    _, data = watched(context)
    count = min(32, len(data) - len(data) % 8)
    if count:
        x = context.runtime.images(data.images(slice(0, count)))
        y = data.labels(slice(0, count)).to(context.runtime.device)
        rebuilt = networks.decode(networks.encode_z(x, y), y)
        save_picture(pairs_grid(x, rebuilt, context.model), context.folder / "samples" / name)


def _check(context: Context) -> None:
    config, start = context.config, context.start
    if config.encoder_z.whiten:
        _check_whitening(context.model)
    check_faces("encoder_z.identity_weight", config.encoder_z.identity_weight, context.model)
    if config.gan.method == "joint":
        return
    if config.encoder_z.fixed_norm and start is None:
        raise ConfigError(
            "encoder_z.fixed_norm needs an encoder that is trained already: that of gan.method "
            '"joint", or of a model to start from'
        )
    if config.encoder_z.edit_weight and (start is None or start.encoder_y is None):
        raise ConfigError(
            'encoder_z.edit_weight needs an E_y to read edits: that of gan.method "joint", or of a '
            "model to start from"
        )


def _check_whitening(model: ModelConfig) -> None:
    if model.noise != "normal":
        raise ConfigError("encoder_z.whiten needs normal noise: model.noise is 'uniform'")
    with torch.device("meta"):  # no weights, only what they would belong to
        changing(IcGANNetworks(model))


def _sections(config: TrainConfig) -> tuple[str, ...]:
    if config.model.get("encoder_design") == "sng":
        return ("encoder_z", "encoder_y")  # the latter says how the one encoder learns y
    return ("encoder_z",)


def _fill(context: Context, networks: IcGANNetworks) -> None:
    encoder = networks.encoder or networks.encoder_z
    assert encoder is not None  # every design has one of the two
    context.load("encoder_z", "encoder", encoder)
    if _is_whitened(context):
        whiten(networks, _real_z(encoder.eval(), context))


def _is_whitened(context: Context) -> bool:
    return context.config.encoder_z.whiten and context.ran("encoder_z")


@torch.no_grad()
def _real_z(encoder: nn.Module, context: Context) -> Tensor:
    """What E_z finds in training images, evenly taken: [N, z_dim]."""
    data, runtime = context.train, context.runtime
    chunks = sampled_chunks(len(data))
    return torch.cat([encoder(runtime.images(data.images(rows))) for rows in chunks])


def _judge(context: Context, networks: IcGANNetworks) -> dict[str, float]:
    figures = judge_z(networks, context, drawn_anew=_is_whitened(context))
    if context.model.n_attributes:
        # A model smaller than its painter's photos sees them shrunk.
        figures |= judge_y(lambda x: networks.read_y(networks.shrink(x)), context)
    return figures


ENCODER_Z = Stage(
    name="encoder_z",
    seed=2,
    run=train_encoder_z,
    needs=lambda config: ("generated",),
    sections=_sections,
    check=_check,
    stand_in=lambda _, start: start.encoder or start.encoder_z,
    fill=_fill,
    judge=_judge,
)
