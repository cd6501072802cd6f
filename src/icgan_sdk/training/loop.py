"""The training loop, which every stage that trains a network runs through."""

import time
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from icgan_sdk.errors import DivergedError
from icgan_sdk.training.checkpoint import Stateful, load_checkpoint, save_checkpoint
from icgan_sdk.training.context import STAGES, Context
from icgan_sdk.training.logging import StageLog
from icgan_sdk.training.optimisers import set_learning_rate
from icgan_sdk.training.rows import Epochs
from icgan_sdk.training.settings import OptimiserConfig

CHECKPOINT_SECONDS = 300.0
"""A checkpoint is written at least this often, at a logged step or an epoch's end."""


def run_stage(
    context: Context,
    stage: str,
    settings: OptimiserConfig,
    parts: Mapping[str, Stateful],
    step_function: Callable[[int, Tensor], dict[str, Tensor]],
    end_of_epoch: Callable[[int], Mapping[str, float]],
) -> None:
    """Run a stage from its last checkpoint to its end, or until the run's time is up.

    Args:
        context: The run.
        stage: Name of the stage.
        settings: Its epochs, batch size and learning rate.
        parts: Everything a checkpoint holds, by name: networks and optimisers.
        step_function: Takes the step (from 1) and the rows of its batch; returns losses.
        end_of_epoch: Takes the epoch (from 1); writes pictures and returns figures to record.

    Raises:
        DivergedError: If a loss or a weight is no longer finite. The last checkpoint stays.
    """
    runtime, run = context.runtime, context.config.run
    networks = [p for p in parts.values() if isinstance(p, nn.Module)]
    optimisers = [p for p in parts.values() if isinstance(p, torch.optim.Optimizer)]
    epochs = stage_epochs(context, stage, settings)
    path = context.checkpoint(stage)
    start = load_checkpoint(path, parts, epochs.steps) if path.exists() else 0
    log = StageLog(
        context.folder,
        stage,
        start=start,
        steps=epochs.steps,
        every=run.log_every,
        images_per_step=settings.batch_size * runtime.world_size,
        runtime=runtime,
        watcher=context.watcher,
        tensorboard=run.tensorboard,
    )
    saved, saved_at = start, time.monotonic()
    for step in range(start + 1, epochs.steps + 1):
        for optimiser in optimisers:
            set_learning_rate(optimiser, settings, step, epochs.steps)
        losses = step_function(step, epochs.batch(step))
        is_over = context.is_over()
        saves = is_over or step % run.checkpoint_every == 0 or step == epochs.steps
        if runtime.world_size == 1 and (step % run.log_every == 0 or epochs.ends_epoch(step)):
            # Several processes would have to agree on the time.
            saves = saves or time.monotonic() - saved_at >= CHECKPOINT_SECONDS
        # A GPU is asked only now and then, because the answer has to be waited for.
        if saves or runtime.device.type == "cpu" or step % run.log_every == 0:
            broken = _not_finite(losses, networks if saves else [])
            if broken:
                raise _diverged(context, stage, settings, broken, step, saved)
        log.step(step, epochs.epoch(step), losses, last=is_over)
        if epochs.ends_epoch(step) and runtime.is_main:
            figures = end_of_epoch(epochs.epoch(step))
            if figures:
                log.write({"step": step, "epoch": epochs.epoch(step), **figures})
        if saves:
            runtime.average_statistics(*networks)
            if runtime.is_main:
                save_checkpoint(path, step, epochs.steps, parts)
            saved, saved_at = step, time.monotonic()
        if is_over:
            break
    log.close()
    runtime.wait()


def stage_epochs(context: Context, stage: str, settings: OptimiserConfig) -> Epochs:
    """The steps of a stage over the training partition, and the rows of each."""
    return Epochs(len(context.train), settings, context.runtime, stage, STAGES[stage].seed)


def _not_finite(losses: Mapping[str, Tensor], networks: Sequence[nn.Module]) -> str:
    """The first loss, or else network, with a value that is not finite; empty if all are."""
    if losses and not _are_finite(list(losses.values())):
        return next(f"loss {name}" for name, loss in losses.items() if not _are_finite([loss]))
    broken = (n for n in networks if not _are_finite(list(n.parameters())))
    return next((f"a weight of {type(n).__name__}" for n in broken), "")


def _are_finite(tensors: Sequence[Tensor]) -> bool:
    return bool(torch.stack([t.detach().isfinite().all() for t in tensors]).all())


def _diverged(
    context: Context, stage: str, settings: OptimiserConfig, broken: str, step: int, saved: int
) -> DivergedError:
    rate = settings.learning_rate
    way = f"--resume --out {context.folder} --set {stage}.learning_rate={rate / 2:g}"
    from_there = (
        f"the checkpoint of step {saved} stays; go on from there with a lower rate: icgan train "
        f"{way}"
        if saved
        else f"there is no checkpoint yet; begin again with a lower {stage}.learning_rate"
    )
    return DivergedError(
        f"stage {stage}: {broken} is not finite at step {step}, with {stage}.learning_rate "
        f"{rate:g}; {from_there}"
    )
