"""Torch7 files made up here: all sizes and designs, and all forms of the format."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from icgan_sdk.config import PAPER_CROP
from icgan_sdk.errors import ConfigError
from tests.torch7_files import Function, Object, Storage, View, lua_list, tensor
from tests.torch7_models import check, convert, make_trees
from tests.torch7_networks import Maker, flatten, layers, sequential


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize(
    ("generator", "encoder", "discriminator"),
    [
        ({}, {}, {}),
        ({"size": 8}, {"size": 8}, {"size": 8}),
        ({"size": 8, "y_layer": 1}, {"size": 8, "layers": 3}, {"size": 8, "y_layer": 0}),
        ({"size": 32, "width": 2}, {"size": 32, "layers": 3}, {"size": 32, "width": 3}),
        ({"channels": 1}, {"channels": 1, "width": 3}, {"channels": 1, "y_layer": 2}),
        ({"y_layer": 1, "fc": 6}, {"hidden": 6, "layers": 2}, {"y_layer": 0}),
        ({"y_layer": 2}, {"n_y": 3}, {"y_layer": 2, "width": 1}),
    ],
)
def test_sizes_and_designs(
    generator: dict[str, int],
    encoder: dict[str, int],
    discriminator: dict[str, int],
    ascii: bool,
    tmp_path: Path,
) -> None:
    make = Maker()
    of_y = {k: v for k, v in encoder.items() if k not in {"n_y", "hidden"}}
    trees = {
        "generator": make.generator(**generator),
        "encoder_z": make.encoder(5, **encoder),
        "encoder_y": make.encoder(3, hidden=9, **of_y),
        "discriminator": make.discriminator(**discriminator),
    }
    networks = convert(trees, tmp_path, ascii=ascii)
    assert networks.config.image_size == generator.get("size", 16)
    assert networks.config.encoder_design == ("ind_cond" if "n_y" in encoder else "ind")
    assert not networks.training
    check(networks, trees)


def test_encoders_of_different_sizes(tmp_path: Path) -> None:
    make = Maker()
    trees = {
        "generator": make.generator(),
        "encoder_z": make.encoder(5, width=4, layers=3),
        "encoder_y": make.encoder(3, hidden=9, width=2, layers=2),
    }
    networks = convert(trees, tmp_path)
    config = networks.config
    assert (config.encoder_width, config.encoder_layers) == (2, 2)
    assert (config.encoder_z_width, config.encoder_z_layers) == (4, 3)
    check(networks, trees)


def test_one_encoder_with_two_branches(tmp_path: Path) -> None:
    make = Maker()
    trees = {"generator": make.generator(), "encoder_z": make.shared_encoder()}
    networks = convert(trees, tmp_path)
    assert networks.config.encoder_layers == 4
    check(networks, trees)


@pytest.mark.parametrize("kind", ["Double", "Half", "Cuda", "CudaDouble", "CudaHalf"])
@pytest.mark.parametrize("ascii", [False, True])
def test_types_of_tensors(kind: str, ascii: bool, tmp_path: Path) -> None:
    trees = make_trees()
    dtype = np.float64 if "Double" in kind else np.float16 if "Half" in kind else np.float32
    for layer in layers(trees["generator"]):
        for name, value in layer.fields.items():
            if isinstance(value, View) and value.storage is not None:
                exact = value.storage.values.astype(np.float16).reshape(value.sizes)
                layer.fields[name] = tensor(exact, kind, dtype)
    networks = convert(trees, tmp_path, ascii=ascii)
    as_float32(trees["generator"])
    check(networks, trees)


def as_float32(tree: Object) -> None:
    for layer in layers(tree):
        for value in layer.fields.values():
            if isinstance(value, View) and value.storage is not None:
                value.storage.values = value.storage.values.astype(np.float32)


@pytest.mark.parametrize("form", [{}, {"ascii": True}, {"long_size": 4}])
def test_one_flat_storage_and_what_is_left_over(form: dict[str, Any], tmp_path: Path) -> None:
    """As ``getParameters`` and a training leave a network; one weight is even transposed."""
    trees = make_trees()
    views = [
        (layer, name, view)
        for layer in layers(trees["encoder_z"])
        for name, view in layer.fields.items()
        if isinstance(view, View)
    ]
    parts = [v.storage.values for _, _, v in views if v.storage is not None]
    flat, at = Storage(np.concatenate([np.zeros(3, np.float32), *parts])), 4
    for (layer, name, view), part in zip(views, parts, strict=True):
        layer.fields[name] = View(view.sizes, view.strides, at, flat)
        at += len(part)
    linear = next(m for m in layers(trees["encoder_z"]) if m.name == "nn.Linear")
    held = linear.fields["weight"]
    matrix = flat.values[held.offset - 1 :][: held.sizes[0] * held.sizes[1]].reshape(held.sizes)
    linear.fields["weight"] = View(held.sizes, [1, held.sizes[0]], 1, Storage(matrix.T.ravel()))
    left_over = {
        "gradWeight": linear.fields["weight"],
        "output": View([7, 10**9], [0, 0], 1, Storage(np.ones(1, np.float32))),  # expanded
        "buffer": View([], [], 1, None),
        "mask": tensor([0, 1, 255], "Byte", np.uint8),
        "signs": tensor([-1, 1], "Char", np.int8),
        "indices": tensor([1, -(2**31)], "Long", np.int64),
        "short": tensor([1], "CudaShort", np.int16),
        "counts": tensor([1], "CudaInt", np.int32),
        "closure": Function(8),
        "old_closure": Function(6),
        "legacy_closure": Function(7),
        "state": {"x": {1: None, 2: True, "again": linear}, linear.fields["bias"]: 1},
        "": "",
        "nan": float("nan"),
        "helper": Object("some.Class", {}, version=None),
    }
    linear.fields |= left_over
    trees["encoder_z"].fields["parent"] = trees["encoder_z"]
    networks = convert(trees, tmp_path, **form)
    check(networks, trees)


def test_classes_of_gpus_and_of_old_versions(tmp_path: Path) -> None:
    trees = make_trees()
    expected = make_trees()
    for layer in layers(trees["encoder_y"]):
        if layer.name != "nn.Linear":
            layer.name = layer.name.replace("nn.", "cudnn.")
        layer.fields |= {"groups": 1} if "Convolution" in layer.name else {}
    for layer in [*layers(trees["encoder_z"]), *layers(trees["generator"])]:
        layer.version = None
        fields = layer.fields
        if "Convolution" in layer.name:
            weight = fields["weight"]
            fields["weight"] = tensor(weight.storage.values.reshape(weight.sizes[0], -1))
            padding = fields.pop("padW")
            del fields["padH"]
            fields["padding"] = padding
            layer.name = layer.name.replace("nn.SpatialConvolution", "nn.SpatialConvolutionMM")
        elif "BatchNormalization" in layer.name:
            variance = fields.pop("running_var").storage.values
            fields["running_std"] = tensor(1 / np.sqrt(variance + 1e-5))
        elif layer.name == "nn.ReLU":
            layer.name = "nn.Threshold"
    wrapped = Object("nn.DataParallelTable", {"modules": lua_list([trees["generator"]])})
    copies = [Object(f"nn.{name}") for name in ("Copy", "Identity", "Contiguous")]
    trees["generator"] = sequential(copies[0], wrapped, *copies[1:])
    check(convert(trees, tmp_path), expected)


def test_batch_norm_of_another_eps_or_without_weights_computes_the_same(tmp_path: Path) -> None:
    trees = make_trees()
    norms = [m for m in layers(trees["generator"]) if "Norm" in m.name]
    norms[0].fields["eps"] = 0.01
    norms[1].fields |= {"affine": False, "weight": None, "bias": None}
    convolution = next(m for m in layers(trees["encoder_y"]) if "Conv" in m.name)
    del convolution.fields["bias"]
    check(convert(trees, tmp_path), trees)


def test_views_that_only_shape_the_ends(tmp_path: Path) -> None:
    trees = make_trees()
    trees["encoder_z"] = sequential(trees["encoder_z"], flatten(5, 1, 1))
    networks = convert(trees, tmp_path)
    trees["encoder_z"] = sequential(trees["encoder_z"], flatten())
    check(networks, trees)


def test_names_of_attributes(tmp_path: Path) -> None:
    trees = make_trees()
    config = convert(trees, tmp_path, attributes="Black_Hair, Smiling,Blond_Hair").config
    assert config.attributes.groups == {"hair_color": ("Black_Hair", "Blond_Hair")}
    assert config.crop == PAPER_CROP
    config = convert(trees, tmp_path, attributes=["x", "y", "z"]).config
    assert (config.attributes.names, config.crop) == (("x", "y", "z"), None)
    for wrong, message in (("x,x,y", "repeat: x"), ("x,,y", "non-empty"), ("", "non-empty")):
        with pytest.raises(ConfigError, match=message):
            convert(trees, tmp_path, attributes=wrong)
