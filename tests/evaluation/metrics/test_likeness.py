"""PSNR and SSIM agree with torchmetrics."""

import pytest
import torch
from torch import Tensor
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from icgan_sdk.evaluation.metrics.likeness import Likeness, likeness_cell, psnr, ssim


@pytest.fixture
def pictures() -> tuple[Tensor, Tensor]:
    draws = torch.Generator().manual_seed(0)
    originals = torch.rand(3, 3, 24, 20, generator=draws)
    noise = 0.2 * torch.randn(originals.shape, generator=draws)
    return (originals + noise).clamp(0, 1), originals


def test_against_torchmetrics(pictures: tuple[Tensor, Tensor]) -> None:
    images, originals = pictures
    for i, (decibels, similarity) in enumerate(
        zip(psnr(images, originals), ssim(images, originals), strict=True)
    ):
        one = images[i : i + 1], originals[i : i + 1]
        assert float(decibels) == pytest.approx(float(peak_signal_noise_ratio(*one, data_range=1)))
        # Its mean also counts windows that reach over the picture's edge.
        _, everywhere = structural_similarity_index_measure(
            *one, data_range=1.0, return_full_image=True
        )
        expected = everywhere[..., 5:-5, 5:-5].mean()
        assert float(similarity) == pytest.approx(float(expected), abs=1e-5)


def test_equal_pictures(pictures: tuple[Tensor, Tensor]) -> None:
    originals = pictures[1]
    assert psnr(originals, originals).tolist() == [100] * 3
    assert ssim(originals, originals).tolist() == pytest.approx([1] * 3)


def test_means_of_pictures_of_any_size(pictures: tuple[Tensor, Tensor]) -> None:
    images, originals = pictures
    found = Likeness()
    assert found.psnr is found.ssim is None
    for at in (slice(0, 1), slice(1, 3)):
        found.add(images[at], originals[at])
    assert found.psnr == pytest.approx(float(psnr(images, originals).mean()))
    assert found.ssim == pytest.approx(float(ssim(images, originals).mean()))
    small = Likeness()
    small.add(images[..., :8, :8], originals[..., :8, :8])
    assert small.psnr is not None
    assert small.ssim is None  # SSIM's window has 11 pixels
    assert likeness_cell(21.347, 0.75) == "21.35 dB / 0.750"
    assert likeness_cell(21.347, None) == "21.35 dB"
    assert likeness_cell(None, None) == likeness_cell(float("nan"), None) == "–"
