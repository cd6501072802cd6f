"""Filters of photos."""

import pytest
import torch
from torch import Tensor

from icgan_sdk.training import photo_filters
from icgan_sdk.training.photo_filters import filter_photos


def photos(channels: int = 3, count: int = 24) -> Tensor:
    draws = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, channels, 4, 4, generator=draws) * 2 - 1
    return coarse.repeat_interleave(8, 2).repeat_interleave(8, 3)


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("channels", [1, 3])
def test_photos_stay_photos_and_vary(channels: int) -> None:
    x = photos(channels)
    before = x.clone()
    filtered = filter_photos(x, seeded())
    assert torch.equal(x, before)
    assert filtered.shape == x.shape
    assert filtered.dtype == x.dtype
    assert float(filtered.abs().max()) <= 1
    assert torch.equal(filtered, filter_photos(x, seeded()))
    changed = (filtered - x).abs().mean((1, 2, 3))
    assert float(changed.min()) > 0
    assert float(changed.mean()) < 0.2
    # The pictures are still the same ones: each is most like its own original.
    distances = torch.cdist(filtered.flatten(1), x.flatten(1))
    assert torch.equal(distances.argmin(1), torch.arange(len(x)))


def test_both_softer_and_sharper_ones_come(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOISE", "COMPRESSED", "GAMMA", "TINT"):
        monkeypatch.setattr(photo_filters, name, 0.0)
    x = 0.5 * photos(count=40)

    def roughness(images: Tensor) -> Tensor:
        return images.diff(dim=3).square().mean((1, 2, 3))

    ratio = roughness(filter_photos(x, seeded())) / roughness(x)
    assert 0.3 < float((ratio < 1).float().mean()) < 0.7
    assert float(ratio.max()) > 1.2
    assert float(ratio.min()) < 0.8


def test_some_lose_their_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOISE", "COMPRESSED", "TINT"):
        monkeypatch.setattr(photo_filters, name, 0.0)
    monkeypatch.setattr(photo_filters, "GREY", 0.5)
    filtered = filter_photos(photos(count=40), seeded())
    spread = (filtered.amax(1) - filtered.amin(1)).mean((1, 2))
    assert 0.3 < float((spread < 1e-5).float().mean()) < 0.7
