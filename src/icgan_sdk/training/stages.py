"""The package's stages enter the table here; which of the table a run has, and in what order."""

import warnings

from icgan_sdk.errors import ConfigError
from icgan_sdk.training.context import STAGES, Context, Stage, register_stage
from icgan_sdk.training.encoder_y import ENCODER_Y
from icgan_sdk.training.encoder_z import ENCODER_Z
from icgan_sdk.training.gan import GAN
from icgan_sdk.training.generated import GENERATED
from icgan_sdk.training.painter import PAINTER
from icgan_sdk.training.train_config import TrainConfig

for _stage in (GAN, GENERATED, ENCODER_Z, ENCODER_Y, PAINTER):
    register_stage(_stage)


def register(stage: Stage) -> None:
    """The former name of `icgan_sdk.plugins.register_stage`."""
    message = "icgan_sdk.training.stages.register is now icgan_sdk.plugins.register_stage"
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    register_stage(stage)


def stages_of(context: Context) -> list[Stage]:
    """The stages of a run, each after those it needs, otherwise in the table's order.

    Raises:
        ConfigError: If a stage can't work with the run's settings, or stages need each other.
    """
    parts = stages_behind(context)
    waiting = [s for s in parts if s.alone(context.config)] or parts
    for stage in waiting:
        stage.check(context)
    ordered: list[Stage] = []
    while waiting:
        names = {s.name for s in waiting}
        ready = next((s for s in waiting if names.isdisjoint(s.needs(context.config))), None)
        if ready is None:
            ring = ", ".join(sorted(names))
            raise ConfigError(f"stages {ring} wait for one another: their needs go in a circle")
        waiting.remove(ready)
        ordered.append(ready)
    return ordered


def stages_behind(context: Context) -> list[Stage]:
    """The stages that a run's model comes from, in the table's order.

    Where one is alone in the run, the others are those that the start model stands in for.
    """
    return [s for s in STAGES.values() if s.is_in(context.config, context.model)]


def built_on(config: TrainConfig, names: set[str]) -> set[str]:
    """These stages, and all that are built on them, directly or not.

    Stages that the config has no longer are among them, as the folder may still hold their results.
    """
    found = set(names)
    rest = [s for s in STAGES.values() if s.name not in found]
    while more := [s for s in rest if found.intersection(s.needs(config))]:
        found.update(s.name for s in more)
        rest = [s for s in rest if s not in more]
    return found
