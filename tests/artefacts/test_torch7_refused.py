"""What is refused in Torch7 files, and how the message names it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from icgan_sdk import artefacts
from icgan_sdk.artefacts import from_torch7
from icgan_sdk.errors import ConfigError, ModelFormatError, ModelNotFoundError
from tests.torch7_files import Object, Storage, View, lua_list, tensor
from tests.torch7_models import convert, make_trees
from tests.torch7_networks import Maker, layers, sequential

CONV, FULL = "nn.SpatialConvolution", "nn.SpatialFullConvolution"
NORM = "nn.SpatialBatchNormalization"
NAN = tensor([np.nan] * 8)
ONES = Storage(np.ones(8, np.float32))
Make = Callable[[], Any]


def having(module: str, number: int = 0, **fields: Any) -> Callable[[Object], Object]:
    """Changes fields of a network's module, or its class."""

    def change(tree: Object) -> Object:
        found = [m for m in layers(tree) if m.name == module][number]
        found.name = fields.pop("class_name", found.name)
        found.fields |= fields
        return tree

    return change


G, D = Maker().generator, Maker().discriminator


def e(out: int = 5, **sizes: int) -> Object:
    return Maker().encoder(out, **sizes)


# In the network, a change of it, and what the message says.
LAYERS: dict[str, tuple[str, Callable[[Object], Object], str]] = {
    "unknown class": (
        "encoder_z",
        having("nn.ReLU", 1, class_name="nn.SpatialMaxPooling"),
        "encoder_z.t7: layer 6 (nn.SpatialMaxPooling): no IcGAN network has such a layer there",
    ),
    "other layer": (
        "encoder_z",
        having("nn.ReLU", 1, class_name="nn.Tanh"),
        "encoder_z.t7: layer 6 (nn.Tanh) is a tanh, where a ReLU should be",
    ),
    "kernel": ("generator", having(FULL, 1, kW=5), "layer 5 (nn.SpatialFullConvolution) has kW 5"),
    "stride": ("discriminator", having(CONV, 1, dH=1), "has dH 1, expected 2"),
    "padding": ("encoder_y", having(CONV, 1, padW=0), "has padW 0, expected 2"),
    "adjust": ("generator", having(FULL, 2, adjH=1), "has adjH 1, expected 0"),
    "groups": ("encoder_z", having(CONV, groups=2), "has groups 2, expected 1"),
    "dilation": ("encoder_z", having(CONV, dilationW=2), "has dilationW 2, expected 1"),
    "fraction": ("generator", having(FULL, kW=1.5), "has kW 1.5, not a size"),
    "wide": ("encoder_z", having(CONV, nOutputPlane=2**31 - 1), "has nOutputPlane 2.14748e+09, no"),
    "slope": ("discriminator", having("nn.LeakyReLU", negval=0.1), "slope 0.1, expected 0.2"),
    "threshold": ("generator", having("nn.ReLU", val=1), "is no ReLU"),
    "join": ("generator", having("nn.JoinTable", dimension=2), "doesn't join along the channels"),
    "repeats": (
        "discriminator",
        having("nn.Replicate", nfeatures=4),
        "layer 2 (nn.JoinTable) is given y (4, 8) times, expected 8 each way",
    ),
    "not repeated": (
        "discriminator",
        having("nn.Replicate", class_name="nn.Linear"),
        "layer 1.2.1 (nn.Linear): y is only repeated before it joins",
    ),
    "reshape": (
        "encoder_z",
        having("nn.View", size=Storage(np.array([2, 4]), "torch.LongStorage")),
        "layer 13 (nn.View) reshapes otherwise than to a vector",
    ),
    "no eps": ("encoder_z", having(NORM, eps="small"), "has no number 'eps'"),
    "no mean": ("encoder_z", having(NORM, running_mean=None), "running_mean of shape None"),
    "no tensor": ("encoder_z", having(NORM, running_var=3), "has a running_var that is no tensor"),
    "short": ("encoder_z", having(NORM, running_var=NAN), "running_std) of 2 numbers"),
    "negative": (
        "encoder_z",
        having(NORM, running_var=tensor([1, -1])),
        "layer 2 (nn.SpatialBatchNormalization) has a running_var of which no batch norm",
    ),
    "affine": ("encoder_z", having(NORM, weight=None), "weight of shape None, expected [2]"),
    "not finite": ("generator", having(NORM, bias=NAN), "a bias with values that are not finite"),
    "too large": (
        "generator",
        having(NORM, bias=tensor([1e300] * 8, "Double", np.float64)),
        "has a bias with values that are not finite",
    ),
    "no weight": ("generator", having(FULL, weight=None), "(nn.SpatialFullConvolution) has no wei"),
    "shape": (
        "generator",
        having(FULL, weight=NAN),
        "a weight of shape [8], expected [8, 8, 4, 4]",
    ),
    "outside": (
        "generator",
        having(NORM, bias=View([8], [1], 2, ONES)),
        "bias has a tensor of shape [8] that doesn't fit its storage of 8 elements",
    ),
    "overlap": ("generator", having(NORM, bias=View([10**15], [0], 1, ONES)), "fit its storage"),
    "backwards": ("generator", having(NORM, bias=View([8], [-1], 8, ONES)), "impossible shape"),
    "before": ("generator", having(NORM, bias=View([8], [1], 0, ONES)), "impossible shape"),
}
# Another network in its place.
NETWORKS: dict[str, tuple[str, Make, str]] = {
    "graph": (
        "generator",
        lambda: Object("nn.gModule", {"modules": {}}),
        "generator.t7: the network (nn.gModule): no IcGAN network has such a layer there",
    ),
    "hostile name": (
        "generator",
        lambda: Object("\x1b[31mevil\n" + "x" * 5000),
        f"the network (?[31mevil?{'x' * 50}…): no IcGAN network",
    ),
    "too long": (
        "encoder_z",
        lambda: sequential(e(), Maker.relu()),
        "layer 2 (nn.ReLU) is one too",
    ),
    "too short": ("generator", lambda: sequential(*list(children(G()))[:-1]), "ends where a tanh"),
    "a table": ("generator", lambda: lua_list([G()]), "generator.t7 holds no network"),
    "no modules": ("generator", sequential, "the network (nn.Sequential) holds no modules"),
    "module": ("generator", lambda: Object("nn.Sequential", {"modules": {1: "x"}}), "1 is missing"),
    "swapped": ("generator", D, "generator.t7 holds no generator: it has no full convolution"),
    "no encoder": ("encoder_z", G, "encoder_z.t7 holds no encoder: it has no convolution"),
    "three": ("encoder_y", lambda: sequential(e(3), Maker().linear(3, 3)), "3 fully connected lay"),
    "z": ("encoder_z", lambda: e(6), "generator.t7 takes 8 numbers, but encoder Z gives 6 for z"),
    "size": ("encoder_z", lambda: e(size=32), "(nn.Linear) has a weight of shape [64, 64], expect"),
    "channels": ("encoder_z", lambda: e(channels=1), "layer 1 (nn.SpatialConvolution) has nInputP"),
    "colours": ("generator", lambda: G(channels=2), "channels must be 1 or 3"),
    "no y": ("discriminator", lambda: sequential(Maker().conv(3, 4, 4)), "joins y 0 times"),
    "apart": ("generator", lambda: sequential(Object("nn.ParallelTable")), "isn't joined again"),
    "alone": (
        "generator",
        lambda: sequential(G(), Object("nn.JoinTable")),
        "joins the parts of no",
    ),
    "parts": (
        "discriminator",
        lambda: sequential(
            Object("nn.ParallelTable", {"modules": lua_list([Maker.relu()])}),
            Object("nn.JoinTable", {"dimension": 1, "nInputDims": 3}),
        ),
        "layer 1 (nn.ParallelTable) has 1 parts, not images and y",
    ),
}


