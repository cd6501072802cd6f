"""The table of all stages. A new one is a file that defines it, and a line here."""

from icgan_sdk.errors import ConfigError
from icgan_sdk.training.context import Context, Stage
from icgan_sdk.training.encoder_y import ENCODER_Y
from icgan_sdk.training.encoder_z import ENCODER_Z
from icgan_sdk.training.gan import GAN
from icgan_sdk.training.generated import GENERATED
from icgan_sdk.training.painter import PAINTER
from icgan_sdk.training.train_config import OPTIONAL_SECTIONS

STAGES: dict[str, Stage] = {}
"""Every stage by name, in the order in which a run takes them unless their needs say otherwise."""


def register(stage: Stage) -> None:
    """Add a stage to the table, and its section to those a config may have.

    Raises:
        ConfigError: If another stage has its name or its seed.
    """
    if stage.name in STAGES or stage.seed in {other.seed for other in STAGES.values()}:
        raise ConfigError(f"stage {stage.name}: another one has its name or its seed {stage.seed}")
    STAGES[stage.name] = stage
    if stage.settings is not None:
        OPTIONAL_SECTIONS[stage.name] = stage.settings


register(GAN)
register(GENERATED)
register(ENCODER_Z)
register(ENCODER_Y)
register(PAINTER)


def stages_of(context: Context) -> list[Stage]:
    """The stages of a run, each after those it needs, otherwise in the table's order.

    Raises:
        ConfigError: If a stage can't work with the run's settings.
    """
    parts = stages_behind(context)
    waiting = [s for s in parts if s.alone(context.config)] or parts
    for stage in waiting:
        stage.check(context)
    ordered: list[Stage] = []
    while waiting:
        names = {s.name for s in waiting}
        ready = next(s for s in waiting if names.isdisjoint(s.needs(context.config)))
        waiting.remove(ready)
        ordered.append(ready)
    return ordered


def stages_behind(context: Context) -> list[Stage]:
    """The stages that a run's model comes from, in the table's order.

    Where one is alone in the run, the others are those that the start model stands in for.
    """
    return [s for s in context.stages.values() if s.is_in(context.config, context.model)]


def built_on(context: Context, names: set[str]) -> set[str]:
    """These stages, and all that are built on them, directly or not.

    Stages that the config has no longer are among them, as the folder may still hold their results.
    """
    found = set(names)
    rest = [s for s in context.stages.values() if s.name not in found]
    while more := [s for s in rest if found.intersection(s.needs(context.config))]:
        found.update(s.name for s in more)
        rest = [s for s in rest if s not in more]
    return found
