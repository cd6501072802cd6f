"""How well the encoders invert the generator (paper §3.2 and §5.3)."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import LabelSampler, PreparedDataset
from icgan_sdk.engines.pytorch import decode
from icgan_sdk.evaluation.metrics.bench import REFINED_PICTURES, Bench, given
from icgan_sdk.evaluation.metrics.likeness import BEST, Likeness, likeness_cell
from icgan_sdk.evaluation.metrics.measuring import measure_alone
from icgan_sdk.evaluation.metrics.metric import NO_REFEREE, Metric
from icgan_sdk.evaluation.metrics.seeing import RealBatch, RealPictures
from icgan_sdk.evaluation.report.markdown import NONE, Line, Section, number, table
from icgan_sdk.model import IcGANNetworks, draw_noise
from icgan_sdk.model.devices import device_of
from icgan_sdk.pictures.arrays import strip_padding
from icgan_sdk.training.rows import chunks

GENERATED_IMAGES = 10_000
"""The most images that are generated for L_ez."""

MEANING = """\
- *L_ez*: mean of (z − E_z(G(z, y)))², per dimension; *L_ey*: mean of (y − E_y(x))², per attribute
  ([Perarnau et al. 2016](https://arxiv.org/abs/1611.06355), equations 3 and 4).
- *Pixels*: mean of (x − G(E_z(x), E_y(x)))², pixels in [0, 1].
- *PSNR*: mean of 10 log₁₀(1 / that of one picture); *SSIM*: structural similarity
  ([Wang et al. 2004](https://doi.org/10.1109/TIP.2003.819861)), 1 for equal pictures. On CelebA,
  [Liu et al. 2019](https://arxiv.org/abs/1904.09709) report 15.3 dB for IcGAN, 24.1 dB for AttGAN
  and 31.7 dB for their STGAN; the last two copy the picture's details past the bottleneck.
- *Spread of z*: mean ± standard deviation of encoded z; that of the noise itself is 0 ± 1 (uniform:
  0 ± 0.577)."""


@dataclass(frozen=True)
class Spread:
    """How encoded z is spread over images, in units of z. The noise itself has 0 and 1.

    (Uniform noise has 0 and 0.577.) E_z learns the mean of what z may be, so its answers vary less
    than the noise. The original code scales encoded z to make up for that.

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
class EncoderErrors:
    """Errors of E_z and E_y.

    Attributes:
        generated: Generated images measured.
        real: Real images measured.
        z_error: L_ez, equation 3, per dimension: the mean of (z − E_z(G(z, y')))² over fresh z and
            labels of the data (§5.3). Always answering 0 would give 1, on normal noise.
        y_error: L_ey, equation 4, per attribute: the mean of (y − E_y(x))² over real images, with
            y −1 or 1. None without attributes.
        pixel_error: Mean of (x − G(E_z(x), E_y(x)))² over the pixels of real images, without
            padding, pixels in [0, 1].
        psnr: Mean peak signal-to-noise ratio of reconstructions, dB.
        ssim: Mean structural similarity of reconstructions. None for pictures smaller than its
            window of 11 pixels.
        refined_psnr: As `psnr`, with z refined as for the edits. None without refinement.
        refined_ssim: As `ssim`, the same.
        z_generated: Spread of z encoded from the generated images.
        z_real: Spread of z encoded from the real ones.
    """

    generated: int
    real: int
    z_error: float
    y_error: float | None
    pixel_error: float
    psnr: float | None
    ssim: float | None
    refined_psnr: float | None
    refined_ssim: float | None
    z_generated: Spread
    z_real: Spread


class EncoderErrorsMetric(Metric[EncoderErrors]):
    """Measure the encoders on all real pictures and on fresh generated ones.

    Generated images reach the encoders as the generator gives them, not rounded to 8 bits.

    Args:
        bench: The model and the data.
        generated: How many images to generate, at least 2. By default `GENERATED_IMAGES`, or the
            bench's limit if that is lower.
    """

    name = "inversion"
    round = NO_REFEREE

    def __init__(self, bench: Bench, *, generated: int | None = None) -> None:
        super().__init__(bench)
        most = GENERATED_IMAGES if bench.limit is None else min(bench.limit, GENERATED_IMAGES)
        self._generated = most if generated is None else generated
        self._z: list[Tensor] = []
        self._y: list[Tensor] = []
        self._pixels: list[Tensor] = []
        self._rebuilt, self._refined = Likeness(), Likeness()

    def see_real(self, batch: RealBatch) -> None:
        """Note z, y, and how like the originals the reconstructions are."""
        real, rebuilt = self._plain(batch.real.images), self._plain(batch.rebuilt.images)
        self._pixels.append((rebuilt - real).square().mean((1, 2, 3)))
        self._rebuilt.add(rebuilt, real)
        if self.bench.refine and batch.at.stop <= REFINED_PICTURES:
            self._refined.add(self._plain(batch.refined.images), real)
        self._z.append(batch.latent.z.cpu())
        self._y.append(batch.latent.y.cpu())

    def figures(self) -> EncoderErrors:
        """Generate images, encode them, and compare."""
        labels = self.bench.pictures.dataset.all_labels()
        z, found = self._encode_generated(labels)
        has_labels = labels.shape[1] > 0
        return EncoderErrors(
            generated=self._generated,
            real=len(labels),
            z_error=_mean_square(found - z),
            y_error=_mean_square(torch.cat(self._y) - labels) if has_labels else None,
            pixel_error=float(torch.cat(self._pixels).double().mean()),
            psnr=self._rebuilt.psnr,
            ssim=self._rebuilt.ssim,
            refined_psnr=self._refined.psnr,
            refined_ssim=self._refined.ssim,
            z_generated=_spread(found),
            z_real=_spread(torch.cat(self._z)),
        )

    def _plain(self, images: Tensor) -> Tensor:
        """Pictures [B, C, H, W] in [0, 1] without padding."""
        return (strip_padding(images, self.bench.config) + 1) / 2

    def _encode_generated(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Fresh z, and what E_z makes of their images, [generated, z_dim] each."""
        networks, draws = self.bench.networks, self.bench.draws(self.name)
        config, device = networks.config, device_of(networks)
        y = LabelSampler(labels, config.attributes).sample(self._generated, draws)
        z = draw_noise(self._generated, config, draws)
        found = []
        for at in chunks(len(z), config.image_size):
            x = decode(networks, z[at], y[at], device)
            # The IND-COND design is told y', as in training.
            found.append(networks.encode_z(x.to(device), y[at].to(device)).cpu())
        return z, torch.cat(found)

    @classmethod
    def summary(cls, figures: EncoderErrors, config: ModelConfig) -> list[Line]:
        """Errors of z and of pixels."""
        guess = "guessing: 1" if config.noise == "normal" else "guessing: 0.333"
        return [
            Line("Error of z, L_ez", number(figures.z_error), f"best: 0; {guess}"),
            Line("Error of reconstructed pixels", number(figures.pixel_error), "best: 0"),
            Line("PSNR / SSIM of reconstructions", likeness_cell(figures.psnr, figures.ssim), BEST),
            Line(
                "PSNR / SSIM of refined reconstructions",
                likeness_cell(figures.refined_psnr, figures.refined_ssim),
                BEST,
            ),
        ]

    @classmethod
    def section(
        cls, figures: EncoderErrors, config: ModelConfig, files: Mapping[str, str]
    ) -> Section:
        """A table of all figures."""
        generated, real = f"{figures.generated:,} generated", f"{figures.real:,} real"
        refined = likeness_cell(figures.refined_psnr, figures.refined_ssim)
        more = [] if refined == NONE else [("PSNR / SSIM, refined", "the first of them", refined)]
        rows = [
            ("L_ez", generated, number(figures.z_error)),
            ("L_ey", real, number(figures.y_error)),
            ("pixels", real, number(figures.pixel_error)),
            ("PSNR / SSIM", real, likeness_cell(figures.psnr, figures.ssim)),
            *more,
            ("spread of z", generated, _spread_cell(figures.z_generated)),
            ("spread of z", real, _spread_cell(figures.z_real)),
        ]
        blocks = [table(("Figure", "Images", "Value"), rows), MEANING]
        return Section("Encoders and reconstructions", blocks)


def measure_inversion(
    networks: IcGANNetworks,
    dataset: PreparedDataset,
    generator: torch.Generator,
    *,
    generated: int = GENERATED_IMAGES,
) -> EncoderErrors:
    """`EncoderErrorsMetric` alone.

    Args:
        networks: In eval mode.
        dataset: Real images, and the labels that y' is drawn from.
        generator: For z and y'; on the CPU.
        generated: How many images to generate, at least 2.
    """
    bench = Bench(networks, RealPictures(dataset, {}), given(generator))
    return measure_alone(EncoderErrorsMetric(bench, generated=generated))


def _mean_square(errors: Tensor) -> float:
    return float(errors.double().square().mean())


def _spread(z: Tensor) -> Spread:
    stds = z.double().std(dim=0, correction=0)
    return Spread(float(z.double().mean()), *map(float, (stds.mean(), stds.min(), stds.max())))


def _spread_cell(z: Spread) -> str:
    return f"{z.mean:.3f} ± {z.std:.3f} (dimensions: {z.std_min:.3f} to {z.std_max:.3f})"
