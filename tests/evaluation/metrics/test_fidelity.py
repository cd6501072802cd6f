import json
import sys
from dataclasses import asdict
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError, DatasetError
from icgan_sdk.evaluation.metrics import inception
from icgan_sdk.evaluation.metrics.fidelity import (
    frechet_distance,
    kernel_distance,
    measure_fidelity,
)
from icgan_sdk.evaluation.referees.referee_network import Referee
from tests.conftest import tiny_networks
from tests.evaluation.painter import Painter


def draw(seed: int, n: int = 500, size: int = 6) -> Tensor:
    return torch.randn(n, size, generator=torch.Generator().manual_seed(seed))


def kid(a: Tensor, b: Tensor, seed: int = 0) -> tuple[float, float]:
    return kernel_distance(a, b, torch.Generator().manual_seed(seed))


def test_frechet_distance_of_gaussians() -> None:
    features = draw(0)
    offset = torch.tensor([3.0, 0, 0, 0, 0, 1])
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(features, features + offset) == pytest.approx(10, rel=1e-5)
    # tr(Σ + 4Σ − 2·2Σ) = tr Σ and ‖μ‖²
    expected = float(features.var(dim=0).sum() + features.mean(0).square().sum())
    assert frechet_distance(features, 2 * features) == pytest.approx(expected, rel=1e-4)
    assert frechet_distance(draw(0), draw(1)) < 0.2


def test_fewer_images_than_features() -> None:
    few, other = draw(0, n=3, size=40), draw(1, n=3, size=40)
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-5)
    assert frechet_distance(few, other) > 1
    assert kid(few, other)[1] == 0


def test_kernel_distance() -> None:
    same, deviation = kid(draw(0), draw(1))
    assert abs(same) < 0.05
    assert deviation == 0, "one subset, the whole"
    far, deviation = kid(draw(0), draw(1, n=300) + 1)
    assert far > 1
    assert deviation > 0
    state = torch.get_rng_state()
    assert kid(draw(0), draw(1, n=300), seed=3) == kid(draw(0), draw(1, n=300), seed=3)
    assert kid(draw(0), draw(1, n=300), seed=3) != kid(draw(0), draw(1, n=300), seed=4)
    assert torch.equal(torch.get_rng_state(), state), "global randomness stays untouched"


def test_better_images_are_nearer(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    test, networks = faces.part("test"), Painter(tiny_config)
    near, again, far = (
        measure_fidelity(n, test, tiny_referee, torch.Generator().manual_seed(0), limit=50)
        for n in (networks, networks, tiny_networks(tiny_config))
    )
    assert near == again
    assert near.images == 50
    assert near.features == tiny_referee.features(test.images(slice(0, 1))).shape[1]
    assert near.fid < far.fid / 2
    assert near.kid < far.kid / 2
    assert json.loads(json.dumps(asdict(near))) == asdict(near)


def test_one_image_is_too_few(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    with pytest.raises(DatasetError, match="at least two"):
        measure_fidelity(Painter(tiny_config), faces, tiny_referee, torch.Generator(), limit=1)


def test_without_torchmetrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    with pytest.raises(ConfigError, match=r"icgan-sdk\[evaluation\]"):
        frechet_distance(draw(0), draw(1))
    with pytest.raises(ConfigError, match=r"icgan-sdk\[evaluation\]"):
        kid(draw(0), draw(1))


def inception_note(digits: PreparedDataset, config: ModelConfig, referee: Referee) -> str:
    networks = tiny_networks(config)
    found = measure_fidelity(networks, digits, referee, torch.Generator(), limit=4)
    assert found.inception_fid is None
    return found.inception_note


def test_why_there_is_no_inception_fid(
    digits: PreparedDataset,
    digits_config: ModelConfig,
    digits_referee: Referee,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    given = (digits, digits_config, digits_referee)
    assert "pip install torch-fidelity" in inception_note(*given)
    package = ModuleType("torch_fidelity")
    package.__spec__ = ModuleSpec("torch_fidelity", None)
    monkeypatch.setitem(sys.modules, "torch_fidelity", package)
    weights = tmp_path / "hub" / "checkpoints" / inception.URL.rpartition("/")[2]
    note = inception_note(*given)
    assert inception.URL in note
    assert "TORCH_HOME" in note
    assert str(tmp_path) not in note  # reports are shared
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"not weights")
    assert "damaged" in inception_note(*given)