def children(tree: Object) -> list[Object]:
    return list(tree.fields["modules"].values())


def refused(folder: Path, **trees: Any) -> str:
    with pytest.raises(ModelFormatError) as caught:
        convert(make_trees(**trees), folder)
    message = str(caught.value)
    assert message.isprintable()
    return message.replace(f"{folder}/", "")


@pytest.mark.parametrize("case", LAYERS)
def test_a_layer_that_does_not_fit_is_named(case: str, tmp_path: Path) -> None:
    name, change, message = LAYERS[case]
    assert message in refused(tmp_path, **{name: change(make_trees()[name])})


@pytest.mark.parametrize("case", NETWORKS)
def test_other_networks_are_named(case: str, tmp_path: Path) -> None:
    name, make, message = NETWORKS[case]
    assert message in refused(tmp_path, **{name: make()})


def test_encoders_and_attributes_have_to_fit_the_design(tmp_path: Path) -> None:
    trees = make_trees(encoder_z=Maker().shared_encoder())
    with pytest.raises(ModelFormatError, match=r"holds both encoders \(SNG\): leave out .*er_y"):
        convert(trees, tmp_path)
    trees = make_trees()
    with pytest.raises(ConfigError, match=r"encoder_y\.t7 reads 3 attributes, but 2 are named"):
        convert(trees, tmp_path, attributes="Bald,Male")
    del trees["encoder_y"]
    with pytest.raises(ModelFormatError, match="one encoder only: give that of y too"):
        convert(trees, tmp_path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"no such file: .*none\.t7"):
        from_torch7(tmp_path / "none.t7", "z")
    with pytest.raises(ModelFormatError, match="is not a file"):
        from_torch7(tmp_path, "z")


def test_nothing_else_is_exported_from_artefacts() -> None:
    assert artefacts.__all__ == ["from_torch7"]
    with pytest.raises(AttributeError, match="no attribute 'torch8'"):
        _ = artefacts.torch8
