"""Stage 4: E_y, which reads the attributes (paper §3.2, equation 4)."""

from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.model import IcGANNetworks, build_encoder_y
from icgan_sdk.model.devices import send
from icgan_sdk.training.checkpoint import Stateful
from icgan_sdk.training.context import Context, Stage
from icgan_sdk.training.generated import draw_generated, load_generator
from icgan_sdk.training.judging import judge_y
from icgan_sdk.training.loop import run_stage
from icgan_sdk.training.losses import encoder_y_loss
from icgan_sdk.training.optimisers import descend, make_adam
from icgan_sdk.training.rows import draw_images
from icgan_sdk.training.train_config import TrainConfig


def train_encoder_y(context: Context) -> None:
    """Train E_y on real images, or on generated ones (the paper's §4.1 compares both)."""
    settings, images, runtime = context.config.encoder_y, context.config.images, context.runtime
    encoder = context.build("encoder_y", lambda: build_encoder_y(context.model))
    context.begin(encoder, "encoder_y")
    runtime.compile(encoder)
    optimiser = make_adam(encoder, settings)
    generator = load_generator(context) if settings.source == "generated" else None

    def step_function(step: int, rows: Tensor) -> dict[str, Tensor]:
        draws = context.draws("encoder_y", step)
        if generator is not None:
            x, _, y = draw_generated(generator, len(rows), context, draws)
        else:
            x = draw_images(context.train, rows, images.flip, images.shift, draws)
            x, y = runtime.images(x), send(context.train.labels(rows), runtime.device)
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


def load_encoder_y(context: Context) -> nn.Module:
    """The trained E_y, frozen; the start model's if this run trained none.

    Raises:
        CheckpointError: If there is neither, or the checkpoint is damaged.
    """
    encoder = context.runtime.place(build_encoder_y(context.model))
    context.load("encoder_y", "encoder", encoder)
    return encoder.eval().requires_grad_(False)


def _takes_part(_: TrainConfig, model: ModelConfig) -> bool:
    return bool(model.n_attributes) and model.encoder_design != "sng"  # whose one encoder reads y


def _needs(config: TrainConfig) -> tuple[str, ...]:
    return ("generated",) if config.encoder_y.source == "generated" else ()


def _fill(context: Context, networks: IcGANNetworks) -> None:
    if networks.encoder_y is not None:
        context.load("encoder_y", "encoder", networks.encoder_y)


ENCODER_Y = Stage(
    name="encoder_y",
    seed=3,
    run=train_encoder_y,
    needs=_needs,
    takes_part=_takes_part,
    stand_in=lambda _, start: start.encoder_y,
    fill=_fill,
)
