"""What every metric is given: the model, the data, the referees, and randomness by name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.editing.latents import Latent
from icgan_sdk.engines.pytorch import decode
from icgan_sdk.evaluation.metrics.seeing import (
    GENERATED,
    GeneratedBatch,
    RealBatch,
    RealPictures,
    enlarge,
    judged_config,
)
from icgan_sdk.evaluation.progress import Stopwatch
from icgan_sdk.model import IcGANNetworks, draw_noise
from icgan_sdk.model.compositing import Detail
from icgan_sdk.model.devices import device_of
from icgan_sdk.model.face_recognition import FaceVectors
from icgan_sdk.model.face_vectors import face_vectors

Randomness = Callable[[str], torch.Generator]
"""Gives the CPU generator of a part of the work, by the part's name."""

REFINED_PICTURES = 1000
"""The most pictures that metrics refine, because that takes long: the first of the partition."""


def seeded(seed: int) -> Randomness:
    """Draws that follow from the seed and the part's name, whatever other parts draw."""

    def draws(name: str) -> torch.Generator:
        entropy = np.random.SeedSequence((seed, *name.encode()))
        return torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> 1))

    return draws


def given(generator: torch.Generator) -> Randomness:
    """The same generator for every name, for metrics that run alone."""
    return lambda name: generator


@dataclass(frozen=True)
class Bench:
    """What every metric is given.

    Attributes:
        networks: The model's, in eval mode, on the device.
        pictures: The real pictures to judge by, with the referees.
        draws: Gives each part its generator.
        train: The training partition, for metrics that need it.
        limit: The user's bound on the number of pictures; None: no bound. It also holds for the
            pictures that a metric generates for itself.
        refine: Optimisation steps on z before edits.
        detail: Whether edits show G's picture ("generated") or the changed photo ("photo").
        kept: Folder in which the features of training pictures are kept for the next evaluation;
            None: they aren't.
        clock: Counts the time of each part.

    Raises:
        ConfigError: If a referee doesn't fit the model.
    """

    networks: IcGANNetworks
    pictures: RealPictures
    draws: Randomness = field(default_factory=lambda: seeded(0))
    train: PreparedDataset | None = None
    limit: int | None = None
    refine: int = 0
    detail: Detail = "generated"
    kept: Path | None = None
    clock: Stopwatch = field(default_factory=Stopwatch)

    def __post_init__(self) -> None:
        for referee in self.pictures.referees.values():
            referee.check_fits(self.config)

    @property
    def config(self) -> ModelConfig:
        """The model as its pictures are judged, at the side of the real pictures."""
        return judged_config(self.networks.config, self.pictures.dataset)

    def decode(self, latent: Latent) -> Tensor:
        """G's pictures, scaled up to the real ones' side: [B, C, S, S] on the CPU."""
        images = decode(self.networks, latent.z, latent.y, device_of(self.networks))
        return enlarge(images, self.config.image_size)

    def real(self, at: slice) -> RealBatch:
        """A batch of real pictures."""
        return RealBatch(self.networks, self.faces, self.pictures, at, self.refine, self.clock)

    def generated(self, at: slice) -> GeneratedBatch:
        """A batch of generated pictures, with the labels of the real ones."""
        return GeneratedBatch(self.networks, self.pictures, at, lambda: self._noise, self.clock)

    @cached_property
    def faces(self) -> FaceVectors | None:
        """What knows people again, on the device; None: pictures show no aligned faces."""
        faces = face_vectors(self.networks.config)
        return None if faces is None else faces.to(device_of(self.networks))

    @cached_property
    def _noise(self) -> Tensor:
        """Z of all generated pictures, drawn at once so that the size of batches doesn't matter."""
        return draw_noise(len(self.pictures), self.networks.config, self.draws(GENERATED))
