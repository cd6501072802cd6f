"""Stage `painter`: a painter learns to change photos, against a critic of its own.

It builds on E_y alone, which reads the attributes that an edit begins with.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from icgan_sdk.artefacts.critic import TrainedCritic
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError
from icgan_sdk.model import IcGANNetworks, Painter, build_critic, build_painter
from icgan_sdk.model.photo_critic import PhotoCritic
from icgan_sdk.training.checkpoint import Stateful, load_checkpoint
from icgan_sdk.training.context import Context, Stage
from icgan_sdk.training.loop import run_stage
from icgan_sdk.training.optimisers import MovingAverage, make_adam
from icgan_sdk.training.painter_batches import PainterBatches, skin_mask
from icgan_sdk.training.painter_losses import PainterNetworks, painter_step, warmup_step
from icgan_sdk.training.painter_samples import judge_painter, save_sheet
from icgan_sdk.training.rows import sampled_chunks
from icgan_sdk.training.settings import PainterConfig
from icgan_sdk.training.train_config import TrainConfig

EMA_DECAY = 0.999
"""Of the painter's moving average."""

RAMP = 2000
"""Steps after the warmup over which a new painter's penalties on change come in."""

SAMPLE_EVERY = 1000
"""Steps between sheets of edited validation photos."""

CALIBRATED = 128
"""Photos by which a new critic is calibrated."""


def train_painter(context: Context) -> None:
    """Train the painter and its critic; the checkpoint also keeps the painter's moving average."""
    settings, runtime = _settings(context.config), context.runtime
    built = context.build("painter", lambda: _Networks(context))
    painter, critic = built.painter, built.critic
    context.begin(painter, "painter")
    _begin_critic(context, critic)
    optimiser = make_adam(painter, settings)
    optimiser_critic = make_adam(critic, settings, critic.relative_rate)
    average = MovingAverage(painter, EMA_DECAY)
    model = _load_model(context)
    if runtime.bfloat16:
        _convert_weights(model)
    assert isinstance(average.network, Painter)
    model.painter = average.network  # for sheets and figures, and to put things on
    typical = _typical_readings(model, context)
    networks = PainterNetworks(painter, critic, model, typical, skin_mask(context))
    batches = PainterBatches(context, settings)
    paints = context.start is not None and context.start.painter is not None

    def step_function(step: int, rows: Tensor) -> dict[str, Tensor]:
        batch = batches.draw(rows, context.draws("painter", step))
        if step <= settings.warmup:
            return warmup_step(networks, optimiser_critic, batch, runtime, paints)
        painted_steps = step - settings.warmup
        strictness = 1.0 if paints else min(1.0, painted_steps / RAMP)
        losses = painter_step(
            networks, optimiser, optimiser_critic, batch, settings, runtime, strictness
        )
        average.update(painter, painted_steps)
        if step % SAMPLE_EVERY == 0 and runtime.is_main:
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


def _begin_critic(context: Context, critic: PhotoCritic) -> None:
    """Give a critic the weights of the start model's, if that is of the same kind."""
    stored = context.start_critic
    if stored is not None and stored.kind == _settings(context.config).critic:
        stored.load_into(critic)


def _load_model(context: Context) -> IcGANNetworks:
    """The model as far as painting needs it, frozen: what reads y has its weights, G has none."""
    networks = context.runtime.place(IcGANNetworks(context.model))
    if networks.encoder is not None:
        context.load("encoder_z", "encoder", networks.encoder)
    elif networks.encoder_y is not None:
        context.load("encoder_y", "encoder", networks.encoder_y)
    return networks.eval().requires_grad_(False)


@torch.no_grad()
def _typical_readings(model: IcGANNetworks, context: Context) -> Tensor:
    data, runtime = context.train, context.runtime
    chunks = sampled_chunks(len(data))
    parts = []
    with runtime.autocast():
        for chunk in chunks:
            x = model.shrink(runtime.images(data.images(chunk)))
            parts.append(model.read_y(x).float().cpu())
    y, present = torch.cat(parts), data.labels(torch.cat(chunks)) > 0
    means = [torch.where(of, y, 0.0).sum(0) / of.sum(0).clamp_min(1) for of in (~present, present)]
    return torch.stack(means).to(runtime.device)


def _convert_weights(frozen: nn.Module) -> None:
    """Convert weights to bfloat16 once, as mixed precision would do at each step."""
    for module in frozen.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            module.to(torch.bfloat16)


class _Networks(nn.Module):
    """The two networks with their initial weights."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        # The order matters: the networks draw their weights from one generator.
        self.painter = build_painter(context.model)
        self.critic = _build_critic(context)


def _build_critic(context: Context) -> PhotoCritic:
    settings, data = _settings(context.config), context.train
    sizes = replace(context.model.photo, discriminator_width=settings.critic_width)
    critic = build_critic(settings.critic, sizes)
    rows = torch.arange(0, len(data), max(1, len(data) // CALIBRATED))[:CALIBRATED]
    critic.calibrate(data.images(rows).cpu())
    return critic


def _settings(config: TrainConfig) -> PainterConfig:
    return config.section("painter", PainterConfig)


def _takes_part(_: TrainConfig, model: ModelConfig) -> bool:
    return model.painter_size > 0


def _needs(config: TrainConfig) -> tuple[str, ...]:
    # The one encoder of the design "sng" reads y too.
    return ("encoder_z",) if config.model.get("encoder_design") == "sng" else ("encoder_y",)


def _check(context: Context) -> None:
    if _settings(context.config).alone:
        if context.start is None:
            raise ConfigError("painter.alone needs a model to start from")
    elif context.model.image_size != context.dataset.image_size:
        raise ConfigError(
            "a model smaller than its painter's photos is trained on data of its own size first; "
            "then set painter.alone, and start from it"
        )


def _fill(context: Context, networks: IcGANNetworks) -> None:
    if networks.painter is not None:
        context.load("painter", "average", networks.painter)


def _critic(context: Context) -> TrainedCritic | None:
    if not context.ran("painter"):
        return None
    critic = context.runtime.place(_build_critic(context))
    load_checkpoint(context.checkpoint("painter"), {"critic": critic})
    return TrainedCritic(_settings(context.config).critic, critic)


def _judge(context: Context, networks: IcGANNetworks) -> dict[str, float]:
    figures = judge_painter(networks, context)
    return {f"painter_{name}": value for name, value in figures.items() if "." not in name}


PAINTER = Stage(
    name="painter",
    seed=4,
    run=train_painter,
    needs=_needs,
    takes_part=_takes_part,
    alone=lambda config: _settings(config).alone,
    check=_check,
    stand_in=lambda _, start: start.painter,
    fill=_fill,
    critic=_critic,
    judge=_judge,
    settings=PainterConfig,
)
