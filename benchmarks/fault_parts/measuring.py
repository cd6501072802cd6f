"""Work on finished models, for the part that kills it: referees, evaluation, studies, export."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from fault_parts.jobs import Job, same, same_weights
from icgan_sdk.artefacts.store import load_artefact, save_artefact
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset, write_arrays
from icgan_sdk.evaluation import ARCHITECTURES, evaluate, load_referee
from icgan_sdk.evaluation.metrics import encoder_errors
from icgan_sdk.evaluation.referees.referee_settings import RefereeSettings
from icgan_sdk.evaluation.referees.referee_training import train_referee
from icgan_sdk.evaluation.reproduce import reproduce
from icgan_sdk.export import export_onnx
from icgan_sdk.model import IcGANNetworks

PARTS = {"train": 64, "validation": 32, "test": 32}
STUDY = (
    "model.z_dim=3", "model.generator_width=4", "model.discriminator_width=4",
    "model.encoder_width=2", "model.encoder_y_fc=8", "model.encoder_z_fc=8",
    "gan.epochs=2", "gan.batch_size=8", "generated.images=20",
    "encoder_z.epochs=1", "encoder_z.batch_size=8", "encoder_y.epochs=1", "encoder_y.batch_size=8",
    "run.precision=float32", "run.log_every=2", "run.checkpoint_every=4",
)  # fmt: skip
QUICK = RefereeSettings(epochs=3, batch_size=16, device="cpu", precision="float32")


class Referee(Job):
    """The training of a referee."""

    name = "referee"

    def prepare(self, folder: Path) -> Path:
        """Pictures that show their labels."""
        write_pictures(folder / "data")
        return folder

    def work(self, prepared: Path, target: Path) -> None:
        """Train it anew: it takes seconds."""
        data = PreparedDataset.open(prepared / "data")
        train_referee(data, target, "residual", QUICK)

    def check(self, target: Path) -> None:
        """There is none, or all of it."""
        if target.exists():
            load_referee(target)

    def compare(self, whole: Path, target: Path) -> None:
        """The same files."""
        same(whole, target, sorted(path.name for path in whole.iterdir()))


class Evaluate(Job):
    """An evaluation, referees included."""

    name = "evaluate"

    def prepare(self, folder: Path) -> Path:
        """Data, a model, and referees."""
        write_pictures(folder / "data")
        data = PreparedDataset.open(folder / "data")
        save_tiny(folder / "model", data)
        for architecture in ARCHITECTURES:
            train_referee(data, folder / "referees" / architecture, architecture, QUICK)
        return folder

    def work(self, prepared: Path, target: Path) -> None:
        """Write the report, in place of an earlier one."""
        evaluate(
            prepared / "model", prepared / "data", target,
            referees=prepared / "referees", limit=8, device="cpu",
        )  # fmt: skip

    def check(self, target: Path) -> None:
        """A report never stands beside figures that are not its own."""
        if (target / "report.md").exists():
            assert _figures(target / "evaluation.json")
            assert list((target / "images").iterdir())

    def compare(self, whole: Path, target: Path) -> None:
        """The same figures; only the clock may differ."""
        first, second = (_figures(folder / "evaluation.json") for folder in (whole, target))
        assert first == second, "figures differ"
        same(whole / "images", target / "images", [p.name for p in (whole / "images").iterdir()])


class Study(Job):
    """A study that trains two models and measures them."""

    name = "study"

    def prepare(self, folder: Path) -> Path:
        """Data, and quick referees."""
        prepared = Evaluate().prepare(folder)
        encoder_errors.GENERATED_IMAGES = 64  # thousands would take the most of the time
        return prepared

    def work(self, prepared: Path, target: Path) -> None:
        """Begin, or go on from the models that are there."""
        reproduce(
            "ey-source", prepared / "data", target, scale="small", settings=STUDY, device="cpu",
            referees=prepared / "referees",
        )  # fmt: skip

    def check(self, target: Path) -> None:
        """Models that have an artefact have all of it."""
        for artefact in target.glob("runs/*/artefact"):
            load_artefact(artefact)

    def compare(self, whole: Path, target: Path) -> None:
        """The same figures, report and weights."""
        same(whole, target, ["ey-source.json", "ey-source.md"])
        for run in (whole / "runs").iterdir():
            artefact = Path("runs", run.name, "artefact")
            same_weights(whole / artefact, target / artefact)


class Export(Job):
    """An export to ONNX."""

    name = "export"

    def prepare(self, folder: Path) -> Path:
        """A model."""
        write_pictures(folder / "data")
        save_tiny(folder / "model", PreparedDataset.open(folder / "data"))
        return folder

    def work(self, prepared: Path, target: Path) -> None:
        """Write the folder, in place of an earlier one."""
        export_onnx(prepared / "model", target)

    def check(self, target: Path) -> None:
        """There is none, or all of it."""
        if target.exists():
            for name in ("encoder", "generator", "edit"):
                onnx.checker.check_model(target / f"{name}.onnx")

    def compare(self, whole: Path, target: Path) -> None:
        """The same files."""
        same(whole, target, ["config.json", "README.md", "export.json"])


MEASURING: tuple[Job, ...] = (Referee(), Evaluate(), Study(), Export())


def write_pictures(folder: Path) -> None:
    """Pictures of 16×16 whose ground and lower half show two attributes."""
    draws = np.random.default_rng(0)
    count = sum(PARTS.values())
    labels = draws.integers(0, 2, (count, 2), dtype=np.uint8)
    images = draws.integers(0, 40, (count, 16, 16, 1), dtype=np.uint8)
    images += np.uint8(90) * labels[:, :1, None, None]
    images[:, 8:] += np.uint8(90) * labels[:, 1:, None, None]
    write_arrays(folder, images, labels, AttributeSet(("Light", "Low")), PARTS, source="made up")


def save_tiny(folder: Path, data: PreparedDataset) -> None:
    """A model of these data that has learned nothing."""
    torch.manual_seed(0)
    config = ModelConfig(
        16, channels=1, attributes=data.attributes, z_dim=3,
        generator_width=4, encoder_width=2, encoder_layers=3, encoder_y_fc=8,
    )  # fmt: skip
    save_artefact(IcGANNetworks(config), folder, card="# Tiny\n")


def _figures(path: Path) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(path.read_text())
    del figures["seconds"]
    return figures
