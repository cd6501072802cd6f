"""The parts of training: epochs, moved images, averages, schedules, records, devices."""

import json
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import LabelSampler, PreparedDataset
from icgan_sdk.errors import ConfigError
from icgan_sdk.model import Generator, draw_noise
from icgan_sdk.training.context import STAGES, Context
from icgan_sdk.training.generated import BATCH_NORM_BATCHES, draw_generated, refresh_batch_norm
from icgan_sdk.training.logging import StageLog, read_metrics
from icgan_sdk.training.optimisers import MovingAverage, make_adam, set_learning_rate
from icgan_sdk.training.rows import Epochs, chunks, draw_images, move
from icgan_sdk.training.runtime import Runtime, _allow_tf32
from icgan_sdk.training.settings import GANConfig, OptimiserConfig, RunConfig
from icgan_sdk.training.train_config import TrainConfig

CPU = RunConfig(device="cpu", precision="float32")


@given(rows=st.integers(1, 200), batch=st.integers(1, 20), world=st.integers(1, 4))
@settings(deadline=None)
def test_epochs_share_out_every_row_once(rows: int, batch: int, world: int) -> None:
    config = OptimiserConfig(epochs=2, batch_size=batch)
    shares = []
    for rank in range(world):
        runtime = Runtime(CPU)
        runtime.rank, runtime.world_size = rank, world
        if rows < batch * world:
            with pytest.raises(ConfigError, match="batch_size lower"):
                Epochs(rows, config, runtime, "gan", 0)
            return
        epochs = Epochs(rows, config, runtime, "gan", 0)
        per_epoch = epochs.steps // 2
        shares.append([epochs.batch(s).tolist() for s in range(1, per_epoch + 1)])
        assert epochs.epoch(per_epoch) == 1
        assert epochs.epoch(per_epoch + 1) == 2
        assert epochs.ends_epoch(per_epoch)
    seen = [row for share in shares for b in share for row in b]
    assert len(seen) == len(set(seen)) == rows // (batch * world) * batch * world


def test_epochs_differ_and_repeat_with_the_seed() -> None:
    config = OptimiserConfig(epochs=2, batch_size=50)
    a, b = (Epochs(50, config, Runtime(CPU), "gan", 0) for _ in range(2))
    assert torch.equal(a.batch(1), b.batch(1))
    assert not torch.equal(a.batch(1), a.batch(2))
    assert torch.equal(b.batch(2), a.batch(2)), "a resumed run asks for later steps first"


def test_every_step_has_draws_of_its_own() -> None:
    runtime = Runtime(CPU)
    draws = {
        float(torch.rand((), generator=runtime.generator(stage.seed, step, rank)))
        for stage in STAGES.values()
        for step in range(5)
        for rank in (0, 1)
    }
    assert len(draws) == len(STAGES) * 5 * 2


def test_move_takes_pixels_from_the_neighbourhood() -> None:
    images = torch.arange(2 * 1 * 6 * 6, dtype=torch.float32).view(2, 1, 6, 6)
    moved = move(images, 2, torch.Generator().manual_seed(3))
    for image, result in zip(images, moved, strict=True):
        shifts = [
            (dy, dx)
            for dy in range(-2, 3)
            for dx in range(-2, 3)
            if torch.equal(
                result[0, 2:4, 2:4],
                image[0, 2 + dy : 4 + dy, 2 + dx : 4 + dx],
            )
        ]
        assert len(shifts) == 1
    flat = move(torch.full((3, 2, 4, 4), 0.5), 2, torch.Generator())
    assert_close(flat, torch.full((3, 2, 4, 4), 0.5))


@given(total=st.integers(1, 5000), size=st.sampled_from([8, 32, 256, 1024]))
def test_chunks_cover_all_rows_once(total: int, size: int) -> None:
    slices = list(chunks(total, size))
    assert [row for at in slices for row in range(total)[at]] == list(range(total))
    assert all((at.stop - at.start) * size**2 <= 2**20 for at in slices)


def test_flip_mirrors_about_half(bars: Path) -> None:
    data = PreparedDataset.open(bars, "train")
    rows = torch.arange(48)
    plain = data.images(rows)
    drawn = draw_images(data, rows, flip=True, shift=0, generator=torch.Generator().manual_seed(0))
    same = (drawn == plain).all((1, 2, 3))
    mirrored = (drawn == plain.flip(-1)).all((1, 2, 3))
    assert bool((same | mirrored).all())
    assert 10 < int(same.sum()) < 38


def test_images_kept_on_a_device_are_drawn_alike(bars: Path) -> None:
    data = PreparedDataset.open(bars, "train")
    kept = data.on_device(torch.device("cpu"))
    rows = torch.randperm(len(data))[:24]
    for part in (data, kept):
        assert len(part) == len(data)
        assert part.n_bytes == data.n_bytes
    drawn = [
        draw_images(d, rows, flip=True, shift=2, generator=torch.Generator().manual_seed(0))
        for d in (data, kept)
    ]
    assert torch.equal(*drawn)
    assert torch.equal(data.labels(rows), kept.labels(rows))


def test_tf32_is_a_choice() -> None:
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    try:
        for allowed in (True, False):
            _allow_tf32(allowed)
            assert torch.backends.cudnn.allow_tf32 is allowed
            assert (torch.get_float32_matmul_precision() == "high") is allowed
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


