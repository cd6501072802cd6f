import torch

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.metrics.identification import measure_identification
from icgan_sdk.evaluation.referees.referee_network import Referee
from tests.evaluation.painter import Painter


def test_identification(
    faces: PreparedDataset, tiny_config: ModelConfig, tiny_referee: Referee
) -> None:
    test = faces.part("test")

    class Mirror(Painter):
        """Reconstructs pictures exactly: z are the pixels."""

        def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return x.flatten(1), super().encode(x)[1]

        def decode(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return z.view(-1, 3, 16, 16)

    exact = measure_identification(Mirror(tiny_config), test, tiny_referee, gallery=20)
    assert (exact.right, exact.queries, exact.gallery) == (1, 60, 20)
    coarse = measure_identification(Painter(tiny_config), test, tiny_referee, gallery=20)
    assert 1 / 20 < coarse.right < 1
    small = measure_identification(Mirror(tiny_config), test, tiny_referee, limit=10)
    assert (small.queries, small.gallery) == (10, 10)
