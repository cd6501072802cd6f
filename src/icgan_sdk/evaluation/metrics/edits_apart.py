"""Whether edited pictures can be told from real ones, by attribute."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from icgan_sdk.editing.latents import Latent, with_presences
from icgan_sdk.evaluation.metrics.bench import REFINED_PICTURES, Bench
from icgan_sdk.evaluation.metrics.making_edits import Edit, editable, edited, edits_of, inverted
from icgan_sdk.evaluation.metrics.picture_pools import Pool, flips, learn, real_pixels, roles_for
from icgan_sdk.evaluation.metrics.seeing import RealBatch
from icgan_sdk.evaluation.metrics.two_sample import Apart, apart, score

HELD_EDITS = 48
"""Held-out edits of one attribute and direction that are tried, at most, beyond the one of each
picture."""


class EditsToldApart(NamedTuple):
    """How well edits are told from real pictures; None where there were too few.

    Attributes:
        all: Of one edit of each held-out picture, its attribute drawn at random, against all
            held-out real pictures.
        each: By edit, against the held-out real pictures that have the attribute as the edit asks
            for. (Against all of them, what is rare would be told by being common.)
        learning: Pictures of each kind that the classifier learnt from.
    """

    all: Apart | None
    each: dict[Edit, Apart | None]
    learning: int


class _Plan(NamedTuple):
    """Which edits are made: a row of the partition for each, and the number of the edit."""

    rows: Tensor
    edits: Tensor

    def within(self, at: slice) -> Tensor:
        """Places in the plan of a batch's rows."""
        inside = (self.rows >= at.start) & (self.rows < at.stop)
        places: Tensor = inside.nonzero()[:, 0]
        return places


class EditsApart:
    """Makes edits, and trains a classifier to tell them from real pictures.

    Half of the pictures are real to the classifier; of the others, it sees only edits. Edits are
    made as the bench says, with the change put onto the photo or not.

    Args:
        bench: The model and the data.
        only_where: Attributes that are added only to pictures labelled with another attribute.
    """

    def __init__(self, bench: Bench, only_where: Mapping[str, str]) -> None:
        self._bench, self._draws = bench, bench.draws("edits told apart")
        self._edits = edits_of(bench.config.attributes)
        count = min(len(bench.pictures), REFINED_PICTURES) if bench.refine else len(bench.pictures)
        self._roles = roles_for(bench, count, self._draws)
        y = self._labels(torch.arange(count))
        self._possible = torch.stack(
            [editable(y, bench.config.attributes, edit, only_where) for edit in self._edits]
        )
        one_each = self._one_each(self._roles.model_held)
        more = self._more(self._roles.model_held)
        self._ones = len(one_each.rows)
        self._plans = {
            # In the order of the batches, so that their size doesn't matter.
            "learning": self._one_each(self._roles.model.sort().values),
            "held": _Plan(*(torch.cat(parts) for parts in zip(one_each, more, strict=True))),
        }
        self._pools = {kind: Pool(bench) for kind in self._plans}
        self._order: dict[str, list[Tensor]] = {kind: [] for kind in self._plans}

    def see_real(self, batch: RealBatch) -> None:
        """Make the batch's edits."""
        for kind, plan in self._plans.items():
            places = plan.within(batch.at)
            if len(places):
                rows, numbers = plan.rows[places], plan.edits[places]
                self._pools[kind].add(self._make(batch, rows - batch.at.start, numbers))
                self._order[kind].append(places)

    def figures(self) -> EditsToldApart:
        """Train the classifier and try it."""
        nothing = EditsToldApart(None, dict.fromkeys(self._edits), 0)
        if not all(self._order.values()):
            return nothing
        bench, roles = self._bench, self._roles
        made, flip = self._pools["learning"].all(), flips(bench)
        classifier = learn(bench, made, roles.real, self._draws)
        real = score(classifier, real_pixels(bench, roles.real_held, made.shape[1]), flip=flip)
        plan, held = self._plans["held"], torch.empty(len(self._plans["held"].rows))
        held[torch.cat(self._order["held"])] = score(
            classifier, self._pools["held"].all(), flip=flip
        )
        y = self._labels(roles.real_held)
        each = {}
        for number, (name, adding) in enumerate(self._edits):
            mine = plan.edits == number
            alike = (y[:, bench.config.attributes.names.index(name)] > 0) == adding
            originals = len(set(plan.rows[mine].tolist()))
            each[name, adding] = apart(held[mine], real[alike], originals)
        return EditsToldApart(apart(held[: self._ones], real), each, len(made))

    def _make(self, batch: RealBatch, places: Tensor, numbers: Tensor) -> Tensor:
        before, attributes = inverted(batch).at(places), self._bench.config.attributes
        changed = []
        for place, number in enumerate(numbers.tolist()):
            name, adding = self._edits[number]
            latent = Latent(before.latent.z[place : place + 1], before.latent.y[place : place + 1])
            changed.append(with_presences(latent, attributes, {name: float(adding)}).y)
        return edited(self._bench.networks, self._bench.detail, before, torch.cat(changed))

    def _one_each(self, rows: Tensor) -> _Plan:
        """An edit of each picture, drawn from those that make sense for it."""
        rows = rows[self._possible[:, rows].any(0)]
        if not len(rows):
            return _Plan(rows, rows)
        chances = self._possible[:, rows].T.double()
        return _Plan(rows, torch.multinomial(chances, 1, generator=self._draws)[:, 0])

    def _more(self, rows: Tensor) -> _Plan:
        """Further edits, so that each attribute and direction has some."""
        chosen = [rows[possible[rows]][:HELD_EDITS] for possible in self._possible]
        numbers = [torch.full_like(r, number) for number, r in enumerate(chosen)]
        return _Plan(torch.cat(chosen), torch.cat(numbers))

    def _labels(self, rows: Tensor) -> Tensor:
        return self._bench.pictures.dataset.labels(rows)