def test_noise() -> None:
    models = (ModelConfig(z_dim=10), ModelConfig(z_dim=10, noise="uniform"))
    normal, uniform = (draw_noise(1000, m, torch.Generator().manual_seed(0)) for m in models)
    assert float(normal.std()) == pytest.approx(1, abs=0.05)
    assert float(uniform.std()) == pytest.approx(1 / math.sqrt(3), abs=0.02)
    assert uniform.abs().max() <= 1


def test_moving_average_warms_up_and_copies_buffers() -> None:
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    (weight, _, _) = network.parameters()
    average = MovingAverage(network, 0.5)

    def averaged(average: MovingAverage) -> float:
        return float(average.network.state_dict()["0.weight"])

    start = float(weight.detach())
    with torch.no_grad():
        weight.add_(1)
        network.get_buffer("1.running_mean").fill_(7)
    average.update(network, 1)  # decay min(0.5, 2/11)
    assert averaged(average) == pytest.approx(start + 1 - 2 / 11)
    assert float(average.network.get_buffer("1.running_mean")) == 7
    average.update(network, 10**6)
    assert averaged(average) == pytest.approx(start + 1 - 1 / 11)
    plain = MovingAverage(network, 0)
    with torch.no_grad():
        weight.add_(1)
    plain.update(network, 10**6)
    assert averaged(plain) == pytest.approx(start + 2)


@pytest.mark.parametrize(
    ("schedule", "rates"), [("constant", [1, 1, 1, 1]), ("cosine", [1, 0.853553, 0.5, 0.146447])]
)
def test_schedules(schedule: str, rates: list[float]) -> None:
    config = GANConfig(learning_rate=2e-4, schedule=schedule)  # type: ignore[arg-type]
    optimiser = make_adam(nn.Linear(1, 1), config)
    for step, rate in enumerate(rates, start=1):
        set_learning_rate(optimiser, config, step, 4)
        assert optimiser.param_groups[0]["lr"] == pytest.approx(2e-4 * rate, rel=1e-5)


def test_batch_norm_refresh_gives_plain_means(config: TrainConfig, bars: Path) -> None:
    data = PreparedDataset.open(bars)
    train = data.part("train")
    labels = LabelSampler(train.all_labels(), data.attributes)
    model, runtime = config.model_config(data), Runtime(config.run)
    context = Context(bars, config, model, data, train, labels, runtime)
    generator = Generator(context.model)
    norm = generator.get_submodule("hidden.0.1")
    assert isinstance(norm, nn.BatchNorm2d)
    seen: list[torch.Tensor] = []

    def watch(_: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        seen.append(inputs[0].mean((0, 2, 3)))

    handle = norm.register_forward_pre_hook(watch)
    norm.get_buffer("running_mean").fill_(99.0)
    refresh_batch_norm(generator, context)
    handle.remove()
    assert len(seen) == BATCH_NORM_BATCHES
    assert_close(norm.running_mean, torch.stack(seen).mean(0), rtol=1e-4, atol=1e-6)
    assert norm.momentum == 0.1
    x, z, y = draw_generated(generator, 5, context, torch.Generator().manual_seed(0))
    assert (x.shape, z.shape, y.shape) == ((5, 1, 8, 8), (5, 3), (5, 3))


def make_log(folder: Path, start: int) -> StageLog:
    return StageLog(
        folder,
        "gan",
        start=start,
        steps=6,
        every=2,
        images_per_step=8,
        runtime=Runtime(CPU),
        watcher=None,
        tensorboard=False,
    )


def test_log_averages_and_is_cut_back_on_resuming(tmp_path: Path) -> None:
    log = make_log(tmp_path, 0)
    for step in range(1, 5):
        log.step(step, 1, {"d": torch.tensor(float(step))})
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"stage": "gan"}\n{"stage": 1, "step": 3}\n[]\n')
        file.write('{"stage": "gan", "step": 5, "hal')  # as a kill leaves it
    with (tmp_path / "metrics.jsonl").open("ab") as binary:
        binary.write(b'\n\xff{"stage": "gan", "step": 6}\n')  # as a disk leaves it
    assert [r["d"] for r in read_metrics(tmp_path)] == [1.5, 3.5]
    make_log(tmp_path, 2)
    assert [r["step"] for r in read_metrics(tmp_path)] == [2]
    for line in (tmp_path / "metrics.jsonl").read_text().splitlines():
        json.loads(line)


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "tpu", ""])
def test_unknown_devices(name: str) -> None:
    with pytest.raises(ConfigError, match="device"):
        Runtime(RunConfig(device=name))


def test_precision_is_float32_where_asked() -> None:
    assert not Runtime(CPU).bfloat16
    assert Runtime(RunConfig(device="cpu", precision="bfloat16")).bfloat16


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_refining_on_cuda_gives_the_same_every_time() -> None:
    from icgan_sdk import IcGAN

    model = IcGAN.from_pretrained("celeba", device="cpu")
    picture = model.sample(1, seed=0)[0]
    near = model.encode(picture, refine=3, align="none").z
    model.to("cuda")
    first, second = (model.encode(picture, refine=3, align="none").z.cpu() for _ in range(2))
    assert torch.equal(first, second)
    torch.testing.assert_close(first, near, rtol=1e-2, atol=1e-2)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_trains_on_cuda(config: TrainConfig, tmp_path: Path) -> None:
    from icgan_sdk.train import run
    from icgan_sdk.training.recipe_files import override

    artefact = run(override(config, ["run.device=cuda", "run.precision=auto"]), tmp_path / "run")
    assert (artefact / "generator.safetensors").is_file()
