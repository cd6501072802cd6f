"""Training steps of the original, reproduced from its recorded starts, inputs and results."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from icgan_sdk.config import ModelConfig
from icgan_sdk.model import Discriminator, Generator, IcGANNetworks
from icgan_sdk.training.encoder_z_losses import EncoderBatch, encoder_z_losses
from icgan_sdk.training.gan import GANBatch, gan_step
from icgan_sdk.training.optimisers import descend, make_adam
from icgan_sdk.training.runtime import Runtime
from icgan_sdk.training.settings import EncoderZConfig, GANConfig, RunConfig
from tests.torch7 import comparable, copy_weights, flat, golden_modules, load_flat

RTOL = 1e-4
SIZES: dict[str, Any] = {
    "image_size": 16,
    "z_dim": 8,
    "generator_width": 8,
    "discriminator_width": 8,
}
ENCODER = EncoderZConfig(learning_rate=1e-4, beta1=0.1, adam="torch7")


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(RunConfig(device="cpu", precision="float32", channels_last=False))


def load(shared: Path, name: str) -> tuple[dict[str, Tensor], dict[str, float]]:
    folder = shared / "golden" / "torch7" / name
    with np.load(folder / "golden.npz") as golden:
        arrays = {key: torch.from_numpy(golden[key]) for key in golden}
    return arrays, json.loads((folder / "scalars.json").read_text())


def assert_parameters(network: nn.Module, expected: Tensor, gradient: Tensor) -> None:
    """Equal to 1e-4 of the parameters' scale: an entry near 0 has no precision of its own.

    Left out are entries whose recorded gradient is rounding noise but not zero, as the weights of
    a label that is the same in the whole batch: Adam turns the noise into steps of ±lr.
    """
    size = gradient.abs()
    noise = (size > 0) & (size < 1e-5 * size.mean())
    assert float(noise.float().mean()) < 0.05
    mask = comparable(network) & ~noise
    scale = float(expected[mask].abs().mean())
    assert_close(flat(network)[mask], expected[mask], rtol=RTOL, atol=RTOL * scale)


def statistics(network: nn.Module) -> list[Tensor]:
    return [b for b in network.buffers() if b.is_floating_point()]


@pytest.mark.parametrize("iterations", [1, 3])
def test_gan_iterations(shared: Path, runtime: Runtime, iterations: int) -> None:
    t, scalars = load(shared, "tiny")
    G, D = Generator(ModelConfig(**SIZES)), Discriminator(ModelConfig(**SIZES))
    arrays = {k: v.numpy() for k, v in t.items()}
    for network, name in ((G, "G"), (D, "D")):
        copy_weights(network, golden_modules(arrays, name))  # the statistics at the start
        load_flat(network, arrays[f"it0_p{name}"])
    settings = GANConfig(adam="torch7")
    optimiser_g, optimiser_d = make_adam(G, settings), make_adam(D, settings)
    for i in range(1, iterations + 1):
        batch = GANBatch(
            x=t[f"it{i}_x"],
            y=t[f"it{i}_y"],
            y_wrong=t[f"it{i}_yw"],
            y_fake=t[f"it{i}_yf"],
            z=t[f"it{i}_z"].flatten(1),
        )
        losses = gan_step(G, D, optimiser_g, optimiser_d, batch, runtime)
        assert float(losses["d"]) == pytest.approx(scalars[f"it{i}_errD"], rel=RTOL)
        assert float(losses["g"]) == pytest.approx(scalars[f"it{i}_errG"], rel=RTOL)
        assert_parameters(G, t[f"it{i}_pG"], t[f"it{i}_gradG"])
        assert_parameters(D, t[f"it{i}_pD"], t[f"it{i}_gradD"])
        for name, network in (("G", G), ("D", D)):
            recorded = [
                t[key]
                for path in sorted(
                    {int(k.split(".")[1]) for k in t if k.startswith(f"it{i}_{name}.")}
                )
                for key in (f"it{i}_{name}.{path}.running_mean", f"it{i}_{name}.{path}.running_var")
            ]
            for own, expected in zip(statistics(network), recorded, strict=True):
                # Running means also hold the biases before them, whose steps are noise.
                assert_close(own, expected, rtol=RTOL, atol=1e-5)


def test_pytorch_adam_differs(shared: Path, runtime: Runtime) -> None:
    """The variant matters: with PyTorch's ε the first step is measurably another one."""
    t, _ = load(shared, "tiny")
    G, D = Generator(ModelConfig(**SIZES)), Discriminator(ModelConfig(**SIZES))
    load_flat(G, t["it0_pG"].numpy())
    load_flat(D, t["it0_pD"].numpy())
    settings = GANConfig(adam="pytorch")
    inputs = GANBatch(t["it1_x"], t["it1_y"], t["it1_yw"], t["it1_yf"], t["it1_z"].flatten(1))
    gan_step(G, D, make_adam(G, settings), make_adam(D, settings), inputs, runtime)
    mask = comparable(G)
    assert float((flat(G).detach() - t["it1_pG"])[mask].abs().max()) > 5e-5


@pytest.mark.parametrize("name", ["encZ", "SNG", "INDCOND"])
def test_encoder_z_steps(shared: Path, runtime: Runtime, name: str) -> None:
    t, scalars = load(shared, "tiny" if name == "encZ" else "alt")
    config = {
        "encZ": ModelConfig(**SIZES, encoder_width=4),
        "SNG": ModelConfig(**SIZES, encoder_width=4, encoder_design="sng", encoder_y_fc=0),
        "INDCOND": ModelConfig(**SIZES, encoder_width=4, encoder_design="ind_cond"),
    }[name]
    networks = IcGANNetworks(config)
    encoder = networks.encoder or networks.encoder_z
    assert encoder is not None
    optimiser = make_adam(encoder, ENCODER)
    for i in (1, 2, 3):
        x = t[f"{name}_it{i}_x"]
        z = t[f"{name}_it{i}_t"] if name == "encZ" else t[f"{name}_it{i}_z"]
        y = torch.zeros(4, 18) if name == "encZ" else t[f"{name}_it{i}_y"]
        load_flat(encoder, t[f"{name}_it{i - 1}_p"].numpy())
        batch = EncoderBatch(x, z, y, x[:0], y[:0])
        losses = encoder_z_losses(networks, batch, EncoderZConfig(), draws=torch.Generator())
        descend(losses["total"], encoder, optimiser, runtime)
        assert float(losses["total"].detach()) == pytest.approx(
            scalars[f"{name}_it{i}_err"], rel=RTOL
        )
        assert_parameters(encoder, t[f"{name}_it{i}_p"], t[f"{name}_it{i}_grad"])


def test_encoder_y_steps(shared: Path, runtime: Runtime) -> None:
    t, scalars = load(shared, "tiny")
    encoder = IcGANNetworks(ModelConfig(**SIZES, encoder_width=4)).encoder_y
    assert encoder is not None
    optimiser = make_adam(encoder, ENCODER)
    for i in (1, 2, 3):
        load_flat(encoder, t[f"encY_it{i - 1}_p"].numpy())
        loss = torch.nn.functional.mse_loss(encoder(t[f"encY_it{i}_x"]), t[f"encY_it{i}_t"])
        descend(loss, encoder, optimiser, runtime)
        assert float(loss.detach()) == pytest.approx(scalars[f"encY_it{i}_err"], rel=RTOL)
        assert_parameters(encoder, t[f"encY_it{i}_p"], t[f"encY_it{i}_grad"])
