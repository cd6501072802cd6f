"""Copying saved weights into our networks, after comparing the two layer by layer."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from icgan_sdk.artefacts.torch7.layers import Layer, SavedNetwork
from icgan_sdk.artefacts.torch7.plan import Step, steps_of

Floats = npt.NDArray[np.float64]
SLOPE_TOLERANCE = 1e-6


def load_weights(network: nn.Module, saved: SavedNetwork, image_size: int) -> None:
    """Compare a network with a file, layer by layer, and copy the file's weights.

    Args:
        network: Ours, on the meta device: it gets memory only after all layers were compared.
        saved: The file's.
        image_size: Side of the images.

    Raises:
        ModelFormatError: If a layer differs, is missing or superfluous, or has weights that are not
            finite.
    """
    steps, layers = list(steps_of(network, image_size)), _without_outer_views(saved.layers)
    for layer, step in zip(layers, steps, strict=False):
        _check(layer, step)
    if len(layers) > len(steps):
        layers[len(steps)].refuse("is one too many: the network ends before it")
    if len(layers) < len(steps):
        saved.refuse(f"ends where a {steps[len(layers)].kind} should follow")
    count = sum(parameter.numel() for parameter in network.parameters())
    if count > saved.n_bytes:  # layers may share a storage, in a file made to exhaust memory
        saved.refuse(f"can't hold the {count} weights it claims")
    state: dict[str, Tensor] = {}
    for layer, step in zip(layers, steps, strict=True):
        if isinstance(step.module, nn.BatchNorm1d | nn.BatchNorm2d):
            tensors = _statistics(layer, step.module)
        elif isinstance(step.module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            tensors = _weight_and_bias(layer, step.module)
        else:
            continue
        state |= {f"{step.name}.{name}": tensor for name, tensor in tensors.items()}
    network.load_state_dict(state, strict=True, assign=True)


def _without_outer_views(layers: list[Layer]) -> list[Layer]:
    """The layers without the views that only shape a network's input or output."""
    inner = [i for i, layer in enumerate(layers) if layer.kind != "flattening"]
    return layers[inner[0] : inner[-1] + 1] if inner else []


def _check(layer: Layer, step: Step) -> None:
    if layer.kind != step.kind:
        layer.refuse(f"is a {layer.kind}, where a {step.kind} should be")
    if isinstance(step.module, nn.Conv2d | nn.ConvTranspose2d):
        _check_convolution(layer, step.module)
    if isinstance(step.module, nn.LeakyReLU):
        slope = layer.number("negval")
        if abs(slope - step.module.negative_slope) > SLOPE_TOLERANCE:
            layer.refuse(f"has the slope {slope:g}, expected {step.module.negative_slope:g}")
    if step.kind == "joining of y" and any(n != step.side for n in layer.repeats):
        layer.refuse(f"is given y {layer.repeats} times, expected {step.side} each way")


def _check_convolution(layer: Layer, module: nn.Conv2d | nn.ConvTranspose2d) -> None:
    in_old_files = layer.size("padding", 0)
    pad_w = layer.size("padW", in_old_files)
    facts = {
        "nInputPlane": (layer.size("nInputPlane"), module.in_channels),
        "nOutputPlane": (layer.size("nOutputPlane"), module.out_channels),
        "kW": (layer.size("kW"), module.kernel_size[1]),
        "kH": (layer.size("kH"), module.kernel_size[0]),
        "dW": (layer.size("dW", 1), module.stride[1]),
        "dH": (layer.size("dH", 1), module.stride[0]),
        "padW": (pad_w, module.padding[1]),
        "padH": (layer.size("padH", pad_w), module.padding[0]),
        **{name: (layer.size(name, 0), 0) for name in ("adjW", "adjH")},
        **{name: (layer.size(name, 1), 1) for name in ("groups", "dilationW", "dilationH")},
    }
    for name, (found, expected) in facts.items():
        if found != expected:
            layer.refuse(f"has {name} {found}, expected {expected}")


def _weight_and_bias(
    layer: Layer, module: nn.Conv2d | nn.ConvTranspose2d | nn.Linear
) -> dict[str, Tensor]:
    shape = tuple(module.weight.shape)
    n_out = module.out_features if isinstance(module, nn.Linear) else module.out_channels
    weight = layer.tensor("weight")
    if weight is None:
        layer.refuse("has no weight")
    # Old convolutions hold a matrix of the same elements.
    if weight.shape not in {shape, (shape[0], int(np.prod(shape[1:])))}:
        layer.refuse(f"has a weight of shape {list(weight.shape)}, expected {list(shape)}")
    bias = _vector(layer, "bias", n_out, default=0.0)
    return {"weight": _finite(layer, "weight", weight, shape), "bias": bias}


def _statistics(layer: Layer, module: nn.BatchNorm1d | nn.BatchNorm2d) -> dict[str, Tensor]:
    n = module.num_features
    # A layer that isn't affine scales by 1 and shifts by 0.
    affine = layer.flag("affine", default=False)
    return {
        "weight": _vector(layer, "weight", n, default=None if affine else 1.0),
        "bias": _vector(layer, "bias", n, default=None if affine else 0.0),
        "running_mean": _vector(layer, "running_mean", n),
        "running_var": _variance(layer, module),
        "num_batches_tracked": torch.zeros((), dtype=torch.long),
    }


def _variance(layer: Layer, module: nn.BatchNorm1d | nn.BatchNorm2d) -> Tensor:
    """The variance that makes our batch norm, with its own eps, divide as the saved one does."""
    n, eps = module.num_features, layer.number("eps", module.eps)
    variance = layer.tensor("running_var")
    name = "running_std" if variance is None else "running_var"
    found = layer.tensor(name)
    if found is None or found.shape != (n,):
        layer.refuse(f"has no running_var (or running_std) of {n} numbers")
    with np.errstate(all="ignore"):
        values: Floats = found.astype(np.float64)
        # In old files it is 1 / √(variance + eps).
        divided_by = values + eps if name == "running_var" else values**-2.0
    if not bool((divided_by > 0).all()):
        layer.refuse(f"has a {name} of which no batch norm can be computed")
    return _finite(layer, name, divided_by - module.eps, (n,))


def _vector(layer: Layer, name: str, size: int, default: float | None = None) -> Tensor:
    found = layer.tensor(name)
    if found is None and default is not None:
        return torch.full((size,), default)
    if found is None or found.shape != (size,):
        shape = None if found is None else list(found.shape)
        layer.refuse(f"has a {name} of shape {shape}, expected {[size]}")
    return _finite(layer, name, found, (size,))


def _finite(
    layer: Layer, name: str, values: npt.NDArray[np.generic], shape: tuple[int, ...]
) -> Tensor:
    with np.errstate(over="ignore"):
        copied = np.array(values, np.float32, order="C").reshape(shape)
    if not bool(np.isfinite(copied).all()):
        layer.refuse(f"has a {name} with values that are not finite")
    return torch.from_numpy(copied)
