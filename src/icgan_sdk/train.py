"""The public namespace of training, ``icgan_sdk.train``.

```python
from icgan_sdk import train

config = train.load_config("mnist", ["gan.epochs=5"], data="prepared/mnist")
train.run(config, "runs/mnist")
```
"""

from icgan_sdk.extensions import load_plugins
from icgan_sdk.training.context import STAGES as _TABLE
from icgan_sdk.training.duration import estimate_seconds
from icgan_sdk.training.logging import Progress, read_metrics
from icgan_sdk.training.own_recipe import OwnSettings, own_settings
from icgan_sdk.training.pipeline import train as run
from icgan_sdk.training.recipe_files import load_config, override, recipes
from icgan_sdk.training.run_folder import fork_run as fork
from icgan_sdk.training.run_folder import is_finished, saved_config
from icgan_sdk.training.settings import (
    EncoderYConfig,
    EncoderZConfig,
    GANConfig,
    GeneratedConfig,
    ImagesConfig,
    JointConfig,
    PainterConfig,
    RunConfig,
)
from icgan_sdk.training.train_config import TrainConfig

Stage = str
"""The name of a stage."""

STAGES: tuple[Stage, ...] = tuple(_TABLE)
"""The names of the package's stages."""


def stages() -> tuple[Stage, ...]:
    """The names of all stages, those of plug-ins included."""
    load_plugins()
    return tuple(_TABLE)


__all__ = [
    "STAGES",
    "EncoderYConfig",
    "EncoderZConfig",
    "GANConfig",
    "GeneratedConfig",
    "ImagesConfig",
    "JointConfig",
    "OwnSettings",
    "PainterConfig",
    "Progress",
    "RunConfig",
    "Stage",
    "TrainConfig",
    "estimate_seconds",
    "fork",
    "is_finished",
    "load_config",
    "override",
    "own_settings",
    "read_metrics",
    "recipes",
    "run",
    "saved_config",
    "stages",
]
