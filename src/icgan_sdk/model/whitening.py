"""A change of z's coordinates: real pictures' z come nearer to N(0, 1), and every picture stays.

After training, the z that E_z finds in real pictures have not quite the distribution that z is
drawn from: many directions hardly vary, a few vary more. What is drawn from N(0, 1) then shows
mixtures that no real picture has. Ex-post density estimation (Ghosh et al. 2020, "From Variational
to Deterministic Autoencoders") fits a Gaussian to the encoded pictures and draws from that. Here
the Gaussian goes into the weights, so that N(0, 1) stays what z is drawn from.
"""

import torch
from torch import Tensor

from icgan_sdk.errors import ConfigError
from icgan_sdk.model.bundle import IcGANNetworks
from icgan_sdk.model.encoders import FaceEncoder
from icgan_sdk.model.protocols import ChangesZ

LEAST = 0.3
"""Second moment that a direction is taken to have at least.

G hardly shows what varies less than that, so that it matters little for what is drawn; and a z
along it is the harder to find again the more it is stretched. (At 128×128 the bundled model's FID
fell from 7.4 to 6.1 with 0.3, and no further with less, while L_ez rose from 0.50 to 0.59, and to
0.88 with 0.)
"""


def changing(networks: IcGANNetworks) -> list[ChangesZ]:
    """G and E_z, if they can express z in other coordinates.

    Raises:
        ConfigError: If they can't.
    """
    encoder = networks.encoder_z
    parts: list[object] = [networks.generator, encoder]
    if isinstance(encoder, FaceEncoder):
        parts.append(encoder.encoder)
    for part in parts:
        if not isinstance(part, ChangesZ):
            name = "an encoder of z and y" if part is None else type(part).__name__
            raise ConfigError(f"{name} can't express z in other coordinates: leave whiten out")
    return [part for part in parts[:2] if isinstance(part, ChangesZ)]


def whiten(networks: IcGANNetworks, z: Tensor) -> None:
    """Express z so that the second moments of given ones are nearer to those of N(0, 1).

    G(E_z(x), y) stays what it was; G of a z that is drawn becomes more like it.

    Args:
        networks: Of the design "ind", with architectures that are `ChangesZ`; changed in place.
        z: What E_z finds in real pictures, [N, z_dim], many more than z_dim.

    Raises:
        ConfigError: If an architecture knows no other coordinates.
    """
    found = z.cpu().double()
    moments, axes = torch.linalg.eigh(found.T @ found / len(found))
    # The symmetric root: of all that fit, it moves the coordinates least.
    root = axes @ (moments.clamp_min(LEAST).sqrt()[:, None] * axes.T)
    for network in changing(networks):
        network.change_z(root)
