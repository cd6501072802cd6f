"""What every engine promises, of torch and of onnxruntime."""

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from icgan_sdk.config import ModelConfig
from icgan_sdk.engines import onnxruntime as onnxruntime_engine
from icgan_sdk.engines.engine import CHUNK, Engine
from icgan_sdk.engines.onnxruntime import OnnxEngine
from icgan_sdk.engines.pytorch import TorchEngine
from icgan_sdk.errors import ConfigError
from icgan_sdk.pictures.arrays import Floats
from tests.conftest import tiny_networks

pytestmark = pytest.mark.timeout(900)  # tracing is long on a busy machine


@pytest.fixture
def torch_engine(tiny_config: ModelConfig) -> Engine:
    return TorchEngine(tiny_networks(tiny_config))


@pytest.fixture
def onnx_engine(exported: Path) -> Engine:
    return OnnxEngine(exported)


@pytest.fixture(params=["torch_engine", "onnx_engine"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found


def random_images(batch: int, seed: int = 0) -> Floats:
    source = np.random.default_rng(seed)
    return source.uniform(-1, 1, (batch, 3, 16, 16)).astype(np.float32)


def close(found: Floats, expected: Floats, tolerance: float = 1e-4) -> None:
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("batch", [1, 3, CHUNK + 1])
def test_both_compute_the_same(batch: int, torch_engine: Engine, onnx_engine: Engine) -> None:
    images = random_images(batch)
    z, y = torch_engine.encode(images)
    assert (z.shape, y.shape) == ((batch, 6), (batch, 4))
    for found, expected in zip(onnx_engine.encode(images), (z, y), strict=True):
        close(found, expected)
    rebuilt, edited = torch_engine.decode(z, y), torch_engine.decode(z, -y)
    assert rebuilt.shape == images.shape
    close(onnx_engine.decode(z, y), rebuilt)
    change = torch_engine.change(images, rebuilt, edited)
    assert np.abs(change).max() > 0.1
    close(onnx_engine.change(images, rebuilt, edited), change)
    assert torch_engine.config == onnx_engine.config


def test_no_picture_influences_another(engine: Engine) -> None:
    images = random_images(3)
    for row, (z, y) in enumerate(zip(*engine.encode(images), strict=True)):
        alone = engine.encode(images[row : row + 1])
        close(alone[0][0], z, 1e-5)
        close(alone[1][0], y, 1e-5)


def test_callers_that_share_the_cores_get_the_same(engine: Engine) -> None:
    images = random_images(2)
    expected = engine.encode(images)
    engine.share_cores(2)
    with ThreadPoolExecutor(2) as pool:
        for z, y in pool.map(engine.encode, [images] * 4):
            close(z, expected[0], 1e-6)
            close(y, expected[1], 1e-6)
    engine.share_cores(1)


def test_sessions_of_callers_take_their_part(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime_engine, "usable_cores", lambda: 5)
    engine = OnnxEngine(exported)
    for callers, threads in ((1, 5), (2, 2), (9, 1)):
        engine.share_cores(callers)
        session = engine._open("encoder").result()
        assert session.get_session_options().intra_op_num_threads == threads


def clones(engine: Engine) -> list[Engine]:
    return [pickle.loads(pickle.dumps(engine)), copy.copy(engine), copy.deepcopy(engine)]


def test_pickles_and_copies_are_the_same_engine(engine: Engine) -> None:
    images = random_images(2)
    expected = engine.encode(images)
    for clone in clones(engine):
        assert (clone.config, clone.device) == (engine.config, "cpu")
        assert all(
            np.array_equal(a, b) for a, b in zip(clone.encode(images), expected, strict=True)
        )


def test_pickles_may_be_opened_in_another_folder(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(exported.parent)
    data = pickle.dumps(OnnxEngine(exported.name))
    monkeypatch.chdir(tmp_path)
    engine: Engine = pickle.loads(data)
    assert engine.decode(np.zeros((1, 6), np.float32), np.ones((1, 4), np.float32)).any()


def test_threads_may_share_an_engine(engine: Engine) -> None:
    batches = [random_images(2, seed) for seed in range(8)]
    expected = [engine.encode(images) for images in batches]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(engine.encode, batches))
    for (z, y), (expected_z, expected_y) in zip(found, expected, strict=True):
        close(z, expected_z, 1e-6)
        close(y, expected_y, 1e-6)


def test_refining_is_torchs_alone(torch_engine: Engine, onnx_engine: Engine) -> None:
    images = random_images(CHUNK + 1)
    z, y = torch_engine.encode(images)
    refined = torch_engine.refine(images, z, y, 2)
    assert refined.shape == z.shape
    assert (refined != z).any(axis=1).all()
    assert np.array_equal(torch_engine.refine(images, z, y, 0), z)
    with pytest.raises(ConfigError, match=r"refine needs gradients.*use the torch runtime"):
        onnx_engine.refine(images, z, y, 2)
    assert torch_engine.networks.config is torch_engine.config
    with pytest.raises(ConfigError, match=r"saving a model.*use the torch runtime"):
        _ = onnx_engine.networks


@pytest.mark.parametrize("device", ["gpu", "mps:x", "cuda:99", "cuda:x", "meta", ""])
def test_unknown_devices_are_refused_and_change_nothing(
    device: str, engine: Engine, exported: Path, tiny_config: ModelConfig
) -> None:
    opening: list[Callable[[], Engine]] = [
        lambda: TorchEngine(tiny_networks(tiny_config), device),
        lambda: OnnxEngine(exported, device),
    ]
    for attempt in opening:
        with pytest.raises(ConfigError, match=r"device|execution provider"):
            attempt()
    with pytest.raises(ConfigError, match=r"device|execution provider"):
        engine.move(device)
    assert engine.device == "cpu"
    assert engine.encode(random_images(1))
    engine.move("cpu")
    assert engine.device == "cpu"


def test_devices_of_onnxruntime(exported: Path) -> None:
    assert OnnxEngine(exported, "auto").device == OnnxEngine(exported, None).device == "cpu"
    with pytest.raises(ConfigError, match="no device 'mps': give auto, cpu or cuda"):
        OnnxEngine(exported, "mps")
