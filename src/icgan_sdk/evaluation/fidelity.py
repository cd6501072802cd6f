"""How near the distribution of generated images is to that of real ones: FID and KID."""

import hashlib
import importlib.util
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError, DatasetError
from icgan_sdk.evaluation.passes import device_of, features_of, generated_images, real_images
from icgan_sdk.evaluation.referee import Referee
from icgan_sdk.model import IcGANNetworks, draw_noise
from icgan_sdk.pictures.arrays import strip_padding, tensor_to_pixels

KID_SUBSETS, KID_SUBSET_SIZE = 100, 1000
"""The usual numbers; where there are fewer images, a subset holds as many as there are."""

INCEPTION_URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth"
)
"""The weights of the standard FID's Inception network, as torch-fidelity names them."""

INCEPTION_PLACE = "into torch.hub's folder (TORCH_HOME/hub/checkpoints)"
INCEPTION_SHA256 = "6726825d"
"""How the SHA-256 of the weights' file starts."""


@dataclass(frozen=True)
class Fidelity:
    """Distances of generated from real images.

    FID falls as images are added, and both depend on the network that gives the features: compare
    only figures of the same data, number and referee.

    Attributes:
        images: Real images, and as many generated ones.
        features: Size of the referee's features; from fewer images than that, FID says little.
        fid: Fréchet distance ‖μ − μ'‖² + tr(Σ + Σ' − 2(ΣΣ')^½) of Gaussians fitted to the features
            of real and generated images (Heusel et al. 2017, arXiv 1706.08500, with Inception's
            features; here the referee's), computed in float64.
        kid: Squared maximum mean discrepancy of the features with the kernel (xᵀx'/F + 1)³,
            unbiased, so about 0 for equal distributions whatever their number (Bińkowski et al.
            2018, arXiv 1801.01401); mean over subsets.
        kid_std: Its standard deviation over the subsets; 0 where there is only one.
        inception_fid: The standard FID, with the 2048 features of Inception as torchmetrics takes
            them (antialiased to 299×299); None if it could not be had.
        inception_note: Why not; empty if it could.
    """

    images: int
    features: int
    fid: float
    kid: float
    kid_std: float
    inception_fid: float | None
    inception_note: str


class _AsTheyAre(nn.Module):
    """Passes features on, for metrics that want a network to extract them."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.num_features = features

    def forward(self, x: Tensor) -> Tensor:
        return x


def measure_fidelity(
    networks: IcGANNetworks,
    dataset: PreparedDataset,
    referee: Referee,
    generator: torch.Generator,
    *,
    limit: int = 50_000,
) -> Fidelity:
    """Compare G(z, y), y the labels of real images and z fresh, with these images.

    Args:
        networks: In eval mode.
        dataset: One partition.
        referee: In eval mode, of the same attributes; gives the features.
        generator: For z and KID's subsets; on the CPU.
        limit: The first so many images are compared.

    Raises:
        ConfigError: If torchmetrics is not installed.
        DatasetError: If there are fewer than two images.
    """
    referee.check_fits(networks.config)
    count = min(limit, len(dataset))
    if count < 2:
        raise DatasetError(f"FID needs at least two images, but there are {count}")
    z, y = draw_noise(count, networks.config, generator), dataset.labels(slice(0, count))
    real = features_of(referee, real_images(dataset, count))
    generated = features_of(referee, generated_images(networks, z, y))
    kid, kid_std = kernel_distance(real, generated, generator)
    inception_fid, note = _inception_fid(networks, dataset, z, y)
    return Fidelity(
        images=count,
        features=real.shape[1],
        fid=frechet_distance(real, generated),
        kid=kid,
        kid_std=kid_std,
        inception_fid=inception_fid,
        inception_note=note,
    )


def frechet_distance(real: Tensor, generated: Tensor) -> float:
    """FID of features [N, F] and [M, F], N and M at least 2; never negative.

    Raises:
        ConfigError: If torchmetrics is not installed.
    """
    check_torchmetrics()
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=_AsTheyAre(real.shape[1]))
    # In float64, because the metric's result takes the type of what it is given.
    metric.update(real.cpu().double(), real=True)
    metric.update(generated.cpu().double(), real=False)
    return max(0.0, float(metric.compute()))  # rounding may lead below


def kernel_distance(
    real: Tensor, generated: Tensor, generator: torch.Generator
) -> tuple[float, float]:
    """KID of features [N, F] and [M, F], N and M at least 2: mean and deviation over subsets.

    Raises:
        ConfigError: If torchmetrics is not installed.
    """
    check_torchmetrics()
    from torchmetrics.image.kid import KernelInceptionDistance

    size = min(KID_SUBSET_SIZE, len(real), len(generated))
    is_whole = size == len(real) == len(generated)
    with warnings.catch_warnings():
        # It warns that it keeps all features, which are there anyway.
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save")
        metric = KernelInceptionDistance(
            _AsTheyAre(real.shape[1]), subsets=1 if is_whole else KID_SUBSETS, subset_size=size
        )
    metric.update(real.cpu().double(), real=True)
    metric.update(generated.cpu().double(), real=False)
    seed = int(torch.randint(2**62, (), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # the subsets come from the global one
        mean, deviation = metric.compute()
    return float(mean), float(deviation)


def _inception_fid(
    networks: IcGANNetworks, dataset: PreparedDataset, z: Tensor, y: Tensor
) -> tuple[float | None, str]:
    """The standard FID, or None and why it can't be had: it must never keep the others away."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_URL.rpartition("/")[2]
    if importlib.util.find_spec("torch_fidelity") is None:
        return None, "torch-fidelity is not installed: pip install torch-fidelity"
    if not path.is_file():
        return None, f"Inception's weights are missing: fetch {INCEPTION_URL} {INCEPTION_PLACE}"
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        # The file is pickled: it must be the published one before anything reads it.
        if not digest.startswith(INCEPTION_SHA256):
            return None, f"{path.name} is damaged: fetch {INCEPTION_URL} again"
        from torchmetrics.image.fid import FrechetInceptionDistance

        metric = FrechetInceptionDistance(2048, feature_extractor_weights_path=str(path))
        device = device_of(networks)
        metric.to("cpu" if device.type == "mps" else device)  # which has no float64
        for batch in real_images(dataset, len(z)):
            metric.update(_to_rgb(batch, networks).to(metric.device), real=True)
        for batch in generated_images(networks, z, y):
            metric.update(_to_rgb(batch, networks).to(metric.device), real=False)
        return max(0.0, float(metric.compute())), ""
    except Exception as error:  # of any kind: versions of three packages must fit each other
        return None, f"Inception's features can't be had: {error}"


def _to_rgb(images: Tensor, networks: IcGANNetworks) -> Tensor:
    """Images [B, C, S, S] in [-1, 1] without padding as uint8 [B, 3, H, H]."""
    pixels = torch.from_numpy(tensor_to_pixels(strip_padding(images, networks.config)))
    return pixels.permute(0, 3, 1, 2).expand(-1, 3, -1, -1)


def check_torchmetrics() -> None:
    """Raise ConfigError unless torchmetrics is installed."""
    if importlib.util.find_spec("torchmetrics") is None:
        raise ConfigError("FID and KID need torchmetrics: pip install 'icgan-sdk[evaluation]'")
