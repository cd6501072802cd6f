"""Joint training: its parts, its step, and whole runs."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from icgan_sdk.artefacts.layout import weights_digest
from icgan_sdk.artefacts.store import load_artefact
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.data import write_arrays
from icgan_sdk.errors import CheckpointError, ConfigError
from icgan_sdk.model import Critic, Encoder, Generator, IcGANNetworks, map_distance
from icgan_sdk.model.face_recognition import FaceVectors
from icgan_sdk.model.face_vectors import face_vectors
from icgan_sdk.train import fork, read_metrics, run
from icgan_sdk.training import joint as joint_stage
from icgan_sdk.training.augment import augment
from icgan_sdk.training.encoder_z_losses import EncoderBatch, encoder_z_losses
from icgan_sdk.training.joint import joint_step
from icgan_sdk.training.joint_losses import (
    JointBatch,
    JointNetworks,
    generator_losses,
    gradient_penalty,
)
from icgan_sdk.training.losses import distance_from_prior
from icgan_sdk.training.recipe_files import load_config, override
from icgan_sdk.training.rows import BalancedRows
from icgan_sdk.training.runtime import Runtime
from icgan_sdk.training.settings import EncoderZConfig, JointConfig, RunConfig
from icgan_sdk.training.train_config import TrainConfig
from tests.training.conftest import SECTIONS, KilledError, killed_at, write_bars

CPU = RunConfig(device="cpu", precision="float32")
TINY = ModelConfig(
    image_size=16,
    attributes=AttributeSet(("a", "b")),
    z_dim=3,
    generator_width=4,
    discriminator_width=4,
    encoder_width=2,
    encoder_y_fc=8,
)


@pytest.fixture(scope="module")
def joint(bars: Path) -> TrainConfig:
    config = TrainConfig.from_dict({"data": str(bars), **SECTIONS})
    wanted = ["gan.method=joint", "encoder_z.pixel_weight=2", "encoder_z.feature_weight=1"]
    return override(config, [*wanted, "encoder_z.prior_weight=1", "encoder_z.edit_weight=1"])


@pytest.fixture(scope="module")
def plain(joint: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Digest of the model that the settings above give."""
    return weights_digest(run(joint, tmp_path_factory.mktemp("plain") / "run"))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(side=st.sampled_from([8, 16, 32]), seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_augmented_images_are_moved_and_partly_covered(side: int, seed: int) -> None:
    images = torch.arange(1, side * side + 1).float().view(1, 1, side, side).repeat(3, 2, 1, 1)
    images[:, 1] *= -1
    seen = augment(images, seeded(seed))
    assert_close(seen[:, 0], -seen[:, 1])  # all channels alike
    for image in seen[:, 0]:
        rows, columns = image.nonzero(as_tuple=True)
        value = image[rows, columns].long() - 1
        moves = torch.stack([value // side - rows, value % side - columns])
        assert (moves == moves[:, :1]).all()
        assert moves.abs().max() <= side // 8
        # The cut square, and what moved out of the image.
        assert len(rows) >= side**2 - (side // 2) ** 2 - 2 * side * (side // 8)


def test_gradients_flow_through_augmentation() -> None:
    images = torch.randn(4, 3, 16, 16, requires_grad=True)
    seen = augment(images, seeded())
    (gradient,) = torch.autograd.grad(seen.sum(), images)
    assert int(gradient.sum()) == int((seen != 0).sum())
    assert (seen == 0).any()
    assert_close(seen, augment(images, seeded()))


def test_balanced_rows_show_rare_attributes() -> None:
    labels = -torch.ones(1000, 3)
    labels[:900, 0] = 1
    labels[990:, 1] = 1  # one in a hundred; the third is never there
    rows = BalancedRows(labels).half_of(torch.arange(1000), seeded())
    assert len(rows) == 1000
    assert 210 < int((labels[rows, 1] > 0).sum()) < 300
    assert len(set(rows.tolist()) & set(range(500))) == 500


def test_distance_from_prior_sees_mean_spread_and_correlation() -> None:
    z = torch.randn(256, 8, generator=seeded())
    distances = {
        name: float(distance_from_prior(codes, seeded(1)))
        for name, codes in {
            "prior": z,
            "shifted": z + 0.5,
            "narrow": 0.5 * z,
            "wide": 2 * z,
            "correlated": z[:, :1].expand(-1, 8),
        }.items()
    }
    assert distances["prior"] < 0.02
    assert all(d > 0.1 for name, d in distances.items() if name != "prior"), distances


@pytest.mark.parametrize("size", [8, 32, 64])
def test_critic_shapes_and_normalised_weights(size: int) -> None:
    config = ModelConfig(
        image_size=size, attributes=AttributeSet(("a", "b")), discriminator_width=4
    )
    torch.manual_seed(0)
    critic = Critic(config)
    x, y = torch.randn(5, 3, size, size), torch.ones(5, 2)
    for _ in range(200):  # each pass makes the estimate of the spectral norm better
        h = critic.embed(x)
    assert critic.score(h, y).shape == (5,)
    assert critic.read(h).shape == (5, 2)
    assert [m.shape[-1] for m in critic.maps(x)] == [
        size >> n for n in range(1, len(critic.blocks) + 1)
    ]
    for block in critic.blocks:
        weight = block.get_submodule("0").weight.flatten(1)  # type: ignore[operator]
        assert float(torch.linalg.matrix_norm(weight.detach(), ord=2)) < 1.1
    assert_close(critic.score(h, y) - critic.score(h, -y), 2 * (h * critic.matching(y)).sum(1))


def test_map_distance_is_relative_and_one_sided() -> None:
    a, b = torch.rand(2, 3, 4, 4, requires_grad=True), torch.rand(2, 3, 4, 4, requires_grad=True)
    assert map_distance([a], [a]).item() == 0
    assert_close(map_distance([a], [b]), map_distance([7 * a], [7 * b]))
    torch.autograd.backward(map_distance([a], [b]))
    assert a.grad is not None
    assert b.grad is None


def tiny_networks(faces: FaceVectors | None = None) -> JointNetworks:
    torch.manual_seed(0)
    return JointNetworks(
        Generator(TINY),
        Encoder(TINY, 3, 8),
        Critic(TINY),
        Encoder(TINY, 2, 8).eval().requires_grad_(False),
        faces,
    )


def tiny_batch() -> JointBatch:
    y = torch.tensor([[1.0, -1], [-1, 1], [1, 1], [-1, -1]] * 2)
    # What there is to see of y: bright or dim on the left, on the right.
    x = 0.8 * y[:, None, None].repeat(1, 3, 16, 1).repeat_interleave(8, dim=3)
    return JointBatch(
        x, y, -y, torch.randn(3, 3), y[:3], -y[:3], torch.ones(3, 2).bool(), torch.ones(3).bool()
    )


def tiny_step(
    weights: JointConfig, steps: int = 1, faces: FaceVectors | None = None
) -> tuple[JointNetworks, list[dict[str, float]]]:
    networks = tiny_networks(faces)
    trained = [*networks.generator.parameters(), *networks.encoder_z.parameters()]
    optimiser = torch.optim.Adam(trained, 1e-3)
    optimiser_critic = torch.optim.Adam(networks.critic.parameters(), 2e-3)
    batch = tiny_batch()
    records = []
    for step in range(steps):
        losses = joint_step(
            networks, optimiser, optimiser_critic, batch, weights, Runtime(CPU), seeded(step)
        )
        records.append({name: float(loss) for name, loss in losses.items()})
    return networks, records


def test_a_step_trains_three_networks_and_leaves_e_y() -> None:
    before, _ = tiny_step(JointConfig(), steps=0)
    after, (losses,) = tiny_step(JointConfig())
    for name in ("generator", "encoder_z", "critic", "encoder_y"):
        old, new = getattr(before, name).parameters(), getattr(after, name).parameters()
        moved = any(not torch.equal(a, b) for a, b in zip(old, new, strict=True))
        assert moved == (name != "encoder_y")
    assert set(losses) == {"critic", "critic_y", "g", "g_y", "feature", "pixel", "z", "prior"}
    assert 0 < losses["critic"] < 5
    assert all(p.requires_grad for p in after.critic.parameters())


def test_the_penalty_is_the_squared_slope_of_the_scores() -> None:
    torch.manual_seed(0)
    critic = Critic(replace(TINY, image_size=8, channels=1)).eval()
    x, y = torch.randn(3, 1, 8, 8), torch.randn(3, 2).sign()
    with torch.autocast("cpu", torch.bfloat16):
        penalty = gradient_penalty(critic, x, y)
    step = 0.01 * torch.eye(64).view(64, 1, 1, 8, 8)
    with torch.no_grad():
        ends = [
            critic.score(critic.embed((x + sign * step).flatten(0, 1)), y.repeat(64, 1))
            for sign in (1, -1)
        ]
    slopes = ((ends[0] - ends[1]) / 0.02).view(64, 3)
    assert_close(penalty, slopes.square().sum(0).mean() / 2, rtol=0.02, atol=0)
    torch.autograd.backward(penalty)
    assert all(p.grad is not None for p in critic.blocks.parameters())


def test_joint_training_learns_to_rebuild_and_to_edit() -> None:
    _, records = tiny_step(JointConfig(), steps=150)
    assert records[-1]["critic_y"] < 0.2 * records[0]["critic_y"]
    # Eight images make it swing: the best of the last steps tells whether it learns at all.
    assert min(r["g_y"] for r in records[-30:]) < 0.5 * records[0]["g_y"]
    assert records[-1]["pixel"] < 0.5 * records[0]["pixel"]
    assert records[-1]["z"] < records[0]["z"]


def test_joint_training_learns_to_keep_the_person() -> None:
    faces = face_vectors(replace(TINY, crop=CELEBA_CROP))
    _, records = tiny_step(JointConfig(identity_weight=30), 8, faces)
    assert records[-1]["identity"] < 0.95 * records[0]["identity"]
    plain, weighted = (tiny_step(JointConfig(identity_weight=w), 1, faces)[0] for w in (0, 30))
    for name in ("generator", "encoder_z"):
        old, new = (getattr(networks, name).parameters() for networks in (plain, weighted))
        assert any(not torch.equal(a, b) for a, b in zip(old, new, strict=True))


def test_a_joint_run(joint: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="gan builds on stage encoder_y"):
        run(joint, tmp_path / "parts", stages=["gan"])
    seen: list[str] = []
    artefact = run(joint, tmp_path / "run", watcher=lambda p: seen.append(p.stage))
    assert list(dict.fromkeys(seen)) == ["encoder_y", "gan", "generated", "encoder_z"]
    for stage in ("encoder_y", "gan", "generated", "encoder_z"):
        run(joint, tmp_path / "parts", stages=[stage])
    assert weights_digest(artefact) == weights_digest(tmp_path / "parts/artefact")
    networks = load_artefact(artefact)
    z, y = networks.encode(torch.zeros(2, 1, 8, 8))
    assert networks.decode(z, y).isfinite().all()


def test_a_joint_run_is_resumed_bit_by_bit(joint: TrainConfig, plain: str, tmp_path: Path) -> None:
    for stage in ("gan", "encoder_z"):
        mode = "new" if stage == "gan" else "resume"
        with pytest.raises(KilledError):
            run(joint, tmp_path / "cut", watcher=killed_at(stage, 5), mode=mode)  # type: ignore[arg-type]
    assert weights_digest(run(joint, tmp_path / "cut", mode="resume")) == plain


@pytest.mark.parametrize(
    ("setting", "loss"),
    [
        ("attribute_weight", "g_y"),
        ("pixel_weight", "pixel"),
        ("feature_weight", "feature"),
        ("identity_weight", "identity"),
        ("z_weight", "z"),
    ],
)
def test_each_weight_of_joint_training_weighs_its_loss(setting: str, loss: str) -> None:
    networks, batch = tiny_networks(face_vectors(replace(TINY, crop=CELEBA_CROP))), tiny_batch()
    z = networks.encoder_z(batch.x)
    fake = networks.generator(z, batch.y)

    def losses(weight: float) -> dict[str, torch.Tensor]:
        weights = replace(JointConfig(), **{setting: weight})  # type: ignore[arg-type]
        networks.critic.load_state_dict(critic)
        return generator_losses(
            networks, batch, fake, batch.y, z, weights, seeded(), edited_weight=5.0
        )

    critic = {name: value.clone() for name, value in networks.critic.state_dict().items()}
    light, heavy = losses(1.0), losses(3.0)
    assert light[loss] > 0
    assert_close(heavy["total"] - light["total"], 2 * light[loss], rtol=1e-3, atol=1e-4)
    assert_close(heavy[loss], light[loss])


@pytest.mark.parametrize(
    ("setting", "loss"),
    [
        ("pixel_weight", "pixel"),
        ("feature_weight", "feature"),
        ("identity_weight", "identity"),
        ("edit_weight", "edit"),
        ("prior_weight", "prior"),
    ],
)
def test_each_weight_of_e_z_weighs_its_loss(setting: str, loss: str) -> None:
    torch.manual_seed(0)
    networks, critic = IcGANNetworks(TINY).eval(), Critic(TINY).eval()
    faces = face_vectors(replace(TINY, crop=CELEBA_CROP))
    joint = tiny_batch()
    z = torch.randn(len(joint.y), 3)
    batch = EncoderBatch(
        networks.decode(z, joint.y).detach(), z, joint.y, joint.x, joint.y, -joint.y,
        torch.ones(8, 2).bool(),
    )  # fmt: skip
    ones = EncoderZConfig(
        pixel_weight=1.0, feature_weight=1.0, identity_weight=1.0, edit_weight=1.0, prior_weight=1.0
    )
    more = replace(ones, **{setting: 3.0})  # type: ignore[arg-type]
    light, heavy = (
        encoder_z_losses(networks, batch, of, draws=seeded(), critic=critic, faces=faces)
        for of in (ones, more)
    )
    assert light[loss] > 0
    assert_close(heavy["total"] - light["total"], 2 * light[loss], rtol=1e-3, atol=1e-4)


def test_edited_values_weigh_more_in_the_attribute_loss() -> None:
    networks, batch = tiny_networks(), tiny_batch()
    untouched = batch._replace(touched=torch.zeros(3, 2).bool())
    z = networks.encoder_z(batch.x)
    y = torch.cat([batch.y_sampled, batch.y_edited, batch.y[:2]])
    fake = networks.generator(z, y)

    def read(of: JointBatch, weight: float) -> float:
        losses = generator_losses(networks, of, fake, y, z, JointConfig(), seeded(), weight)
        return float(losses["g_y"].detach())

    networks.critic.eval()
    assert read(untouched, 5.0) == read(untouched, 1.0) == read(batch, 1.0) < read(batch, 5.0)


def test_the_critic_sees_augmented_images() -> None:
    plain, augmented = (tiny_step(JointConfig(augment=on))[1][0]["critic"] for on in (False, True))
    assert plain != augmented


def test_in_the_warmup_only_the_critic_learns(joint: TrainConfig, tmp_path: Path) -> None:
    run(
        override(joint, ["joint.warmup=3", "run.log_every=1"]),
        tmp_path,
        stages=["encoder_y", "gan"],
    )
    records = [r for r in read_metrics(tmp_path) if r["stage"] == "gan" and "critic" in r]
    assert [r["step"] for r in records if "g" not in r] == [1, 2, 3]
    assert [r["step"] for r in records if "g" in r] == list(range(4, 13))


def test_fixed_norm_keeps_the_statistics_of_joint_training(
    joint: TrainConfig, tmp_path: Path
) -> None:
    run(override(joint, ["encoder_z.fixed_norm=true"]), tmp_path)
    gan, inverted = (
        torch.load(tmp_path / "checkpoints" / f"{stage}.pt", weights_only=True)[part]
        for stage, part in (("gan", "average_encoder"), ("encoder_z", "encoder"))
    )
    same = {name.split(".")[-1] for name in gan if torch.equal(gan[name], inverted[name])}
    assert same == {"running_mean", "running_var", "num_batches_tracked"}


def test_whitening_changes_what_is_drawn_and_nothing_else(
    joint: TrainConfig, tmp_path: Path
) -> None:
    plain, white = (
        load_artefact(run(override(joint, [f"encoder_z.whiten={on}"]), tmp_path / on))
        for on in ("false", "true")
    )
    x = torch.rand(8, 1, 8, 8, generator=seeded()) * 2 - 1
    (z, y), (z_white, _) = plain.encode(x), white.encode(x)
    assert_close(white.decode(z_white, y), plain.decode(z, y), rtol=0, atol=0.02)  # rounded weights
    assert not torch.allclose(z, z_white, atol=0.05)
    drawn = torch.randn(8, 3, generator=seeded())
    assert not torch.allclose(white.decode(drawn, y), plain.decode(drawn, y), atol=0.05)
    cards = [(tmp_path / on / "artefact/README.md").read_text("utf-8") for on in ("false", "true")]
    figures = [re.findall(r"generated_z \| ([\d.]+)", card) for card in cards]
    assert [len(found) for found in figures] == [1, 1]
    assert figures[0] != figures[1]


def test_joint_training_goes_on_with_the_statistics_of_its_start(
    joint: TrainConfig, tmp_path: Path
) -> None:
    run(joint, tmp_path / "run")
    start = tmp_path / "run/artefact"
    more = TrainConfig.from_dict({**joint.to_dict(), "start": str(start)})
    fixed = ["joint.fixed_norm=true", "joint.warmup=2", "encoder_z.fixed_norm=true"]
    run(override(more, fixed), tmp_path / "more")
    before, after = (load_artefact(folder) for folder in (start, tmp_path / "more/artefact"))
    for name in ("generator", "encoder_z"):
        old, new = (getattr(networks, name).state_dict() for networks in (before, after))
        same = {key.split(".")[-1] for key in old if torch.equal(old[key], new[key])}
        assert same == {"running_mean", "running_var", "num_batches_tracked"}


@pytest.fixture
def with_faces(joint: TrainConfig, tmp_path: Path) -> TrainConfig:
    """A short run on a few pictures of aligned faces' size, which is told of faces everywhere."""
    draws = np.random.default_rng(0)
    images = draws.integers(0, 255, (20, 16, 16, 3), np.uint8)
    labels = draws.integers(0, 2, (20, 2), np.uint8)
    attributes = AttributeSet(("Male", "Smiling"))
    data = tmp_path / "faces"
    write_arrays(data, images, labels, attributes, {"train": 20}, crop=CELEBA_CROP)
    return override(
        TrainConfig.from_dict({**joint.to_dict(), "data": str(data)}),
        [
            "joint.identity_weight=30",
            "encoder_z.identity_weight=30",
            "model.encoder_z_faces=true",
            "gan.epochs=1",
            "encoder_z.epochs=1",
        ],
    )


def test_a_run_that_keeps_the_person_is_resumed_bit_by_bit(
    with_faces: TrainConfig, tmp_path: Path
) -> None:
    whole = run(with_faces, tmp_path / "whole")
    with pytest.raises(KilledError):
        run(with_faces, tmp_path / "cut", watcher=killed_at("gan", 2))
    assert weights_digest(run(with_faces, tmp_path / "cut", mode="resume")) == weights_digest(whole)


def test_the_penalty_is_taken_lazily(
    joint: TrainConfig, plain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    penalised = override(joint, ["joint.r1_weight=10", "run.log_every=1"])
    monkeypatch.setattr(joint_stage, "R1_EVERY", 5)
    assert weights_digest(run(penalised, tmp_path / "run")) != plain
    lines = (tmp_path / "run/metrics.jsonl").read_text().splitlines()
    records = [r for r in map(json.loads, lines) if r["stage"] == "gan" and "critic" in r]
    assert [r["step"] for r in records if "r1" in r] == [5, 10]
    assert all(r["r1"] > 0 for r in records if "r1" in r)


def test_fork_keeps_the_e_y_it_was_trained_with(joint: TrainConfig, tmp_path: Path) -> None:
    run(joint, tmp_path / "run")
    fork(tmp_path / "run", tmp_path / "more", override(joint, ["encoder_z.epochs=1"]))
    assert (tmp_path / "more/checkpoints/encoder_y.pt").exists()
    with pytest.raises(CheckpointError, match=r"encoder_y\.epochs"):
        fork(tmp_path / "run", tmp_path / "other", override(joint, ["encoder_y.epochs=1"]))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.encoder_design=sng", 'the encoder design "ind"'),
        ("model.noise=uniform", "need normal noise"),
        (
            "encoder_z.whiten=true model.noise=uniform gan.method=matching "
            "encoder_z.feature_weight=0 encoder_z.prior_weight=0",
            "whiten needs normal noise",
        ),
        ("encoder_y.source=generated", 'encoder_y.source "real"'),
        ("gan.method=matching", "needs the critic"),
        ("encoder_z.fixed_norm=true gan.method=matching encoder_z.feature_weight=0", "fixed_norm"),
        ("joint.fixed_norm=true", "joint.fixed_norm needs a trained model"),
        ("joint.augment=1", "joint.augment must be bool"),
        ("joint.z_weight=-1", "joint.z_weight must not be negative"),
        ("joint.identity_weight=1", "joint.identity_weight needs colour pictures of aligned faces"),
        ("encoder_z.identity_weight=1", "encoder_z.identity_weight needs colour pictures"),
        ("model.encoder_z_faces=true", "encoder_z_faces needs colour pictures of aligned faces"),
    ],
)
def test_what_does_not_fit_is_refused(
    joint: TrainConfig, tmp_path: Path, setting: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run(override(joint, setting.split()), tmp_path / "run")


def test_joint_training_needs_attributes(joint: TrainConfig, tmp_path: Path) -> None:
    data = write_bars(tmp_path / "data", AttributeSet())
    without = TrainConfig.from_dict({**joint.to_dict(), "data": str(data)})
    with pytest.raises(ConfigError, match="needs attributes"):
        run(without, tmp_path / "run")


def test_the_recipe_keeps_the_papers_networks() -> None:
    recipe = load_config("celeba")
    assert dict(recipe.model) == {}
    assert recipe.gan.method == "joint"
