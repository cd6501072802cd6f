"""A new metric is one class and one line in the table."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError
from icgan_sdk.evaluation import ARCHITECTURES, evaluate
from icgan_sdk.evaluation.evaluation_report import summary
from icgan_sdk.evaluation.metrics import metric_table
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.metric import Metric
from icgan_sdk.evaluation.metrics.seeing import GeneratedBatch, RealBatch
from icgan_sdk.evaluation.report.markdown import Line, Section, image, number, table
from icgan_sdk.evaluation.report.plots import new_plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Brightness:
    real: float
    generated: float


class BrightnessMetric(Metric[Brightness]):
    """Mean brightness of real and of generated pictures."""

    name = "brightness"

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.found: dict[str, list[Tensor]] = {"real": [], "generated": []}

    def see_real(self, batch: RealBatch) -> None:
        self.found["real"].append(batch.real.images.mean((1, 2, 3)))

    def see_generated(self, batch: GeneratedBatch) -> None:
        self.found["generated"].append(batch.generated.images.mean((1, 2, 3)))

    def figures(self) -> Brightness:
        return Brightness(**{kind: float(torch.cat(m).mean()) for kind, m in self.found.items()})

    @classmethod
    def summary(cls, figures: Brightness, config: ModelConfig) -> list[Line]:
        return [Line("Brightness", number(figures.generated), f"real: {number(figures.real)}")]

    @classmethod
    def section(cls, figures: Brightness, config: ModelConfig, files: Mapping[str, str]) -> Section:
        rows = [(number(figures.real), number(figures.generated))]
        blocks = [table(("Real", "Generated"), rows), image("brightness", files), "Means."]
        return Section("Brightness of pictures", blocks)

    @classmethod
    def plots(cls, figures: Brightness, config: ModelConfig) -> "dict[str, Figure]":
        return {"brightness": new_plot(2, 2)}


def test_a_new_metric(
    tiny_folder: Path,
    faces: PreparedDataset,
    quick_judges: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metric_table, "METRICS", (*metric_table.METRICS, BrightnessMetric))
    told: set[str] = set()
    result = evaluate(
        tiny_folder,
        faces.folder,
        tmp_path / "out",
        referees=quick_judges / "faces",
        metrics=["brightness"],
        pictures="none",
        limit=6,
        device="cpu",
        watcher=lambda part, done, total: told.add(part),
    )
    real = float(faces.part("test", 6).images(slice(None)).mean())
    plain = json.loads((tmp_path / "out" / "evaluation.json").read_text("utf-8"))
    assert plain["brightness"]["real"] == pytest.approx(real, abs=1e-6)
    assert plain["brightness"]["generated"] == result.figures["brightness"].generated
    assert summary(result)[-1].figure == "Brightness"
    report = (tmp_path / "out" / "report.md").read_text("utf-8")
    section = report.split("## Brightness of pictures")[1].split("## ")[0]
    assert number(real) in section
    assert "![brightness](images/brightness.png)" in section
    assert (tmp_path / "out" / "images" / "brightness.png").is_file()
    assert list(result.figures) == ["brightness"]
    with pytest.raises(ConfigError, match="fidelity was not measured"):
        _ = result.fidelity
    assert "brightness" in told
    assert "brightness" in result.seconds


def test_metrics_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no metric 'fidelty'; did you mean 'fidelity'"):
        evaluate("mnist", tmp_path, tmp_path / "out", metrics=["fidelty"])


def test_names_are_unique() -> None:
    names = [metric.name for metric in metric_table.METRICS]
    assert len(set(names)) == len(names)
    assert not {"format", "subject", "referees", "seconds", *ARCHITECTURES} & set(names)
