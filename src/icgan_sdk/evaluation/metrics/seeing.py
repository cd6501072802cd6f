"""The pictures of an evaluation: encoded, decoded and read once, for all metrics.

Everything is computed when it is first asked for, and kept as long as its batch. What the referees
read off real pictures is kept longer, because it is the same for every model.
"""

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.editing.latents import Latent
from icgan_sdk.engines.pytorch import decode, encode, refine
from icgan_sdk.evaluation.progress import Stopwatch
from icgan_sdk.evaluation.referees.referee_network import Architecture, Impression, Referee
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.devices import device_of
from icgan_sdk.model.face_recognition import FaceVectors

REAL, GENERATED = "real pictures", "generated pictures"
"""The parts of the work whose results all metrics share."""


def judged_config(config: ModelConfig, dataset: PreparedDataset) -> ModelConfig:
    """The model as its pictures are judged: at the painter's side if the data are of that side.

    Args:
        config: Of the model.
        dataset: What it is judged by.

    Returns:
        `config` or `config.photo`.
    """
    return config.photo if dataset.image_size == config.photo.image_size else config


def enlarge(images: Tensor, side: int) -> Tensor:
    """Pictures [B, C, S, S] scaled up to `side`, bilinear; themselves if they are of that side."""
    if images.shape[-1] == side:
        return images
    return F.interpolate(images, (side, side), mode="bilinear", align_corners=False)


class ReadOff(NamedTuple):
    """What a referee found in pictures, on the CPU.

    Attributes:
        present: As `Referee.present`, bool [B, n_y].
        features: As `Referee.features`, [B, F].
    """

    present: Tensor
    features: Tensor


class Seen:
    """A batch of pictures, and what each referee finds in them.

    Args:
        make: Makes the pictures [B, C, S, S] in [-1, 1], on the CPU.
        referees: By architecture.
        clock: Counts the time of making and reading.
        part: The part of the work that the time counts for.
        known: What was read off these pictures before. New readings are added to it.
    """

    def __init__(
        self,
        make: Callable[[], Tensor],
        referees: Mapping[Architecture, Referee],
        clock: Stopwatch,
        part: str,
        known: dict[Architecture, ReadOff] | None = None,
    ) -> None:
        self._make, self._referees, self._clock, self._part = make, referees, clock, part
        self._known: dict[Architecture, ReadOff] = {} if known is None else known
        self._impressions: dict[Architecture, Impression] = {}

    @cached_property
    def images(self) -> Tensor:
        """The pictures [B, C, S, S] in [-1, 1], on the CPU."""
        with self._clock.part(self._part):
            return self._make()

    def look(self, architecture: Architecture) -> Impression:
        """All that a referee finds in the pictures, on its device."""
        if architecture not in self._impressions:
            images, referee = self.images, self._referees[architecture]
            with self._clock.part(self._part):
                self._impressions[architecture] = referee.look(images.to(referee.device))
        return self._impressions[architecture]

    def read(self, architecture: Architecture) -> ReadOff:
        """What a referee reads off the pictures, on the CPU."""
        if architecture not in self._known:
            impression = self.look(architecture)
            self._known[architecture] = ReadOff(impression.present.cpu(), impression.features.cpu())
        return self._known[architecture]


class RealPictures:
    """The real pictures of a partition, for one model or for several.

    Keeps what the referees read off the pictures (bits and features), but never the pictures.

    Args:
        dataset: One partition, not empty.
        referees: In eval mode, by architecture.
    """

    def __init__(self, dataset: PreparedDataset, referees: Mapping[Architecture, Referee]) -> None:
        self.dataset, self.referees = dataset, dict(referees)
        self._known: dict[tuple[int, int], dict[Architecture, ReadOff]] = {}

    def __len__(self) -> int:
        return len(self.dataset)

    def seen(self, at: slice, clock: Stopwatch) -> Seen:
        """The pictures of some rows."""
        known = self._known.setdefault((at.start, at.stop), {})
        return Seen(lambda: self.dataset.images(at), self.referees, clock, REAL, known)


