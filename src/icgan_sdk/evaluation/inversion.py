"""How well the encoders invert the generator (paper §3.2 and §5.3)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from icgan_sdk.data import LabelSampler, PreparedDataset
from icgan_sdk.engines.batches import decode, encode
from icgan_sdk.evaluation.passes import device_of, generated_images, real_images
from icgan_sdk.model import IcGANNetworks, draw_noise
from icgan_sdk.pictures.arrays import strip_padding


@dataclass(frozen=True)
class Spread:
    """How encoded z is spread over images, in units of z; of the noise itself 0 and 1.

    (Uniform noise: 0 and 0.577.) E_z is trained to the mean of what z may be, so its answers vary
    less than the noise; the original code met this by scaling encoded z.

    Attributes:
        mean: Mean over images and dimensions.
        std: Standard deviation over images, averaged over the dimensions.
        std_min: The smallest of any dimension.
        std_max: The largest.
    """

    mean: float
    std: float
    std_min: float
    std_max: float


@dataclass(frozen=True)
class Inversion:
    """Errors of E_z and E_y.

    Attributes:
        generated: Generated images measured.
        real: Real images measured.
        z_error: L_ez, equation 3, per dimension: the mean of (z − E_z(G(z, y')))² over fresh z and
            labels of the data (§5.3). 1 is what answering 0 would get, on normal noise.
        y_error: L_ey, equation 4, per attribute: the mean of (y − E_y(x))² over real images, y −1
            or 1. None without attributes.
        pixel_error: Mean of (x − G(E_z(x), E_y(x)))² over the pixels of real images, without
            padding, pixels in [0, 1].
        z_generated: Spread of z encoded from the generated images.
        z_real: Spread of z encoded from the real ones.
    """

    generated: int
    real: int
    z_error: float
    y_error: float | None
    pixel_error: float
    z_generated: Spread
    z_real: Spread


@torch.inference_mode()
def measure_inversion(
    networks: IcGANNetworks,
    dataset: PreparedDataset,
    generator: torch.Generator,
    *,
    generated: int = 10_000,
) -> Inversion:
    """Measure the encoders on all of a partition and on fresh generated images.

    Generated images reach the encoders as the generator gives them, not rounded to 8 bits.

    Args:
        networks: In eval mode.
        dataset: Real images, and the labels that y' is drawn from.
        generator: For z and y'; on the CPU.
        generated: How many images to generate, at least 2.
    """
    config, device = networks.config, device_of(networks)
    y = LabelSampler(dataset.all_labels(), dataset.attributes).sample(generated, generator)
    z = draw_noise(generated, config, generator)
    found, start = [], 0
    for x in generated_images(networks, z, y):
        # The IND-COND design is told y', as in training.
        found.append(networks.encode_z(x.to(device), y[start : start + len(x)].to(device)).cpu())
        start += len(x)
    encoded, read, pixels = [], [], []
    for x in real_images(dataset, len(dataset)):
        latent = encode(networks, x, device, refine=0)
        error = strip_padding(decode(networks, latent, device) - x, config) / 2
        encoded.append(latent.z.cpu())
        read.append(latent.y.cpu())
        pixels.append(error.square().mean((1, 2, 3)))
    return Inversion(
        generated=generated,
        real=len(dataset),
        z_error=_mean_square(torch.cat(found) - z),
        y_error=_mean_square(torch.cat(read) - dataset.all_labels()) if y.shape[1] else None,
        pixel_error=float(torch.cat(pixels).double().mean()),
        z_generated=_spread(torch.cat(found)),
        z_real=_spread(torch.cat(encoded)),
    )


def _mean_square(errors: Tensor) -> float:
    return float(errors.double().square().mean())


def _spread(z: Tensor) -> Spread:
    stds = z.double().std(dim=0, correction=0)
    return Spread(float(z.double().mean()), *map(float, (stds.mean(), stds.min(), stds.max())))
