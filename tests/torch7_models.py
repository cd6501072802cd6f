"""Whole models of made-up Torch7 files, converted and compared with nn."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.testing import assert_close

from icgan_sdk.artefacts import from_torch7
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.model import IcGANNetworks
from tests.torch7_files import Object, dump
from tests.torch7_networks import Maker, compute

Trees = dict[str, Object]
NAMES = AttributeSet(("a", "b", "c"))


def make_trees(seed: int = 0, **changes: Any) -> Trees:
    """Networks of 16×16 pictures, 5 numbers of z and 3 attributes."""
    make = Maker(seed)
    return {
        "generator": make.generator(),
        "encoder_z": make.encoder(5),
        "encoder_y": make.encoder(3, hidden=7),
        "discriminator": make.discriminator(),
        **changes,
    }


def convert(trees: Trees, folder: Path, attributes: Any = NAMES, **form: Any) -> IcGANNetworks:
    for name, tree in trees.items():
        (folder / f"{name}.t7").write_bytes(dump(tree, **form))
    files: dict[str, Any] = {name: folder / f"{name}.t7" for name in trees}
    return from_torch7(**files, attributes=attributes)


def check(networks: IcGANNetworks, trees: Trees) -> None:
    """Our networks compute what nn does."""
    config, draws = networks.config, torch.Generator().manual_seed(1)
    size = config.image_size
    x = torch.rand(2, config.channels, size, size, generator=draws) * 2 - 1
    y = torch.randn(2, config.n_attributes, generator=draws)
    z = torch.randn(2, config.z_dim, generator=draws)
    maps = y[:, :, None, None] if config.generator_y_layer == 0 else y
    with torch.no_grad():
        z_in = z[:, :, None, None]
        near(networks.decode(z, y), compute(trees["generator"], [z_in, maps]))
        if config.encoder_design == "sng":
            for found, expected in zip(
                networks.encode(x), compute(trees["encoder_z"], x), strict=True
            ):
                near(found, expected)
        else:
            sees_y = config.encoder_design == "ind_cond"
            expected = compute(trees["encoder_z"], [x, y] if sees_y else x)
            near(networks.encode_z(x, y), expected)
            near(networks.read_y(x), compute(trees["encoder_y"], x))
        if networks.discriminator is not None:
            scores = networks.discriminator(x, y).sigmoid()
            near(scores, compute(trees["discriminator"], [x, y]).flatten())


def near(found: Tensor, expected: Tensor) -> None:
    assert_close(found, expected, atol=1e-5, rtol=1e-5)
