"""The classifier finds what there is to be found, and nothing else."""

import numpy as np
import pytest
import torch

from icgan_sdk.evaluation.metrics import two_sample
from icgan_sdk.evaluation.metrics.two_sample import (
    Classifier,
    Pixels,
    apart,
    draw_roles,
    score,
    standard_error,
    train_classifier,
)

CPU = torch.device("cpu")


def noise(count: int, seed: int) -> Pixels:
    return np.random.default_rng(seed).integers(60, 200, (count, 16, 16, 3), np.uint8)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def chequered(pixels: Pixels) -> Pixels:
    """A chequerboard of single pixels, as transposed convolutions leave it."""
    marked = pixels.copy()
    marked[:, ::2, ::2] += 25
    return marked


def test_a_trace_of_single_pixels_is_found() -> None:
    classifier = train_classifier(chequered(noise(200, 1)), noise(200, 2), seeded(), CPU)
    found = apart(score(classifier, chequered(noise(80, 3))), score(classifier, noise(80, 4)))
    assert found is not None
    assert found.auc > 0.9
    assert (found.pictures, found.real) == (80, 80)


def test_pictures_of_one_kind_are_not_told_apart() -> None:
    classifier = train_classifier(noise(200, 1), noise(200, 2), seeded(), CPU)
    found = apart(score(classifier, noise(150, 3)), score(classifier, noise(150, 4)))
    assert found is not None
    assert abs(found.auc - 0.5) < 3 * found.error


def test_training_follows_from_the_generator_alone() -> None:
    def scores(seed: int) -> list[float]:
        classifier = train_classifier(noise(20, 1), noise(20, 2), seeded(seed), CPU)
        found: list[float] = score(classifier, noise(4, 3)).tolist()
        return found

    before = torch.random.get_rng_state()
    first = scores(0)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(1)
    with torch.inference_mode():
        assert scores(0) == first
    assert scores(1) != first


def test_mirrored_pictures_score_alike() -> None:
    classifier = Classifier(3).eval()
    pixels = noise(5, 0)
    mirrored = np.ascontiguousarray(pixels[:, :, ::-1])
    assert torch.allclose(score(classifier, pixels), score(classifier, mirrored))
    plain = score(classifier, pixels, flip=False)
    assert not torch.allclose(plain, score(classifier, mirrored, flip=False))


def test_the_classifier_is_small() -> None:
    assert 100_000 < sum(p.numel() for p in Classifier(3).parameters()) < 200_000


def test_the_area_under_the_curve() -> None:
    low, high = torch.arange(10.0), torch.arange(100.0, 110.0)
    for made, real, expected in ((high, low, 1), (low, high, 0), (low, low, 0.5)):
        found = apart(made, real)
        assert found is not None
        assert found.auc == pytest.approx(expected)
    scores = torch.tensor([0.0, 1, 1, 2, 3, 3, 4, 9]), torch.tensor([0.0, 1, 2, 2, 2, 3, 5, 5, 8])
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[0].tolist() for b in scores[1].tolist()]
    found = apart(*scores)
    assert found is not None
    assert found.auc == pytest.approx(sum(pairs) / len(pairs))
    assert apart(low[:7], high) is None
    assert apart(low, high[:7]) is None
    assert apart(low, high, originals=7) is None


def test_the_standard_error_is_that_of_many_draws() -> None:
    draws = np.random.default_rng(0)
    # Exponential scores, for which Hanley and McNeil's estimate is exact.
    found = [
        apart(torch.tensor(draws.exponential(3, 40)), torch.tensor(draws.exponential(1, 60)))
        for _ in range(2000)
    ]
    aucs = [f.auc for f in found if f is not None]
    assert np.mean(aucs) == pytest.approx(0.75, abs=0.01)
    assert np.std(aucs) == pytest.approx(standard_error(0.75, 40, 60), rel=0.06)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 9, 64, 3001])
def test_each_picture_has_one_role(rows: int) -> None:
    roles = draw_roles(rows, 16, seeded())
    used = torch.cat(roles).tolist()
    assert sorted(used) == list(range(rows // 2 * 2))
    assert len(roles.model) == len(roles.real)
    assert len(roles.model_held) == len(roles.real_held)
    assert len(roles.model) == min(1024, round(0.7 * (rows // 2)))


def test_large_pictures_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sum(map(len, draw_roles(100_000, 128, seeded()))) == 4096
    assert sum(map(len, draw_roles(100_000, 256, seeded()))) == 1024
    monkeypatch.setattr(two_sample, "LEARNING", 10)
    assert [len(rows) for rows in draw_roles(100, 16, seeded())] == [10, 10, 40, 40]