class _Rebuilding:
    """What a model makes of a batch of real pictures, each thing when it is first asked for.

    It doesn't know the batch, which would keep both in memory until Python looks for cycles.
    """

    def __init__(
        self,
        networks: IcGANNetworks,
        faces: FaceVectors | None,
        real: Seen,
        refine: int,
        clock: Stopwatch,
    ) -> None:
        self._networks, self._faces, self._real = networks, faces, real
        self._refine, self._clock = refine, clock

    @cached_property
    def latent(self) -> Latent:
        images = self._real.images
        with self._clock.part(REAL):
            return Latent(*encode(self._networks, images, device_of(self._networks)))

    @cached_property
    def decoded(self) -> Tensor:
        return self._decode(self.latent)

    @cached_property
    def refined_latent(self) -> Latent:
        if not self._refine:
            return self.latent
        latent, networks, images = self.latent, self._networks, self._real.images
        with self._clock.part(REAL):
            device = device_of(networks)
            z = refine(networks, self._faces, images, latent.z, latent.y, self._refine, device)
            return Latent(z, latent.y)

    @cached_property
    def refined_decoded(self) -> Tensor:
        return self._decode(self.refined_latent) if self._refine else self.decoded

    def _decode(self, latent: Latent) -> Tensor:
        with self._clock.part(REAL):
            return decode(self._networks, latent.z, latent.y, device_of(self._networks))


class RealBatch:
    """A batch of real pictures, and what a model makes of them.

    Args:
        networks: In eval mode.
        faces: What knows people again, for `refine`; None: pictures show no aligned faces.
        pictures: The partition.
        at: Rows of the batch.
        refine: Optimisation steps on z, for `refined`.
        clock: Counts the time of the work.

    Attributes:
        at: Rows of the batch.
        labels: y [B, n_y], −1 or 1, on the CPU.
        real: The pictures.
        rebuilt: The reconstructions G(E_z(x), E_y(x)), scaled up to the real pictures' side.
        refined: The reconstructions from `refined_latent`; without optimisation, `rebuilt` itself.
    """

    def __init__(
        self,
        networks: IcGANNetworks,
        faces: FaceVectors | None,
        pictures: RealPictures,
        at: slice,
        refine: int,
        clock: Stopwatch,
    ) -> None:
        self.at, self.labels = at, pictures.dataset.labels(at)
        self.real = pictures.seen(at, clock)
        self._found = found = _Rebuilding(networks, faces, self.real, refine, clock)
        side, seen = pictures.dataset.image_size, (pictures.referees, clock, REAL)
        self.rebuilt = Seen(lambda: enlarge(found.decoded, side), *seen)
        self.refined = (
            Seen(lambda: enlarge(found.refined_decoded, side), *seen) if refine else self.rebuilt
        )

    @property
    def latent(self) -> Latent:
        """What the encoders read, on the networks' device."""
        return self._found.latent

    @property
    def decoded(self) -> Tensor:
        """The reconstructions at the side that G gives, [B, C, S, S] on the CPU."""
        return self._found.decoded

    @property
    def refined_latent(self) -> Latent:
        """`latent` after the optimisation steps on z; without any, `latent` itself."""
        return self._found.refined_latent

    @property
    def refined_decoded(self) -> Tensor:
        """As `decoded`, from `refined_latent`."""
        return self._found.refined_decoded


class GeneratedBatch:
    """A batch of generated pictures G(z, y): z is noise, y are the labels of real pictures.

    Args:
        networks: In eval mode.
        pictures: The partition with the labels.
        at: Rows of the batch.
        noise: Gives z of all rows.
        clock: Counts the time of the work.

    Attributes:
        at: Rows of the batch.
        labels: y [B, n_y], −1 or 1, on the CPU.
        generated: The pictures, scaled up to the real ones' side.
    """

    def __init__(
        self,
        networks: IcGANNetworks,
        pictures: RealPictures,
        at: slice,
        noise: Callable[[], Tensor],
        clock: Stopwatch,
    ) -> None:
        self.at, self.labels = at, pictures.dataset.labels(at)
        labels, side = self.labels, pictures.dataset.image_size

        @cache
        def make() -> Tensor:
            with clock.part(GENERATED):
                return decode(networks, noise()[at], labels, device_of(networks))

        self._make = make
        self.generated = Seen(lambda: enlarge(make(), side), pictures.referees, clock, GENERATED)

    @property
    def decoded(self) -> Tensor:
        """The pictures at the side that G gives, [B, C, S, S] on the CPU."""
        return self._make()
