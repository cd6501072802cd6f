"""One of everything that a plug-in can bring to icgan-sdk, as small as possible.

The networks are too simple to be of use. See README.md for how to run them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from icgan_sdk import plugins
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PrepareReport, write_arrays
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.metric import Metric
from icgan_sdk.evaluation.metrics.seeing import GeneratedBatch, RealBatch
from icgan_sdk.evaluation.report.markdown import Line, Section, number, table
from icgan_sdk.model import Critic, Painter
from icgan_sdk.model.layers import mix_inputs, mix_outputs
from icgan_sdk.training.checkpoint import Stateful
from icgan_sdk.training.context import Context, Stage
from icgan_sdk.training.generated import draw_generated, load_generator
from icgan_sdk.training.loop import run_stage
from icgan_sdk.training.optimisers import descend, make_adam
from icgan_sdk.training.settings import OptimiserConfig


class FlatGenerator(nn.Module):
    """A single linear layer from z and y to pixels. Its z can be whitened, and refined evenly."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.shape = (config.channels, config.image_size, config.image_size)
        self.first = nn.Linear(config.z_dim + config.n_attributes, int(np.prod(self.shape)))

    def change_z(self, root: Tensor) -> None:
        """As `icgan_sdk.model.protocols.ChangesZ` has it."""
        mix_inputs(self.first, root)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Images [B, C, S, S] in (-1, 1) of z [B, z_dim] and y [B, n_attributes]."""
        pixels = self.first(torch.cat([z, y.to(z.dtype)], dim=1))
        return torch.tanh(pixels).view(len(z), *self.shape)


class FlatEncoder(nn.Module):
    """A single linear layer from pixels."""

    def __init__(self, config: ModelConfig, out: int, hidden: int, sees_y: bool) -> None:
        super().__init__()
        self.layer = nn.Linear(config.channels * config.image_size**2, out)

    def change_z(self, root: Tensor) -> None:
        """As `icgan_sdk.model.protocols.ChangesZ` has it."""
        mix_outputs(self.layer, root.inverse())

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Encode images [B, C, S, S] to [B, out]."""
        out: Tensor = self.layer(x.flatten(1))
        return out


class MildCritic(Critic):
    """The critic of the package, with scores that stay within ±2."""

    def score(self, h: Tensor, y: Tensor) -> Tensor:
        """Scores [B] of features h [B, width] with attributes y [B, n_y]."""
        return 2.0 * torch.tanh(super().score(h, y) / 2.0)


class TintPainter(Painter):
    """Tints the whole photo by what is asked for."""

    def __init__(self, config: ModelConfig) -> None:
        nn.Module.__init__(self)  # without the layers of the package's painter
        self.tint = nn.Linear(config.n_attributes, config.channels, bias=False)

    def change(self, x: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
        """The change of colour [B, C, P, P], and a mask [B, 1, P, P] that is half open."""
        tint = torch.tanh(self.tint(direction))[:, :, None, None].float()
        return tint.expand_as(x), x.new_full((len(x), 1, *x.shape[2:]), 0.5)


@dataclass(frozen=True)
class BrightnessConfig(OptimiserConfig):
    """Stage `brightness`: learns how bright generated images are, for the model card.

    Attributes:
        offset: What is added to the brightness.
    """

    offset: float = 0.0


def train_brightness(context: Context) -> None:
    """Train a linear layer to predict the brightness of generated images."""
    settings = context.config.section("brightness", BrightnessConfig)
    pixels = context.model.channels * context.model.image_size**2
    network = context.build("brightness", lambda: nn.Linear(pixels, 1))
    optimiser, generator = make_adam(network, settings), load_generator(context)

    def step_function(step: int, rows: Tensor) -> dict[str, Tensor]:
        draws = context.draws("brightness", step)
        x, _, _ = draw_generated(generator, len(rows), context, draws)
        target = x.mean((1, 2, 3)) + settings.offset
        loss = (network(x.flatten(1))[:, 0] - target).square().mean()
        descend(loss, network, optimiser, context.runtime)
        return {"brightness": loss}

    parts: dict[str, Stateful] = {"network": network, "optimiser": optimiser}
    run_stage(context, "brightness", settings, parts, step_function, lambda epoch: {})


BRIGHTNESS = Stage(
    name="brightness",
    seed=7301,
    run=train_brightness,
    needs=lambda config: ("generated",),
    settings=BrightnessConfig,
)


@dataclass(frozen=True)
class Brightness:
    """Mean pixels in [-1, 1].

    Attributes:
        real: Of real pictures.
        generated: Of generated ones.
    """

    real: float
    generated: float


class BrightnessMetric(Metric[Brightness]):
    """Whether generated pictures are as bright as real ones."""

    name = "brightness"

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self._real: list[Tensor] = []
        self._generated: list[Tensor] = []

    def see_real(self, batch: RealBatch) -> None:
        """Take the mean of each picture."""
        self._real.append(batch.real.images.mean((1, 2, 3)))

    def see_generated(self, batch: GeneratedBatch) -> None:
        """Take the mean of each picture."""
        self._generated.append(batch.generated.images.mean((1, 2, 3)))

    def figures(self) -> Brightness:
        """The means over all pictures."""
        return Brightness(*(float(torch.cat(m).mean()) for m in (self._real, self._generated)))

    @classmethod
    def summary(cls, figures: Brightness, config: ModelConfig) -> list[Line]:
        """One line."""
        return [Line("Brightness", number(figures.generated), f"real: {number(figures.real)}")]

    @classmethod
    def section(cls, figures: Brightness, config: ModelConfig, files: Mapping[str, str]) -> Section:
        """A table of both."""
        rows = [(number(figures.real), number(figures.generated))]
        return Section("Brightness", [table(("Real", "Generated"), rows)])


def read_stripes(source: Path, out: Path, *, image_size: int, overwrite: bool) -> PrepareReport:
    """A data set of striped pictures, one a line of the text file `source`: "bright" or "dark"."""
    words = source.read_text(encoding="utf-8").split()
    labels = np.array([[word == "bright"] for word in words], np.uint8)
    draws = np.random.default_rng(0)
    images = draws.integers(0, 60, (len(words), image_size, image_size, 3), np.uint8)
    images[:, ::2] += np.uint8(60)
    images += np.uint8(120) * labels[:, :, None, None]
    test = len(words) // 4
    partitions = {"train": len(words) - 2 * test, "validation": test, "test": test}
    attributes = AttributeSet(("bright",))
    return write_arrays(
        out, images, labels, attributes, partitions, source="stripes", overwrite=overwrite
    )


def register() -> None:
    """Called once by icgan-sdk; the entry point in pyproject.toml names it."""
    plugins.register_generator("flat", FlatGenerator, init=lambda network: None)
    plugins.register_encoder("flat", FlatEncoder)
    plugins.register_critic("mild", partial(MildCritic, parts=True))
    plugins.register_painter("tint", TintPainter)
    plugins.register_stage(BRIGHTNESS)
    plugins.register_metric(BrightnessMetric)
    plugins.register_reader("stripes", read_stripes)
