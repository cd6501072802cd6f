"""Evaluation: referees that read attributes off images, and the figures they lead to.

```python
from icgan_sdk.evaluation import evaluate

result = evaluate("mnist", "prepared/mnist", "report")
print(result.fidelity.fid)
```
"""

from icgan_sdk.evaluation.evaluate import evaluate
from icgan_sdk.evaluation.metrics.attribute_readings import Reading
from icgan_sdk.evaluation.metrics.diversity import measure_diversity
from icgan_sdk.evaluation.metrics.edits import measure_edits
from icgan_sdk.evaluation.metrics.encoder_errors import measure_inversion
from icgan_sdk.evaluation.metrics.fidelity import measure_fidelity
from icgan_sdk.evaluation.metrics.identification import measure_identification
from icgan_sdk.evaluation.metrics.memorisation import measure_memorisation
from icgan_sdk.evaluation.referees.confusion import Confusion
from icgan_sdk.evaluation.referees.referee_folder import load_referee
from icgan_sdk.evaluation.referees.referee_network import ARCHITECTURES, Architecture, Referee
from icgan_sdk.evaluation.referees.referee_readings import (
    read_generated,
    read_real,
    read_reconstructed,
)
from icgan_sdk.evaluation.referees.referee_settings import RefereeSettings, default_settings
from icgan_sdk.evaluation.referees.referee_training import ensure_referee, train_referee
from icgan_sdk.evaluation.results import Evaluation

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Confusion",
    "Evaluation",
    "Reading",
    "Referee",
    "RefereeSettings",
    "default_settings",
    "ensure_referee",
    "evaluate",
    "load_referee",
    "measure_diversity",
    "measure_edits",
    "measure_fidelity",
    "measure_identification",
    "measure_inversion",
    "measure_memorisation",
    "read_generated",
    "read_real",
    "read_reconstructed",
    "train_referee",
]
