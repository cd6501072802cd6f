"""Other coordinates of z: every picture stays, and what is drawn comes nearer to real ones."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.errors import ConfigError
from icgan_sdk.model import IcGANNetworks, refinement
from icgan_sdk.model.refinement import refine_z
from icgan_sdk.model.whitening import LEAST, changing, whiten
from tests.conftest import tiny_networks
from tests.model.test_face_encoder import corrected

CONFIG = ModelConfig(
    image_size=16,
    attributes=AttributeSet(("a", "b")),
    z_dim=4,
    generator_width=2,
    encoder_width=2,
    encoder_y_fc=4,
)
KINDS = {
    "paper's": CONFIG,
    "fully connected": replace(CONFIG, generator_fc=6),
    "repeated pixels": replace(CONFIG, generator="resize"),
    "residual": replace(CONFIG, generator="residual"),
    "told of faces": replace(CONFIG, encoder_z_faces=True, crop=CELEBA_CROP),
}


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_pictures_stay_and_moments_come_nearer_to_the_priors(kind: str) -> None:
    config = KINDS[kind]
    before = corrected(config) if config.encoder_z_faces else tiny_networks(config)
    after = deepcopy(before)
    x, y = torch.rand(64, 3, 16, 16) * 2 - 1, torch.rand(64, 2) * 2 - 1
    z = before.encode_z(x, y)
    spread = torch.tensor([3.0, 0.1, 1.0, 0.7])
    known = torch.randn(500, 4, generator=torch.Generator().manual_seed(0)) * spread
    whiten(after, known)
    new = after.encode_z(x, y)
    torch.testing.assert_close(after.decode(new, y), before.decode(z, y), rtol=0, atol=1e-4)
    # The new coordinates: a linear map, so that the z of `known` is found from that of x.
    root = torch.linalg.lstsq(new, z).solution
    torch.testing.assert_close(new @ root, z, rtol=1e-3, atol=1e-3)
    found = known @ root.inverse()
    moments = torch.linalg.eigvalsh(found.T @ found / 500)
    expected = torch.linalg.eigvalsh(known.T @ known / 500) / LEAST
    torch.testing.assert_close(moments, expected.clamp_max(1.0).sort().values, rtol=0.01, atol=0.01)
    drawn = torch.randn(8, 4)
    torch.testing.assert_close(
        after.decode(drawn, y[:8]), before.decode(drawn @ root, y[:8]), rtol=0, atol=1e-3
    )


@pytest.mark.parametrize("kind", ["paper's", "residual"])
def test_refining_does_not_depend_on_the_coordinates(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refinement, "PRIOR_WEIGHT", 0.0)  # which does
    before = tiny_networks(KINDS[kind])
    after, root = deepcopy(before), torch.diag(torch.tensor([0.02, 1.0, 1.0, 50.0])).double()
    for network in changing(after):
        network.change_z(root)
    y, draws = torch.ones(4, 2), torch.Generator().manual_seed(0)
    with torch.no_grad():
        x = before.decode(torch.randn(4, 4, generator=draws), y)

    def error(networks: IcGANNetworks) -> float:
        z = networks.encode_z(x, y).detach()
        z = refine_z(networks.generator, x, z, y, 60)
        return float((networks.decode(z, y) - x).detach().square().mean())

    plain, other = error(before), error(after)
    assert 0.5 < other / plain < 2
    monkeypatch.setattr(refinement, "_even_root", lambda generator, z: torch.eye(4))
    assert error(after) > 2 * other


def test_one_encoder_of_z_and_y_is_refused() -> None:
    networks = tiny_networks(replace(CONFIG, encoder_design="sng"))
    with pytest.raises(ConfigError, match="leave whiten out"):
        whiten(networks, torch.randn(50, 4))
