"""The record of a run: metrics.jsonl, metrics.csv, progress for a watcher, TensorBoard."""

import csv
import io
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from icgan_sdk.checks import require
from icgan_sdk.errors import SaveError
from icgan_sdk.files import write_text
from icgan_sdk.training.runtime import Runtime


@dataclass(frozen=True)
class Progress:
    """What a run tells its watcher after each step.

    Attributes:
        stage: The running stage.
        step: Steps done.
        steps: Steps of the stage.
        metrics: Losses and images/s, at steps that are logged; losses at a stage's first step.
    """

    stage: str
    step: int
    steps: int
    metrics: Mapping[str, float] | None = None


Watcher = Callable[[Progress], None]


class StageLog:
    """Averages a stage's losses and writes them every `log_every` steps.

    Resuming a stage removes its lines after the resumed step, so that none is recorded twice.

    Args:
        run: The run folder.
        stage: The stage's name.
        start: Step after which the stage continues.
        steps: Steps of the whole stage.
        every: Steps between lines.
        images_per_step: Real images a step consumes, over all processes.
        runtime: The run's. Only its main process writes.
        watcher: Told after each step.
        tensorboard: Also write event files.
    """

    def __init__(
        self,
        run: Path,
        stage: str,
        *,
        start: int,
        steps: int,
        every: int,
        images_per_step: int,
        runtime: Runtime,
        watcher: Watcher | None,
        tensorboard: bool,
    ) -> None:
        self.path, self.stage, self.steps, self.every = run / "metrics.jsonl", stage, steps, every
        self.images_per_step, self.runtime, self.watcher = images_per_step, runtime, watcher
        self._sums: dict[str, Tensor] = {}
        self._start = start
        self._since, self._count = time.perf_counter(), 0
        self._board = _summary_writer(run, start) if tensorboard and runtime.is_main else None
        if runtime.is_main:
            _cut_back(self.path, stage, start)

    def step(
        self, step: int, epoch: int, losses: Mapping[str, Tensor], *, last: bool = False
    ) -> None:
        """Add the losses of a step, counted from 1; the last before a stop is always written."""
        for name, loss in losses.items():
            # Summed on the device, as reading a value in each step would wait for the GPU.
            self._sums[name] = self._sums.get(name, loss.new_zeros(())) + loss.detach().float()
        self._count += 1
        metrics = None
        if last or step % self.every == 0 or step == self.steps:
            metrics = {name: float(total) / self._count for name, total in self._sums.items()}
            elapsed = time.perf_counter() - self._since
            metrics["images_per_second"] = self._count * self.images_per_step / elapsed
            self.write({"step": step, "epoch": epoch, **metrics, "seconds": elapsed})
            self._sums, self._count, self._since = {}, 0, time.perf_counter()
        elif self.watcher is not None and step == self._start + 1:
            metrics = {name: float(total) for name, total in self._sums.items()}  # soon, to see
        if self.watcher is not None and self.runtime.is_main:
            self.watcher(Progress(self.stage, step, self.steps, metrics))

    def write(self, record: Mapping[str, float]) -> None:
        """Append a line, and pass its values to TensorBoard. JSON has no number for NaN."""
        if not self.runtime.is_main:
            return
        record = {name: value for name, value in record.items() if math.isfinite(value)}
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"stage": self.stage, **record}, allow_nan=False) + "\n")
        except OSError as error:
            raise SaveError(f"can't write {self.path}: {error.strerror}") from error
        if self._board is not None:
            values = {k: v for k, v in record.items() if k not in {"step", "epoch"}}
            for name, value in values.items():
                self._board.add_scalar(f"{self.stage}/{name}", value, int(record["step"]))

    def close(self) -> None:
        """Write what is still buffered, and all records so far as a table, ``metrics.csv``."""
        if self.runtime.is_main:
            write_text(self.path.with_suffix(".csv"), _table(read_metrics(self.path.parent)))
        if self._board is not None:
            self._board.close()


def read_metrics(run: Path) -> list[dict[str, float | str]]:
    """The records in a run's metrics.jsonl; incomplete and damaged lines are left out."""
    records = []
    path = run / "metrics.jsonl"
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue  # a killed run may leave half a line
        if isinstance(record, dict) and _is_step(record):
            records.append(record)
    return records


def _table(records: list[dict[str, float | str]]) -> str:
    """CSV with a column for each figure of any stage, empty where a record has none."""
    columns = dict.fromkeys(name for record in records for name in record)
    text = io.StringIO()
    rows = csv.DictWriter(text, columns, lineterminator="\n")
    rows.writeheader()
    rows.writerows(records)
    return text.getvalue()


def _is_step(record: dict[str, object]) -> bool:
    return isinstance(record.get("stage"), str) and isinstance(record.get("step"), int | float)


def _cut_back(path: Path, stage: str, start: int) -> None:
    kept = [
        r for r in read_metrics(path.parent) if r["stage"] != stage or float(r["step"]) <= start
    ]
    write_text(path, "".join(json.dumps(record) + "\n" for record in kept))


def _summary_writer(run: Path, start: int):  # type: ignore[no-untyped-def]  # TensorBoard is optional
    need = "run.tensorboard needs TensorBoard: pip install 'icgan-sdk[tensorboard]'"
    require("torch.utils.tensorboard", need, package="tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(run / "tensorboard"), purge_step=start + 1)
