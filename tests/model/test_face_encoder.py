"""An E_z that is told whose face it sees."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch.nn.functional import avg_pool2d

from icgan_sdk.artefacts.layout import network_file
from icgan_sdk.artefacts.store import load_artefact
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import CELEBA_CROP, Crop, ModelConfig
from icgan_sdk.errors import ConfigError
from icgan_sdk.model import FaceEncoder, IcGANNetworks
from icgan_sdk.model.layers import saved_buffers
from tests.conftest import save_tiny, tiny_networks


@pytest.fixture(scope="module")
def config(tiny_config: ModelConfig) -> ModelConfig:
    return replace(tiny_config, crop=CELEBA_CROP, encoder_z_faces=True)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return avg_pool2d(torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0)), 3) - 0.5


def face_encoder(networks: IcGANNetworks) -> FaceEncoder:
    assert isinstance(networks.encoder_z, FaceEncoder)
    return networks.encoder_z


def corrected(config: ModelConfig) -> IcGANNetworks:
    """Networks whose E_z has learnt something about faces."""
    networks = tiny_networks(config)
    with torch.no_grad():
        for weights in face_encoder(networks).correction.parameters():
            weights.copy_(torch.randn_like(weights) / 10)
    return networks


def test_it_begins_as_the_encoder_alone(config: ModelConfig, images: torch.Tensor) -> None:
    encoder = face_encoder(tiny_networks(config))
    assert torch.equal(encoder(images), encoder.encoder(images))


def test_it_looks_at_the_face(config: ModelConfig, images: torch.Tensor) -> None:
    encoder = face_encoder(corrected(config))
    z, changes = encoder.encoder(images), []
    for other in (images, images.flip(2)):
        vectors = encoder.faces(other)
        changes.append(encoder.correction(torch.cat([z, vectors / 0.1], 1)))
    assert torch.allclose(encoder(images), z + changes[0], atol=1e-6)
    assert not torch.allclose(changes[0], changes[1], atol=1e-3)


def test_its_face_network_never_learns(config: ModelConfig, images: torch.Tensor) -> None:
    encoder = face_encoder(corrected(config)).train()
    images.requires_grad_()
    torch.autograd.backward(encoder(images).sum())
    learning = {name.split(".")[0] for name, _ in encoder.named_parameters()}
    assert learning == {"encoder", "correction"} == {n.split(".")[0] for n in encoder.state_dict()}
    assert all(weights.grad is not None for weights in encoder.parameters())
    images.requires_grad_(False)
    own = {id(b) for b in saved_buffers(encoder)}
    assert own == {id(b) for b in encoder.encoder.buffers()}, "nothing averages its weights"


@pytest.mark.parametrize("design", ["ind", "ind_cond"])
def test_it_is_saved_without_the_face_network(
    config: ModelConfig, images: torch.Tensor, tmp_path: Path, design: str
) -> None:
    config = ModelConfig.from_dict({**config.to_dict(), "encoder_design": design})
    folder = save_tiny(config, tmp_path / "model")
    with safe_open(folder / network_file("encoder_z"), framework="np") as file:
        assert not any(".faces." in name for name in file.keys())  # noqa: SIM118
    networks = load_artefact(folder)
    assert networks.config.encoder_z_faces
    for ours, theirs in zip(
        networks.encode(images), tiny_networks(config).encode(images), strict=True
    ):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder_design": "sng"}, "'sng' has one encoder"),
        ({"crop": None}, "needs colour pictures of aligned faces"),
        ({"channels": 1}, "needs colour pictures of aligned faces"),
        ({"crop": Crop((178, 218), (0, 0, 100, 100))}, "that show whole faces"),
    ],
)
def test_what_shows_no_faces_is_refused(
    config: ModelConfig, changes: dict[str, object], message: str
) -> None:
    plain = {**config.to_dict(), **changes}
    if isinstance(crop := changes.get("crop"), Crop):
        plain["crop"] = {"frame": crop.frame, "box": crop.box}
    with pytest.raises(ConfigError, match=message):
        IcGANNetworks(ModelConfig.from_dict(plain))


def test_older_releases_read_models_without_it() -> None:
    assert "encoder_z_faces" not in ModelConfig(attributes=AttributeSet(("a",))).to_dict()
