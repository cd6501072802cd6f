"""The table of stages: a new one is a file that defines it, and a line that registers it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from icgan_sdk.artefacts.layout import weights_digest
from icgan_sdk.errors import CheckpointError, ConfigError
from icgan_sdk.train import read_metrics, run, saved_config
from icgan_sdk.training.checkpoint import Stateful
from icgan_sdk.training.context import STAGES, Context, Stage, register_stage
from icgan_sdk.training.generated import draw_generated, load_generator
from icgan_sdk.training.loop import run_stage
from icgan_sdk.training.optimisers import descend, make_adam
from icgan_sdk.training.recipe_files import override
from icgan_sdk.training.settings import OptimiserConfig
from icgan_sdk.training.stages import register
from icgan_sdk.training.train_config import OPTIONAL_SECTIONS, TrainConfig
from tests.training.conftest import KilledError, killed_at


@dataclass(frozen=True)
class GlowConfig(OptimiserConfig):
    """Stage `glow`: learns how bright generated images are.

    Attributes:
        offset: What is added to the brightness.
    """

    offset: float = 0.0


def train_glow(context: Context) -> None:
    settings = context.config.section("glow", GlowConfig)
    network = context.build("glow", lambda: nn.Linear(64, 1))
    optimiser, generator = make_adam(network, settings), load_generator(context)

    def step_function(step: int, rows: Tensor) -> dict[str, Tensor]:
        x, _, _ = draw_generated(generator, len(rows), context, context.draws("glow", step))
        brightness = x.mean((1, 2, 3)) + settings.offset
        loss = (network(x.flatten(1))[:, 0] - brightness).square().mean()
        descend(loss, network, optimiser, context.runtime)
        return {"glow": loss}

    parts: dict[str, Stateful] = {"network": network, "optimiser": optimiser}
    run_stage(context, "glow", settings, parts, step_function, lambda epoch: {})


GLOW = Stage(
    name="glow",
    seed=1000,
    run=train_glow,
    needs=lambda config: () if config.start else ("generated",),
    settings=GlowConfig,
    judge=lambda context, networks: {"glow_offset": 7.0},
)


@pytest.fixture(autouse=True)
def glow() -> Iterator[None]:
    register_stage(GLOW)
    yield
    del STAGES["glow"], OPTIONAL_SECTIONS["glow"]


@pytest.fixture
def glowing(config: TrainConfig) -> TrainConfig:
    return override(config, ["glow.epochs=1", "glow.batch_size=8", "glow.learning_rate=0.01"])


def state(folder: Path) -> dict[str, Tensor]:
    found = torch.load(folder / "checkpoints/glow.pt", weights_only=True)
    assert found["step"] == found["steps"] == 6
    return dict(found["network"])


def test_a_registered_stage_runs_and_is_resumed_bit_by_bit(
    glowing: TrainConfig, tmp_path: Path
) -> None:
    seen: list[str] = []
    artefact = run(glowing, tmp_path / "whole", watcher=lambda p: seen.append(p.stage))
    stages = list(dict.fromkeys(seen))
    assert stages == ["gan", "generated", "encoder_z", "encoder_y", "glow"]
    assert saved_config(tmp_path / "whole") == glowing
    assert "| glow_offset | 7 |" in (artefact / "README.md").read_text()
    records = [r for r in read_metrics(tmp_path / "whole") if r["stage"] == "glow"]
    assert [r["step"] for r in records] == [2, 4, 6]

    with pytest.raises(KilledError):
        run(glowing, tmp_path / "cut", watcher=killed_at("glow", 5))
    assert not (tmp_path / "cut/artefact").exists()
    run(glowing, tmp_path / "cut", mode="resume")
    whole, cut = state(tmp_path / "whole"), state(tmp_path / "cut")
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_an_optional_stage_runs_only_if_the_config_has_its_section(
    config: TrainConfig, glowing: TrainConfig, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with pytest.raises(ConfigError, match="no stage 'glow'"):
        run(config, folder, stages=["glow"])
    first = weights_digest(run(config, folder))
    assert not (folder / "checkpoints/glow.pt").exists()
    run(glowing, folder, stages=["glow"])  # added later to a finished run
    assert weights_digest(folder / "artefact") == first
    changed = override(glowing, ["glow.offset=1"])
    with pytest.raises(CheckpointError, match=r"glow\.offset"):
        run(changed, folder, mode="resume")
    before = state(folder)
    run(changed, folder, stages=["glow"], mode="restart")
    assert not torch.equal(before["bias"], state(folder)["bias"])
    run(config, folder, stages=["generated"], mode="restart")  # a stage it no longer wants
    assert not (folder / "checkpoints/glow.pt").exists()


def test_a_start_model_stands_in_for_the_stages_before(
    config: TrainConfig, glowing: TrainConfig, tmp_path: Path
) -> None:
    first = run(config, tmp_path / "first")
    started = TrainConfig.from_dict({**glowing.to_dict(), "start": str(first)})
    again = run(started, tmp_path / "second", stages=["glow"])
    assert weights_digest(first) == weights_digest(again)


def test_sections_of_registered_stages_are_checked(config: TrainConfig) -> None:
    with pytest.raises(ConfigError, match=r"glow\.epochs must be at least 1, not 0"):
        override(config, ["glow.epochs=0"])
    with pytest.raises(ConfigError, match=r"unknown key glow\.epoch; did you mean 'epochs'"):
        override(config, ["glow.epoch=1"])
    assert override(config, ["glow.offset=2"]).section("glow", GlowConfig).offset == 2


@pytest.mark.parametrize(("name", "seed"), [("gan", 1001), ("other", 3)])
def test_names_and_seeds_are_not_shared(name: str, seed: int) -> None:
    with pytest.raises(ConfigError, match="its name or its seed"):
        register_stage(Stage(name=name, seed=seed, run=train_glow))


def test_the_former_name_of_registering_still_works() -> None:
    with (
        pytest.warns(DeprecationWarning, match=r"icgan_sdk\.plugins\.register_stage"),
        pytest.raises(ConfigError, match="its name or its seed"),
    ):
        register(GLOW)


def test_stages_that_need_each_other_are_named(config: TrainConfig, tmp_path: Path) -> None:
    ring = [
        Stage("a", 1001, train_glow, needs=lambda config: ("b",)),
        Stage("b", 1002, train_glow, needs=lambda config: ("a",)),
    ]
    for stage in ring:
        register_stage(stage)
    try:
        with pytest.raises(ConfigError, match="stages a, b wait for one another"):
            run(config, tmp_path / "run")
    finally:
        for stage in ring:
            del STAGES[stage.name]


def test_seeds_of_released_stages_stay() -> None:
    seeds = {name: stage.seed for name, stage in STAGES.items() if name != "glow"}
    assert seeds == {"gan": 0, "generated": 1, "encoder_z": 2, "encoder_y": 3, "painter": 4}
