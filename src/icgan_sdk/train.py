"""Training, public as ``icgan_sdk.train``.

```python
from icgan_sdk import train

config = train.load_config("mnist", ["gan.epochs=5"], data="prepared/mnist")
train.run(config, "runs/mnist")
```
"""

from icgan_sdk.training.logging import Progress, read_metrics
from icgan_sdk.training.pipeline import train as run
from icgan_sdk.training.run_folder import fork_run as fork
from icgan_sdk.training.run_folder import saved_config
from icgan_sdk.training.runtime import STAGES, Stage
from icgan_sdk.training.settings import (
    EncoderYConfig,
    EncoderZConfig,
    GANConfig,
    GeneratedConfig,
    RunConfig,
    TrainConfig,
    load_config,
    override,
    recipes,
)

__all__ = [
    "STAGES",
    "EncoderYConfig",
    "EncoderZConfig",
    "GANConfig",
    "GeneratedConfig",
    "Progress",
    "RunConfig",
    "Stage",
    "TrainConfig",
    "fork",
    "load_config",
    "override",
    "read_metrics",
    "recipes",
    "run",
    "saved_config",
]
