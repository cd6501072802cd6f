"""How near the distribution of generated images is to that of real ones: FID and KID."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from icgan_sdk.checks import require
from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import DatasetError
from icgan_sdk.evaluation.metrics.bench import Bench, given
from icgan_sdk.evaluation.metrics.inception import InceptionFID
from icgan_sdk.evaluation.metrics.measuring import measure_alone
from icgan_sdk.evaluation.metrics.metric import Metric
from icgan_sdk.evaluation.metrics.seeing import GeneratedBatch, RealBatch, RealPictures
from icgan_sdk.evaluation.referees.referee_network import Referee
from icgan_sdk.evaluation.report.markdown import Line, Section, number, table
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.devices import device_of

KID_SUBSETS, KID_SUBSET_SIZE = 100, 1000
"""The usual numbers. Where there are fewer images, a subset holds as many as there are."""

MEANING = """\
- *FID*: Fréchet distance of Gaussians fitted to features of real and generated images
  ([Heusel et al. 2017](https://arxiv.org/abs/1706.08500)). With the referee's features, it compares
  only with figures of the same referee, data and number of images. From fewer images than features
  it says little. The Inception FID is the usual one.
- *KID*: squared maximum mean discrepancy of the features with a cubic kernel, unbiased
  ([Bińkowski et al. 2018](https://arxiv.org/abs/1801.01401))."""


@dataclass(frozen=True)
class Fidelity:
    """Distances of generated from real images.

    FID falls as images are added, and both depend on the network that gives the features. So
    compare only figures of the same data, number and referee.

    Attributes:
        images: Real images, and as many generated ones.
        features: Size of the referee's features. From fewer images than that, FID says little.
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


class FidelityMetric(Metric[Fidelity]):
    """Compare G(z, y), y the labels of real images and z fresh, with these images.

    Args:
        bench: The model, the data, the referees.
        limit: Only the first so many images are compared.

    Raises:
        DatasetError: If there are fewer than two images.
    """

    name = "fidelity"

    def __init__(self, bench: Bench, *, limit: int = 50_000) -> None:
        super().__init__(bench)
        self.limit = limit
        if (count := min(limit, len(bench.pictures))) < 2:
            raise DatasetError(f"FID needs at least two images, but there are {count}")
        self._inception = InceptionFID(bench.config, device_of(bench.networks))
        self._real: list[Tensor] = []
        self._generated: list[Tensor] = []

    def see_real(self, batch: RealBatch) -> None:
        """Keep the referee's features."""
        if self.wants(batch):
            self._real.append(batch.real.read("residual").features)
            self._inception.update(batch.real.images, real=True)

    def see_generated(self, batch: GeneratedBatch) -> None:
        """Keep the referee's features."""
        if self.wants(batch):
            self._generated.append(batch.generated.read("residual").features)
            self._inception.update(batch.generated.images, real=False)

    def figures(self) -> Fidelity:
        """Compare the distributions.

        Raises:
            ConfigError: If torchmetrics is not installed.
        """
        real, generated = torch.cat(self._real), torch.cat(self._generated)
        kid, kid_std = kernel_distance(real, generated, self.bench.draws(self.name))
        inception_fid = self._inception.compute()
        return Fidelity(
            images=len(real),
            features=real.shape[1],
            fid=frechet_distance(real, generated),
            kid=kid,
            kid_std=kid_std,
            inception_fid=inception_fid,
            inception_note=self._inception.note,
        )

    @classmethod
    def summary(cls, figures: Fidelity, config: ModelConfig) -> list[Line]:
        """Both FIDs."""
        return [
            Line("FID (referee features)", number(figures.fid), "best: 0"),
            Line("Inception FID", number(figures.inception_fid), "best: 0"),
        ]

    @classmethod
    def section(cls, figures: Fidelity, config: ModelConfig, files: Mapping[str, str]) -> Section:
        """A table, and why the Inception FID is missing if it is."""
        f = figures
        rows = [
            ("FID (referee features)", number(f.fid)),
            ("KID (referee features)", f"{number(f.kid)} ± {number(f.kid_std)}"),
            ("Inception FID", number(f.inception_fid)),
        ]
        text = f"{f.images:,} generated images against as many real ones; {f.features} features."
        why_not = [f"No Inception FID: {f.inception_note}."] if f.inception_note else []
        blocks = [text, table(("Figure", "Value"), rows), *why_not, MEANING]
        return Section("Distribution of generated images", blocks)


def measure_fidelity(
    networks: IcGANNetworks,
    dataset: PreparedDataset,
    referee: Referee,
    generator: torch.Generator,
    *,
    limit: int = 50_000,
) -> Fidelity:
    """`FidelityMetric` alone.

    Args:
        networks: In eval mode.
        dataset: One partition.
        referee: In eval mode, of the same attributes; gives the features.
        generator: For z and KID's subsets; on the CPU.
        limit: Only the first so many images are compared.

    Raises:
        ConfigError: If torchmetrics is not installed.
        DatasetError: If there are fewer than two images.
    """
    bench = Bench(networks, RealPictures(dataset, {"residual": referee}), given(generator))
    return measure_alone(FidelityMetric(bench, limit=limit))


class _AsTheyAre(nn.Module):
    """Passes features on, for metrics that want a network to extract them."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.num_features = features

    def forward(self, x: Tensor) -> Tensor:
        return x


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
        # It warns that it keeps all features, but they are kept anyway.
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save")
        metric = KernelInceptionDistance(
            _AsTheyAre(real.shape[1]), subsets=1 if is_whole else KID_SUBSETS, subset_size=size
        )
    metric.update(real.cpu().double(), real=True)
    metric.update(generated.cpu().double(), real=False)
    seed = int(torch.randint(2**62, (), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # subsets are drawn from the global generator
        mean, deviation = metric.compute()
    return float(mean), float(deviation)


def check_torchmetrics() -> None:
    """Raise ConfigError unless torchmetrics is installed, and can be loaded."""
    require("torchmetrics", "FID and KID need torchmetrics: pip install 'icgan-sdk[evaluation]'")
