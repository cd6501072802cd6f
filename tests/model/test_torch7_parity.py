"""Outputs of the original Torch7 networks, reproduced with their weights copied in."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.model import Discriminator, IcGANNetworks
from tests.torch7 import Array, copy_weights, golden_modules

TINY = ModelConfig(
    image_size=16, z_dim=8, generator_width=8, discriminator_width=8, encoder_width=4
)
MNIST_TINY = ModelConfig(
    image_size=32,
    channels=1,
    z_dim=12,
    attributes=AttributeSet.classes("digit", tuple("0123456789")),
    generator_width=8,
    discriminator_width=8,
    encoder_width=4,
)
NETWORKS = {"G": "generator", "D": "discriminator", "encZ": "encoder_z", "encY": "encoder_y"}
ATOL = 1e-5


def build(config: ModelConfig) -> dict[str, torch.nn.Module]:
    networks = IcGANNetworks(config)
    found: dict[str, Any] = {
        "G": networks.generator,
        "D": Discriminator(config),
        "encZ": networks.encoder_z,
        "encY": networks.encoder_y,
    }
    return {name: network.eval() for name, network in found.items()}


def load_golden(shared: Path, name: str) -> dict[str, Array]:
    with np.load(shared / "golden" / "torch7" / name / "golden.npz") as golden:
        return {key: golden[key] for key in golden}


def check_outputs(networks: dict[str, torch.nn.Module], golden: dict[str, Array]) -> None:
    t = {k: torch.from_numpy(v) for k, v in golden.items() if "." not in k}
    z, y, x = t["z"].flatten(1), t["y"], t["x"]
    G, D, E_z, E_y = (networks[k] for k in ("G", "D", "encZ", "encY"))
    with torch.no_grad():
        assert_close(G(z, y), t["G_out"], atol=ATOL, rtol=0)
        assert_close(D(x, y).sigmoid()[:, None], t["D_out"], atol=ATOL, rtol=0)
        assert_close(E_z(x), t["encZ_out"], atol=ATOL, rtol=0)
        assert_close(E_y(x), t["encY_out"], atol=ATOL, rtol=0)
        thresholded = torch.where(E_y(x) > 0, 1.0, -1.0)
        assert_close(thresholded, t["rec_y_thresholded"], atol=0, rtol=0)
        assert_close(G(E_z(x), thresholded), t["rec_out"], atol=ATOL, rtol=0)


@pytest.mark.parametrize(("name", "config"), [("tiny", TINY), ("mnist_tiny", MNIST_TINY)])
def test_recorded_weights(shared: Path, name: str, config: ModelConfig) -> None:
    golden = load_golden(shared, name)
    networks = build(config)
    for key, network in networks.items():
        copy_weights(network, golden_modules(golden, key))
    check_outputs(networks, golden)


def test_other_encoder_designs(shared: Path) -> None:
    golden = load_golden(shared, "alt")
    x, y = torch.from_numpy(golden["x"]), torch.from_numpy(golden["y"])
    sizes: dict[str, Any] = {"image_size": 16, "z_dim": 8, "encoder_width": 4}
    sng = IcGANNetworks(ModelConfig(**sizes, encoder_design="sng", encoder_y_fc=0)).encoder
    cond = IcGANNetworks(ModelConfig(**sizes, encoder_design="ind_cond")).encoder_z
    assert sng is not None
    assert cond is not None
    copy_weights(sng.eval(), golden_modules(golden, "SNG"))
    copy_weights(cond.eval(), golden_modules(golden, "INDCOND"))
    with torch.no_grad():
        z_sng, y_sng = sng(x)
        assert_close(z_sng, torch.from_numpy(golden["SNG_out_z"]), atol=ATOL, rtol=0)
        assert_close(y_sng, torch.from_numpy(golden["SNG_out_y"]), atol=ATOL, rtol=0)
        assert_close(cond(x, y), torch.from_numpy(golden["INDCOND_out_z"]), atol=ATOL, rtol=0)


def test_training_mode_statistics(shared: Path) -> None:
    """One training-mode forward gives the recorded outputs and batch-norm statistics."""
    golden = load_golden(shared, "tiny")
    t = {k: torch.from_numpy(v) for k, v in golden.items()}
    inputs = {"G": (t["z"].flatten(1), t["y"]), "D": (t["x"], t["y"]), "encZ": (t["x"],)}
    for key, network in build(TINY).items():
        if key not in inputs:
            continue
        copy_weights(network, golden_modules(golden, key))
        with torch.no_grad():
            out = network.train()(*inputs[key])
        out = out.sigmoid()[:, None] if key == "D" else out
        assert_close(out, t[f"train_{key}_out"], atol=ATOL, rtol=0)
        norms = [
            m for m in network.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)
        ]
        after = golden_modules(
            {k.replace(f"train_{key}_after", "after"): v for k, v in golden.items()}, "after"
        )
        for norm, arrays in zip(norms, after, strict=True):
            assert_close(norm.running_mean, torch.from_numpy(arrays["running_mean"]))
            assert_close(norm.running_var, torch.from_numpy(arrays["running_var"]))
