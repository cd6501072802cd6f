"""Evaluation: referees that read attributes off images, and the figures they lead to.

```python
from icgan_sdk.evaluation import evaluate

result = evaluate("mnist", "prepared/mnist", "report")
print(result.fidelity.fid)
```
"""

from icgan_sdk.evaluation.confusion import (
    Confusion,
    read_generated,
    read_real,
    read_reconstructed,
)
from icgan_sdk.evaluation.diversity import measure_diversity, measure_memorisation
from icgan_sdk.evaluation.edits import measure_edits
from icgan_sdk.evaluation.evaluate import evaluate
from icgan_sdk.evaluation.fidelity import measure_fidelity
from icgan_sdk.evaluation.identification import measure_identification
from icgan_sdk.evaluation.inversion import measure_inversion
from icgan_sdk.evaluation.referee import ARCHITECTURES, Architecture, Referee, load_referee
from icgan_sdk.evaluation.referee_training import (
    RefereeSettings,
    default_settings,
    ensure_referee,
    train_referee,
)
from icgan_sdk.evaluation.results import Evaluation, Reading

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
