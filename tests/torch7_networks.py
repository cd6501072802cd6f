"""Networks as nn holds them, made up for tests, and what nn computes with them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.torch7_files import Fields, Object, Storage, View, lua_list, tensor


def sequential(*modules: Object) -> Object:
    return Object("nn.Sequential", {"modules": lua_list(modules)})


def fork(images: Object, labels: Object) -> Object:
    return Object("nn.ParallelTable", {"modules": lua_list([images, labels])})


def join() -> Object:
    return Object("nn.JoinTable", {"dimension": 1, "nInputDims": 3})


def replicate(side: int) -> Object:
    one = [Object("nn.Replicate", {"nfeatures": side, "dim": dim}) for dim in (2, 3)]
    return sequential(*one)


def flatten(*size: int) -> Object:
    values = np.array(size or (-1,), np.int64)
    return Object("nn.View", {"size": Storage(values, "torch.LongStorage"), "numInputDims": 3})


class Maker:
    """Makes layers with random weights, and networks of them as the original code saves them."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)

    def _draw(self, *shape: int) -> View:
        return tensor(self._random.normal(0, 0.3, shape))

    def conv(self, into: int, out: int, kernel: int, stride: int = 2) -> Object:
        pad = (kernel - 1) // 2 if stride == 2 else 0
        fields = self._kernel(into, out, kernel, stride, pad)
        return Object(
            "nn.SpatialConvolution", fields | {"weight": self._draw(out, into, kernel, kernel)}
        )

    def full(self, into: int, out: int, first: bool = False) -> Object:
        stride, pad = (1, 0) if first else (2, 1)
        fields = self._kernel(into, out, 4, stride, pad) | {"adjW": 0, "adjH": 0}
        return Object("nn.SpatialFullConvolution", fields | {"weight": self._draw(into, out, 4, 4)})

    def _kernel(self, into: int, out: int, kernel: int, stride: int, pad: int) -> Fields:
        return {
            "nInputPlane": into,
            "nOutputPlane": out,
            **dict.fromkeys(("kW", "kH"), kernel),
            **dict.fromkeys(("dW", "dH"), stride),
            **dict.fromkeys(("padW", "padH"), pad),
            "bias": self._draw(out),
        }

    def linear(self, into: int, out: int) -> Object:
        return Object("nn.Linear", {"weight": self._draw(out, into), "bias": self._draw(out)})

    def norm(self, n: int, spatial: bool = True) -> Object:
        fields = {
            "weight": self._draw(n),
            "bias": self._draw(n),
            "running_mean": self._draw(n),
            "running_var": tensor(self._random.uniform(0.1, 2, n)),
            "eps": 1e-5,
            "momentum": 0.1,
            "affine": True,
        }
        return Object(f"nn.{'Spatial' if spatial else ''}BatchNormalization", fields)

    @staticmethod
    def relu() -> Object:
        return Object("nn.ReLU", {"threshold": 0, "val": 0, "inplace": True})

    @staticmethod
    def leaky() -> Object:
        return Object("nn.LeakyReLU", {"negval": 0.2, "inplace": True})

    def generator(
        self, size: int = 16, z: int = 5, n_y: int = 3, width: int = 4, channels: int = 3,
        y_layer: int = 0, fc: int = 0,
    ) -> Object:  # fmt: skip
        """Input: a table of z [B, z, 1, 1] and y [B, n_y, 1, 1] ([B, n_y] for a later y)."""
        layers, hidden = [join()] if y_layer == 0 else [], size.bit_length() - 3
        into = z + (n_y if y_layer == 0 else 0)
        if fc:
            layers += [flatten(), self.linear(into, fc), self.norm(fc, False), self.relu()]
            layers += [flatten(fc, 1, 1)]
            into = fc
        for layer in range(1, hidden + 1):
            out = width * 2 ** (hidden - layer)
            layers += [self.full(into, out, layer == 1), self.norm(out), self.relu()]
            into = out
            if layer == y_layer:
                layers = [fork(sequential(*layers), replicate(2 ** (layer + 1))), join()]
                into += n_y
        return sequential(*layers, self.full(into, channels), Object("nn.Tanh"))

    def discriminator(
        self, size: int = 16, n_y: int = 3, width: int = 4, channels: int = 3, y_layer: int = 1
    ) -> Object:
        """Input: a table of x [B, C, S, S] and y [B, n_y]."""
        layers: list[Object] = []
        into, hidden = channels, size.bit_length() - 3
        for layer in range(hidden + 1):
            if layer == y_layer:
                images = sequential(*layers) if layers else Object("nn.Identity")
                layers = [fork(images, replicate(size // 2**layer)), join()]
                into += n_y
            if layer < hidden:
                out = width * 2**layer
                norm = [self.norm(out)] if layer else []
                layers += [self.conv(into, out, 4), *norm, self.leaky()]
                into = out
        return sequential(*layers, self.conv(into, 1, 4, 1), Object("nn.Sigmoid"), flatten(1))

    def encoder(
        self, out: int, size: int = 16, width: int = 2, hidden: int = 0, channels: int = 3,
        layers: int = 4, n_y: int = 0,
    ) -> Object:  # fmt: skip
        """Input: x, or a table of x and y where the encoder sees y."""
        convolutions, features = self._convolutions(channels + n_y, size, width, layers)
        head = self._head(features, hidden or features, out)
        joined = [fork(Object("nn.Identity"), replicate(size)), join()] if n_y else []
        return sequential(*joined, *convolutions, *head)

    def shared_encoder(self, z: int = 5, n_y: int = 3, size: int = 16, width: int = 2) -> Object:
        first, _ = self._convolutions(3, size, width, 1)
        branches = []
        for out in (z, n_y):
            rest, features = self._convolutions(width, size // 2, 2 * width, 3)
            branches.append(sequential(*rest, *self._head(features, features, out)))
        return sequential(*first, Object("nn.ConcatTable", {"modules": lua_list(branches)}))

    def _convolutions(
        self, into: int, size: int, width: int, layers: int
    ) -> tuple[list[Object], int]:
        found = []
        for layer in range(layers):
            out = width * 2**layer
            found += [self.conv(into, out, 5), self.norm(out), self.relu()]
            into = out
        return found, into * max(1, size >> layers) ** 2

    def _head(self, features: int, hidden: int, out: int) -> list[Object]:
        norm, last = self.norm(hidden, False), self.linear(hidden, out)
        return [flatten(), self.linear(features, hidden), norm, self.relu(), last]


PARAMETERS = ("weight", "bias", "running_mean", "running_var")
SHAPES = {"Replicate", "JoinTable", "View"}


def compute(module: Object, x: Any) -> Any:
    """What nn computes in evaluation mode; tables are lists."""
    name, f = module.name.split(".")[1], module.fields
    if name == "Sequential":
        for child in f["modules"].values():
            x = compute(child, x)
        return x
    if name in {"ParallelTable", "ConcatTable"}:
        parts = x if name == "ParallelTable" else [x] * len(f["modules"])
        return [compute(c, part) for c, part in zip(f["modules"].values(), parts, strict=True)]
    return _compute_shape(name, f, x) if name in SHAPES else _compute_layer(name, f, x)


def _compute_shape(name: str, f: Fields, x: Any) -> Tensor:
    if name == "Replicate":
        return torch.stack([x] * f["nfeatures"], f["dim"])
    if name == "JoinTable":
        return torch.cat(list(x), 1)
    size = f["size"].values.tolist()
    return torch.flatten(x, 1) if len(size) == 1 else torch.reshape(x, (-1, *size))


def _compute_layer(name: str, f: Fields, x: Tensor) -> Tensor:
    t = {k: torch.from_numpy(_values(f[k])) for k in PARAMETERS if f.get(k) is not None}
    if name == "SpatialConvolution":
        return F.conv2d(x, t["weight"], t.get("bias"), f["dW"], f["padW"])
    if name == "SpatialFullConvolution":
        return F.conv_transpose2d(x, t["weight"], t.get("bias"), f["dW"], f["padW"])
    if name == "Linear":
        return F.linear(x, t["weight"], t["bias"])
    if name.endswith("BatchNormalization"):
        statistics = t["running_mean"], t["running_var"]
        return F.batch_norm(x, *statistics, t.get("weight"), t.get("bias"), eps=f["eps"])
    if name in {"ReLU", "LeakyReLU"}:
        return F.leaky_relu(x, f.get("negval", 0.0))
    functions: dict[str, Callable[[Tensor], Tensor]]
    functions = {"Tanh": torch.tanh, "Sigmoid": torch.sigmoid, "Identity": torch.clone}
    return functions[name](x)


def _values(view: View) -> npt.NDArray[Any]:
    assert view.storage is not None
    flat = view.storage.values[view.offset - 1 :]
    strides = [s * flat.itemsize for s in view.strides]
    return np.lib.stride_tricks.as_strided(flat, view.sizes, strides).copy()


def layers(tree: Object) -> list[Object]:
    """All modules without children."""
    modules = tree.fields.get("modules")
    return [tree] if modules is None else [leaf for m in modules.values() for leaf in layers(m)]
