import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import EncoderDesign, ModelConfig
from icgan_sdk.data import LabelSampler, PreparedDataset, write_arrays
from icgan_sdk.evaluation.metrics.encoder_errors import EncoderErrors, measure_inversion
from icgan_sdk.model import IcGANNetworks, draw_noise
from icgan_sdk.training import rows
from tests.conftest import tiny_networks
from tests.evaluation.painter import Invertible


def measure(
    networks: IcGANNetworks, dataset: PreparedDataset, generated: int = 50
) -> EncoderErrors:
    return measure_inversion(
        networks, dataset, torch.Generator().manual_seed(1), generated=generated
    )


@pytest.mark.parametrize("design", ["ind", "ind_cond", "sng"])
@torch.no_grad()
def test_figures_are_as_defined(
    digits: PreparedDataset,
    digits_config: ModelConfig,
    design: EncoderDesign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    networks, test = (
        tiny_networks(replace(digits_config, encoder_design=design)),
        digits.part("test"),
    )
    monkeypatch.setattr(rows, "PIXELS_AT_ONCE", 7 * 16**2)
    found = measure(networks, test)
    draws = torch.Generator().manual_seed(1)
    y = LabelSampler(test.all_labels(), test.attributes).sample(50, draws)
    z = draw_noise(50, digits_config, draws)
    error = networks.encode_z(networks.decode(z, y), y) - z
    assert found.z_error == pytest.approx(float(error.square().mean()), rel=1e-5)
    x, labels = test.images(slice(None)), test.all_labels()
    z_read, y_read = networks.encode(x)
    assert found.y_error == pytest.approx(float((y_read - labels).square().mean()), rel=1e-5)
    difference = (networks.decode(z_read, y_read) - x)[..., 2:-2, 2:-2] / 2
    assert found.pixel_error == pytest.approx(float(difference.square().mean()), rel=1e-5)
    stds = z_read.std(dim=0, correction=0)
    expected = [float(v) for v in (z_read.mean(), stds.mean(), stds.min(), stds.max())]
    assert list(asdict(found.z_real).values()) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert (found.generated, found.real) == (50, 64)


def test_a_perfect_inverse_has_no_error(faces: PreparedDataset, tiny_config: ModelConfig) -> None:
    found = measure(Invertible(tiny_config), faces.part("test"), generated=2000)
    assert found.z_error == pytest.approx(0, abs=1e-10)
    assert found.z_generated.std == pytest.approx(1, abs=0.03)
    assert found.z_generated.std_min < found.z_generated.std < found.z_generated.std_max
    offset = measure(Invertible(tiny_config, z_offset=0.5), faces.part("test"), generated=2000)
    assert offset.z_error == pytest.approx(0.25, abs=1e-5)
    assert offset.z_generated.mean == pytest.approx(0.5, abs=0.03)


def test_chunks_and_repetition_change_nothing(
    faces: PreparedDataset, tiny_config: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = tiny_networks(tiny_config)
    found = measure(networks, faces.part("test"))
    assert found == measure(networks, faces.part("test"))
    monkeypatch.setattr(rows, "PIXELS_AT_ONCE", 7 * 16**2)
    in_chunks = measure(networks, faces.part("test"))
    assert in_chunks.z_error == pytest.approx(found.z_error, rel=1e-5)
    assert in_chunks.pixel_error == pytest.approx(found.pixel_error, rel=1e-5)
    assert json.loads(json.dumps(asdict(found))) == asdict(found)


def test_without_attributes(tiny_config: ModelConfig, tmp_path: Path) -> None:
    none = AttributeSet()
    pixels = np.zeros((5, 16, 16, 3), np.uint8)
    write_arrays(tmp_path / "set", pixels, np.zeros((5, 0), np.uint8), none, {"test": 5}, source="")
    networks = tiny_networks(replace(tiny_config, attributes=none))
    found = measure(networks, PreparedDataset.open(tmp_path / "set"))
    assert found.y_error is None
    assert found.pixel_error > 0
