"""Stage 3: E_z, which inverts the generator (paper §3.2, equation 3)."""

import torch
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError
from icgan_sdk.model import Critic, IcGANNetworks
from icgan_sdk.model.devices import send
from icgan_sdk.model.whitening import changing, whiten
from icgan_sdk.pictures.saving import save_picture
from icgan_sdk.training.batch_norm import set_training
from icgan_sdk.training.checkpoint import Stateful, load_checkpoint
from icgan_sdk.training.context import Context, Stage
from icgan_sdk.training.encoder_y import load_encoder_y
from icgan_sdk.training.encoder_z_losses import EncoderBatch, encoder_z_losses
from icgan_sdk.training.generated import draw_generated, load_generator
from icgan_sdk.training.judging import judge_y, judge_z, watched
from icgan_sdk.training.loop import run_stage
from icgan_sdk.training.losses import check_faces, load_faces
from icgan_sdk.training.optimisers import descend, make_adam
from icgan_sdk.training.rows import draw_images, sampled_chunks
from icgan_sdk.training.samples import pairs_grid
from icgan_sdk.training.train_config import TrainConfig


def train_encoder_z(context: Context) -> None:
    """Train E_z (SNG: the whole encoder) on images generated on the fly."""
    config, runtime = context.config, context.runtime
    settings = config.encoder_z
    networks = _networks(context)
    encoder = networks.encoder or networks.encoder_z
    assert encoder is not None  # every design has one of the two
    context.begin(encoder, "encoder" if networks.encoder is not None else "encoder_z")
    critic = _known_networks(networks, context)
    faces = load_faces(context.model, runtime) if settings.identity_weight else None
    y_is_read = critic is not None or context.start is not None
    set_training(encoder, settings.fixed_norm)
    optimiser = make_adam(encoder, settings)
    runtime.compile(encoder, networks.generator)
    images = config.images
    y_on_real = networks.encoder is not None and config.encoder_y.source == "real"
    shift = images.shift if y_on_real else 0
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
        x_real = draw_images(context.train, used, images.flip, shift, draws)
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
