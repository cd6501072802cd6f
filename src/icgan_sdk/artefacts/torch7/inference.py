"""Inferring the architecture of saved networks: the ModelConfig that builds them."""

from typing import Any, NamedTuple

from icgan_sdk.artefacts.torch7.layers import Kind, Layer, SavedNetwork
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import MAX_IMAGE_SIZE, Crop, EncoderDesign, ModelConfig, Noise
from icgan_sdk.errors import ConfigError, ModelFormatError


class SavedNetworks(NamedTuple):
    """The files of one model.

    Attributes:
        generator: G.
        encoder_z: E_z, or the one encoder of the SNG design.
        encoder_y: E_y; None with SNG.
        discriminator: D, if it is to be kept.
    """

    generator: SavedNetwork
    encoder_z: SavedNetwork
    encoder_y: SavedNetwork | None
    discriminator: SavedNetwork | None


def infer_config(
    saved: SavedNetworks, attributes: AttributeSet, crop: Crop | None, noise: Noise
) -> ModelConfig:
    """Infer the config from a few layers of the files.

    Whether all other layers fit is checked when the weights are copied.

    Args:
        saved: The files.
        attributes: Names of the attributes in y's order. This and what follows no file records.
        crop: Where in an aligned frame the training pictures were cut.
        noise: The distribution of z in training.

    Raises:
        ModelFormatError: If a file holds another kind of network, or sizes are out of range.
        ConfigError: If there are more or fewer attributes than the networks have.
    """
    design = _design(saved)
    n_y = len(attributes)
    settings = _encoders(saved, design, n_y)
    settings |= _generator(saved.generator, n_y, settings["z_dim"])
    if saved.discriminator is not None:
        settings |= _discriminator(saved.discriminator)
    try:
        return ModelConfig(
            **settings, encoder_design=design, attributes=attributes, crop=crop, noise=noise
        )
    except ConfigError as error:
        raise ModelFormatError(f"{saved.generator.path} and its encoders: {error}") from error


def _design(saved: SavedNetworks) -> EncoderDesign:
    z, y = saved.encoder_z, saved.encoder_y
    if z.of_kind("branch"):
        if y is not None:
            z.refuse(f"holds both encoders (SNG): leave out {y.path}")
        return "sng"
    if y is None:
        z.refuse("holds one encoder only: give that of y too")
    return "ind_cond" if z.of_kind("joining of y") else "ind"


def _generator(saved: SavedNetwork, n_y: int, z_dim: int) -> dict[str, Any]:
    doubling = _some(saved, "full convolution", "generator")
    y_layer = _layers_before_y(saved, "full convolution")
    first, last = doubling[0], doubling[-1]
    connected = [n for n in saved.layers[: saved.layers.index(first)] if _is_connected(n)]
    fc = connected[0] if connected else None
    taken = first.size("nInputPlane") if fc is None else _connected(fc)[1]
    if taken != z_dim + (n_y if y_layer == 0 else 0):
        saved.refuse(f"takes {taken} numbers, but encoder Z gives {z_dim} for z, and y has {n_y}")
    hidden = len(doubling) - 1
    # The first layer gives 4×4, each further one doubles the side.
    size = 4 * 2 ** min(hidden, MAX_IMAGE_SIZE)
    return {
        "image_size": size,
        "channels": last.size("nOutputPlane"),
        "generator_width": last.size("nInputPlane") - (n_y if y_layer == hidden else 0),
        "generator_fc": 0 if fc is None else _connected(fc)[0],
        "generator_y_layer": y_layer,
    }


def _discriminator(saved: SavedNetwork) -> dict[str, Any]:
    first = _some(saved, "convolution", "discriminator")[0]
    return {
        "discriminator_width": first.size("nOutputPlane"),
        "discriminator_y_layer": _layers_before_y(saved, "convolution"),
    }


def _encoders(saved: SavedNetworks, design: EncoderDesign, n_y: int) -> dict[str, Any]:
    z = saved.encoder_z
    halving = _some(z, "convolution", "encoder")
    linear = [n for n in z.layers if _is_connected(n)]
    y = saved.encoder_y
    linear_y = linear[2:] if y is None else [n for n in y.layers if _is_connected(n)]
    layers = len(halving)
    if design == "sng":
        layers = 1 + (layers - 1) // 2  # the first convolution is shared
    hidden_z = _hidden(z, linear[:2] if design == "sng" else linear)
    hidden_y = _hidden(z if y is None else y, linear_y)
    n_read = _connected(linear_y[1])[0]
    if n_read != n_y:
        path = z.path if y is None else y.path
        raise ConfigError(f"{path} reads {n_read} attributes, but {n_y} are named")
    width = halving[0].size("nOutputPlane")
    halving_y = halving[:layers] if y is None else _some(y, "convolution", "encoder")
    width_y, layers_y = halving_y[0].size("nOutputPlane"), len(halving_y)
    return {
        "z_dim": _connected(linear[1])[0],
        "encoder_width": width_y,
        "encoder_layers": layers_y,
        "encoder_z_width": 0 if width == width_y else width,
        "encoder_z_layers": 0 if layers == layers_y else layers,
        "encoder_z_fc": hidden_z,
        "encoder_y_fc": hidden_y,
    }


def _hidden(saved: SavedNetwork, linear: list[Layer]) -> int:
    if len(linear) != 2:
        saved.refuse(
            f"holds no encoder: {len(linear)} fully connected layers, not 2 for each of z, y"
        )
    units, features = _connected(linear[0])
    return 0 if units == features else units


def _layers_before_y(saved: SavedNetwork, kind: Kind) -> int:
    joins = saved.of_kind("joining of y")
    if len(joins) != 1:
        saved.refuse(f"joins y {len(joins)} times: it has to once")
    before = saved.layers[: saved.layers.index(joins[0])]
    return sum(layer.kind == kind for layer in before)


def _some(saved: SavedNetwork, kind: Kind, network: str) -> list[Layer]:
    found = saved.of_kind(kind)
    if not found:
        saved.refuse(f"holds no {network}: it has no {kind}")
    return found


def _is_connected(layer: Layer) -> bool:
    return layer.kind == "fully connected layer"


def _connected(layer: Layer) -> tuple[int, int]:
    """Outputs and inputs of a fully connected layer."""
    weight = layer.tensor("weight")
    if weight is None or weight.ndim != 2:
        layer.refuse("has no weight of 2 dimensions")
    rows, columns = weight.shape
    return rows, columns
