"""Runs that begin with the networks of a finished model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from icgan_sdk.artefacts.store import load_artefact, save_artefact
from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.data import write_arrays
from icgan_sdk.errors import CheckpointError, ConfigError, ModelNotFoundError
from icgan_sdk.model import Discriminator
from icgan_sdk.train import read_metrics, run
from icgan_sdk.training.checkpoint import load_checkpoint
from icgan_sdk.training.recipe_files import override
from icgan_sdk.training.train_config import TrainConfig
from tests.conftest import save_tiny

STILL = tuple(f"{stage}.learning_rate=0" for stage in ("gan", "encoder_z", "encoder_y"))


def weights(artefact: Path) -> dict[str, Tensor]:
    return dict(load_artefact(artefact).named_parameters())


def equal_parts(a: Path, b: Path) -> set[str]:
    """The networks whose weights two models share."""
    first, second = weights(a), weights(b)
    parts = {name.split(".")[0] for name in first}
    different = {n.split(".")[0] for n in first if not torch.equal(first[n], second[n])}
    return parts - different


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("model.encoder_design=sng",),
        ("model.encoder_design=ind_cond",),
        ("gan.method=joint",),
    ],
)
def test_every_network_begins_with_the_models_weights(
    config: TrainConfig, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    config = override(config, settings)
    first = run(config, tmp_path / "first")
    still = override(config, [*STILL, "run.seed=1"])
    at_random = run(still, tmp_path / "random")
    assert equal_parts(first, at_random) == set()
    started = TrainConfig.from_dict({**still.to_dict(), "start": str(first)})
    second = run(started, tmp_path / "second")
    assert equal_parts(first, second) == {name.split(".")[0] for name in weights(first)}


def test_a_discriminator_is_taken_over(config: TrainConfig, tmp_path: Path) -> None:
    networks = load_artefact(run(config, tmp_path / "first"))
    networks.discriminator = Discriminator(networks.config)
    save_artefact(networks, tmp_path / "whole", card="# Whole\n")
    still = override(config, STILL)
    run(
        TrainConfig.from_dict({**still.to_dict(), "start": str(tmp_path / "whole")}),
        tmp_path / "second",
        stages=["gan"],
    )
    D = Discriminator(networks.config)
    load_checkpoint(tmp_path / "second/checkpoints/gan.pt", {"D": D})
    for ours, theirs in zip(D.parameters(), networks.discriminator.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_critic_learns_alone_at_first(config: TrainConfig, tmp_path: Path) -> None:
    config = override(config, ["gan.method=joint", "encoder_z.learning_rate=0"])
    first = run(config, tmp_path / "first")
    plain = {**config.to_dict(), "start": str(first)}
    steps = config.gan.epochs * 48 // config.gan.batch_size
    for warmup, kept in ((steps, {"generator", "encoder_z"}), (steps - 1, set[str]())):
        warm = override(TrainConfig.from_dict(plain), [f"joint.warmup={warmup}"])
        second = run(warm, tmp_path / f"warm{warmup}")
        assert equal_parts(first, second) == kept


@pytest.mark.parametrize("method", ["matching", "joint"])
def test_what_is_not_trained_is_taken_over(
    config: TrainConfig, tmp_path: Path, method: str
) -> None:
    config = override(config, [f"gan.method={method}"])
    first = run(config, tmp_path / "first")
    started = TrainConfig.from_dict({**config.to_dict(), "start": str(first)})
    with pytest.raises(CheckpointError, match="encoder_z builds on stage generated"):
        run(started, tmp_path / "second", stages=["encoder_z"])
    whole = tmp_path / "second/artefact"
    assert not whole.exists()
    run(started, tmp_path / "second", stages=["generated", "encoder_z"])
    assert equal_parts(first, whole) == {"generator", "encoder_y"}
    # Another stage later makes another model.
    run(started, tmp_path / "second", stages=["encoder_y"])
    assert equal_parts(first, whole) == {"generator"}


def test_e_z_needs_no_real_images_after_a_start(config: TrainConfig, tmp_path: Path) -> None:
    config = override(config, ["run.precision=bfloat16"])  # whose convolutions take no empty batch
    first = run(config, tmp_path / "first")
    started = TrainConfig.from_dict({**config.to_dict(), "start": str(first)})
    second = run(started, tmp_path / "second", stages=["generated", "encoder_z"])
    assert equal_parts(first, second) == {"generator", "encoder_y"}


def test_edits_are_read_by_the_e_y_of_the_start(config: TrainConfig, tmp_path: Path) -> None:
    first = run(config, tmp_path / "first")
    plain = TrainConfig.from_dict({**config.to_dict(), "start": str(first)})
    for weight in (0, 1):
        edits = override(plain, [f"encoder_z.edit_weight={weight}"])
        run(edits, tmp_path / f"edits{weight}", stages=["generated", "encoder_z"])
    a, b = (tmp_path / f"edits{weight}/artefact" for weight in (0, 1))
    assert equal_parts(a, b) == {"generator", "encoder_y"}
    records = read_metrics(tmp_path / "edits1")
    assert any("edit" in record for record in records)


def test_what_has_nobody_to_read_it_is_refused(config: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs an E_y to read edits"):
        run(override(config, ["encoder_z.edit_weight=1"]), tmp_path / "run")
    joint = override(config, ["gan.method=joint", "encoder_z.feature_weight=1"])
    first = run(joint, tmp_path / "first")
    started = TrainConfig.from_dict({**joint.to_dict(), "start": str(first)})
    with pytest.raises(ConfigError, match="needs a critic"):
        run(started, tmp_path / "run", stages=["generated", "encoder_z"])


def test_a_run_goes_on_only_from_where_it_began(config: TrainConfig, tmp_path: Path) -> None:
    first = run(config, tmp_path / "first")
    started = TrainConfig.from_dict({**config.to_dict(), "start": str(first)})
    run(started, tmp_path / "run", stages=["gan"])
    with pytest.raises(CheckpointError, match=r"was started from .*first.*, not from random"):
        run(config, tmp_path / "run", mode="resume")
    run(started, tmp_path / "run", mode="resume")


def test_models_that_do_not_fit_are_refused(config: TrainConfig, tmp_path: Path) -> None:
    wider = run(override(config, ["model.generator_width=8"]), tmp_path / "wider")
    assert config.model["generator_width"] != 8
    for start, error, message in (
        (str(wider), ConfigError, r"not built as those of .*wider.*: generator_width differ"),
        ("mnist", ConfigError, "not built as those of mnist: .*attributes"),
        (str(tmp_path / "nowhere"), ModelNotFoundError, "no such model folder"),
    ):
        with pytest.raises(error, match=message):
            run(TrainConfig.from_dict({**config.to_dict(), "start": start}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_model_that_sees_faces_needs_its_crop(tiny_config: ModelConfig, tmp_path: Path) -> None:
    faces = replace(tiny_config, crop=CELEBA_CROP, encoder_z_faces=True)
    start = save_tiny(faces, tmp_path / "faces")
    images = np.zeros((4, 16, 16, 3), np.uint8)
    labels = np.eye(4, faces.n_attributes, dtype=np.uint8)
    data = tmp_path / "data"
    write_arrays(data, images, labels, faces.attributes, {"train": 4})
    config = TrainConfig.from_dict({"data": str(data), "start": str(start)})
    with pytest.raises(ConfigError, match=r"crop, encoder_z_faces differ; prepare the data"):
        run(config, tmp_path / "run")


def test_sizes_are_those_of_the_model_it_starts_from(config: TrainConfig, tmp_path: Path) -> None:
    wider = run(override(config, ["model.generator_width=8"]), tmp_path / "wider")
    unsaid = {k: v for k, v in config.model.items() if k == "encoder_width"}
    started = TrainConfig.from_dict({**config.to_dict(), "model": unsaid, "start": str(wider)})
    model = load_artefact(run(started, tmp_path / "run", stages=["gan", "generated", "encoder_z"]))
    assert model.config == load_artefact(wider).config
