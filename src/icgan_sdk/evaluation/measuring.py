"""Measuring all figures of one model, part by part."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from icgan_sdk._version import __version__
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.confusion import (
    Confusion,
    read_by_encoder,
    read_generated,
    read_real,
    read_reconstructed,
)
from icgan_sdk.evaluation.diversity import Neighbours, measure_diversity, measure_memorisation
from icgan_sdk.evaluation.edits import measure_edits
from icgan_sdk.evaluation.fidelity import measure_fidelity
from icgan_sdk.evaluation.identification import measure_identification
from icgan_sdk.evaluation.inversion import measure_inversion
from icgan_sdk.evaluation.passes import generated_images
from icgan_sdk.evaluation.referee import Architecture, Referee
from icgan_sdk.evaluation.results import Evaluation, Reading, Subject
from icgan_sdk.model import IcGANNetworks, draw_noise
from icgan_sdk.model.compositing import Detail

Watcher = Callable[[str, int, int], None]
"""Told of a part of the work, how far it is, and how far it goes."""

GENERATED_IMAGES = 10_000
"""For the errors of the encoders."""

PARTS = (
    "attributes",
    "inversion",
    "edits",
    "identification",
    "fidelity",
    "diversity",
    "memorisation",
    "pictures",
)
"""In the order of the work; a part's place gives its randomness."""


@dataclass(frozen=True)
class Bench:
    """What every part of an evaluation is given.

    Attributes:
        model: The model's name.
        networks: Of the model, in eval mode, on the device.
        dataset: All partitions.
        judged: The pictures to judge by.
        partition: The partition they are of.
        limit: The most that were to be used; None: all.
        refine: Optimisation steps on z.
        detail: Of the edits.
        seed: Everything random follows from it.
        watcher: Told of the progress.
    """

    model: str
    networks: IcGANNetworks
    dataset: PreparedDataset
    judged: PreparedDataset
    partition: str
    limit: int | None
    refine: int
    detail: Detail
    seed: int
    watcher: Watcher

    def draws(self, part: str) -> torch.Generator:
        """A part's own source of randomness, so that no part disturbs another."""
        entropy = np.random.SeedSequence((self.seed, PARTS.index(part)))
        return torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> 1))

    @contextmanager
    def part(self, name: str, seconds: dict[str, float]) -> Iterator[None]:
        """Tell the watcher of a part, and note the time it takes."""
        start = time.perf_counter()
        self.watcher(name, 0, 1)
        yield
        seconds[name] = time.perf_counter() - start
        self.watcher(name, 1, 1)


def measure(
    bench: Bench,
    referees: Mapping[Architecture, Referee],
    records: Mapping[Architecture, dict[str, Any]],
) -> tuple[Evaluation, Neighbours]:
    """Measure everything.

    Args:
        bench: The model and the data.
        referees: Both, in eval mode, on the device.
        records: How they were trained.

    Returns:
        All figures; some generated images with the training images nearest to them.
    """
    networks, judged, residual = bench.networks, bench.judged, referees["residual"]
    one_hot, seconds = judged.attributes.one_hot, dict[str, float]()
    with bench.part("attributes", seconds):
        counts: dict[str, dict[str, Confusion]] = {
            **{name: _read(bench, referee) for name, referee in referees.items()},
            "encoder_y": {"real": read_by_encoder(networks, judged)},
        }
        classes = _read_classes(bench, residual) if one_hot else None
    with bench.part("inversion", seconds):
        generated = min(bench.limit or GENERATED_IMAGES, GENERATED_IMAGES)
        draws = bench.draws("inversion")
        inversion = measure_inversion(networks, judged, draws, generated=generated)
    with bench.part("edits", seconds):
        edits = measure_edits(
            networks,
            judged,
            residual,
            refine=bench.refine,
            detail=bench.detail,
            real=counts["residual"]["real"],
        )
    with bench.part("identification", seconds):
        identification = measure_identification(networks, judged, residual, refine=bench.refine)
    with bench.part("fidelity", seconds):
        fidelity = measure_fidelity(networks, judged, residual, bench.draws("fidelity"))
    with bench.part("diversity", seconds):
        diversity = measure_diversity(networks, judged, residual, bench.draws("diversity"))
    with bench.part("memorisation", seconds):
        train, draws = bench.dataset.part("train"), bench.draws("memorisation")
        memorisation, neighbours = measure_memorisation(networks, train, judged, residual, draws)
    attributes = {
        reader: {kind: Reading.of(count, one_hot) for kind, count in read.items()}
        for reader, read in counts.items()
    }
    result = Evaluation(
        subject=_subject(bench),
        referees={name: dict(record) for name, record in records.items()},
        attributes=attributes,
        classes=classes,
        inversion=inversion,
        edits=edits,
        identification=identification,
        fidelity=fidelity,
        diversity=diversity,
        memorisation=memorisation,
        seconds=seconds,
    )
    return result, neighbours


def _read(bench: Bench, referee: Referee) -> dict[str, Confusion]:
    networks, judged, draws = bench.networks, bench.judged, bench.draws("attributes")
    return {
        "real": read_real(referee, judged),
        "generated": read_generated(referee, networks, judged.all_labels(), draws),
        "reconstructed": read_reconstructed(referee, networks, judged),
    }


@torch.inference_mode()
def _read_classes(bench: Bench, referee: Referee) -> list[list[int]]:
    """Images of G(z, y) by the class that y asks for and the class that is read.

    The images are those of `_read`.
    """
    y, config = bench.judged.all_labels(), bench.networks.config
    z = draw_noise(len(y), config, bench.draws("attributes"))
    images = generated_images(bench.networks, z, y)
    found = torch.cat([referee.present(x.to(referee.device)).cpu() for x in images]).int()
    counts: list[list[int]] = ((y > 0).int().T @ found).tolist()
    return counts


def _subject(bench: Bench) -> Subject:
    return Subject(
        model=bench.model,
        config=bench.networks.config.to_dict(),
        parameters={
            name: sum(p.numel() for p in network.parameters())
            for name, network in bench.networks.named_children()
        },
        source=bench.dataset.source,
        partition=bench.partition,
        images=len(bench.judged),
        fingerprint=bench.dataset.fingerprint(),
        limit=bench.limit,
        refine=bench.refine,
        detail=bench.detail,
        seed=bench.seed,
        version=__version__,
    )
