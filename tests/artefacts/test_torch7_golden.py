"""The files of the original code, converted, give the outputs that it recorded."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from icgan_sdk import IcGAN
from icgan_sdk.artefacts import from_torch7
from icgan_sdk.artefacts.store import load_artefact, save_artefact
from icgan_sdk.config import PAPER_CROP
from icgan_sdk.model import IcGANNetworks

ATOL = 1e-5
Outputs = dict[str, Tensor]


@pytest.fixture
def golden(shared: Path) -> Path:
    return shared / "golden" / "torch7"


def recorded(golden: Path, name: str) -> Outputs:
    with np.load(golden / name / "golden.npz") as arrays:
        found = {k: torch.from_numpy(arrays[k]) for k in arrays if "." not in k}
    return found | {"z": found["z"].flatten(1)} if "z" in found else found


def assert_near(found: Tensor, expected: Tensor) -> None:
    assert_close(found, expected, atol=ATOL, rtol=0)


@torch.no_grad()
def check_independent(networks: IcGANNetworks, t: Outputs) -> None:
    z, y = networks.encode(t["x"])
    assert_near(networks.decode(t["z"], t["y"]), t["G_out"])
    assert_near(z, t["encZ_out"])
    assert_near(y, t["encY_out"])
    y = torch.where(y > 0, 1.0, -1.0)
    assert_near(y, t["rec_y_thresholded"])
    assert_near(networks.decode(z, y), t["rec_out"])
    if networks.discriminator is not None:
        assert_near(networks.discriminator(t["x"], t["y"]).sigmoid()[:, None], t["D_out"])


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("tiny", "tiny"),
        ("mnist_tiny", "mnist_tiny"),
        ("tiny_gpu", "tiny"),
        ("tiny_legacy", "tiny"),
    ],
)
def test_all_networks_of_a_training(golden: Path, name: str, outputs: str, tmp_path: Path) -> None:
    G, D, E_z, E_y = (golden / name / f"{name}_{n}.t7" for n in ("G", "D", "encZ", "encY"))
    attributes = "mnist" if name == "mnist_tiny" else "celeba18"
    networks = from_torch7(G, E_z, E_y, discriminator=D, attributes=attributes)
    check_independent(networks, recorded(golden, outputs))
    save_artefact(networks, tmp_path / "m", card="")
    again = load_artefact(tmp_path / "m")
    assert again.config == networks.config
    assert again.discriminator is not None
    check_independent(again, recorded(golden, outputs))
    assert from_torch7(G, E_z, E_y, attributes=attributes).discriminator is None


def test_the_inferred_sizes(golden: Path) -> None:
    files = [golden / "tiny" / f"tiny_{n}.t7" for n in ("G", "encZ", "encY", "D")]
    config = from_torch7(*files[:3], discriminator=files[3], noise="uniform").config
    assert (config.image_size, config.channels, config.z_dim) == (16, 3, 8)
    assert (config.generator_width, config.discriminator_width, config.encoder_width) == (8, 8, 4)
    assert (config.generator_y_layer, config.discriminator_y_layer) == (0, 1)
    assert (config.encoder_layers, config.encoder_z_fc, config.encoder_y_fc) == (4, 0, 512)
    assert (config.crop, config.noise) == (PAPER_CROP, "uniform")
    assert config.attributes.group_of("Bald") == ("Bald", "Bangs", "Receding_Hairline")


def test_ascii_files(golden: Path) -> None:
    tiny = golden / "tiny"
    networks = from_torch7(
        tiny / "tiny_G_ascii.t7", tiny / "tiny_encZ.t7", tiny / "tiny_encY_ascii.t7"
    )
    check_independent(networks, recorded(golden, "tiny"))


def test_a_generator_saved_again_with_its_buffers(golden: Path) -> None:
    tiny, t = golden / "tiny", recorded(golden, "tiny")
    networks = from_torch7(
        tiny / "tiny_G_bnrefreshed.t7", tiny / "tiny_encZ.t7", tiny / "tiny_encY.t7"
    )
    with torch.no_grad():
        assert_near(networks.decode(t["z"], t["y"]), t["Grefreshed_out"])


def test_the_other_encoder_designs(golden: Path) -> None:
    G, E_y, t = golden / "tiny/tiny_G.t7", golden / "tiny/tiny_encY.t7", recorded(golden, "alt")
    sng = from_torch7(G, golden / "alt/tiny_encSNG.t7")
    cond = from_torch7(G, golden / "alt/tiny_encINDCOND.t7", E_y)
    assert (sng.config.encoder_design, cond.config.encoder_design) == ("sng", "ind_cond")
    with torch.no_grad():
        z, y = sng.encode(t["x"])
        assert_near(z, t["SNG_out_z"])
        assert_near(y, t["SNG_out_y"])
        assert_near(cond.encode_z(t["x"], t["y"]), t["INDCOND_out_z"])


def test_the_converted_model_edits(golden: Path) -> None:
    tiny = golden / "tiny"
    files = [tiny / f"tiny_{n}.t7" for n in ("G", "encZ", "encY")]
    model = IcGAN(from_torch7(*files), device="cpu")
    x = recorded(golden, "tiny")["x"]
    (plain,), (edited,) = model.reconstruct([x[0]]), model.edit([x[0]], detail="generated", Male=1)
    assert plain.size == edited.size == (16, 16)
    assert plain.tobytes() != edited.tobytes()
