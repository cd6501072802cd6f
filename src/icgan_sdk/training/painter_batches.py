"""What the painter and its critic see in a step."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError, did_you_mean
from icgan_sdk.model.devices import send
from icgan_sdk.model.regions import within
from icgan_sdk.training.context import Context
from icgan_sdk.training.edits import Edits, PlausibleEdits
from icgan_sdk.training.photo_filters import filter_photos
from icgan_sdk.training.rows import BalancedRows, draw_images
from icgan_sdk.training.settings import PainterConfig

CANDIDATES = 96
"""Photos among which the one most like what an edit is to show is looked for."""

WEIGHTY = 4.0
"""How much a difference counts there in what an edit sets, and in who somebody is, where others
count 1."""

PUT_ON = 4
"""One of so many photos in a batch is painted and then cleared again."""


class PainterBatch(NamedTuple):
    """Inputs of one step.

    Attributes:
        x: Photos [B, C, P, P] in [-1, 1].
        y: Their attributes [B, n_y], −1 or 1.
        y_edited: What they are to show, [B, n_y].
        direction: What the painter is asked for, [B, n_y].
        touched: Which values of y_edited the edit sets, bool [B, n_y].
        kept: Which photos' skin is to keep its brightness, bool [B].
        real: Other photos, which show what the edited ones are to show: [B, C, P, P].
        y_real: Their attributes, [B, n_y].
        y_wrong: Attributes that differ from theirs, [B, n_y].
        bare: Rows of x without something that the painter may put on, [K].
        put_on: What it is, as a direction [K, n_y].
    """

    x: Tensor
    y: Tensor
    y_edited: Tensor
    direction: Tensor
    touched: Tensor
    kept: Tensor
    real: Tensor
    y_real: Tensor
    y_wrong: Tensor
    bare: Tensor
    put_on: Tensor


class PainterBatches:
    """Draws batches for given rows of the training partition.

    Half of a batch is drawn so that rare attributes are seen as often as common ones.

    Args:
        context: The run.
        settings: Of the stage.

    Raises:
        ConfigError: If `painter.put_on` names an attribute that the data don't have.
    """

    def __init__(self, context: Context, settings: PainterConfig) -> None:
        self._data, self._runtime, self._labels = context.train, context.runtime, context.labels
        self._images, self._filters = context.config.images, settings.filters
        attributes, labels = context.model.attributes, context.train.all_labels().cpu()
        self._balanced = BalancedRows(labels)
        self._edits = PlausibleEdits(labels, attributes)
        faces = context.model.faces
        persons = faces.other_person if faces else frozenset()
        self._matched = MatchedRows(labels, [name in persons for name in attributes.names])
        keep = faces.keep_skin if faces else frozenset()
        self._keep_skin = torch.tensor([name in keep for name in attributes.names])
        self._put_on = _columns(settings.put_on, attributes)

    def draw(self, rows: Tensor, draws: torch.Generator) -> PainterBatch:
        """A batch for rows [B], on the run's device."""
        rows = self._balanced.half_of(rows, draws)
        y = self._data.labels(rows).cpu()
        edits = self._edits.draw(y, draws)
        matched = self._matched.find(edits, draws)
        y_real = self._data.labels(matched).cpu()
        y_wrong, _ = self._labels.edited(y_real, draws)
        asked = edits.direction != 0
        kept = asked.any(1) & ~(asked & ~self._keep_skin).any(1)
        bare, put_on = self._bare(y, draws)
        x, real = (self._photos(self._data, chosen, draws) for chosen in (rows, matched))

        def sent(tensor: Tensor) -> Tensor:
            return send(tensor, self._runtime.device)

        return PainterBatch(
            x=x,
            y=sent(y),
            y_edited=sent(edits.y),
            direction=sent(edits.direction),
            touched=sent(edits.touched),
            kept=sent(kept),
            real=real,
            y_real=sent(y_real),
            y_wrong=sent(y_wrong),
            bare=sent(bare),
            put_on=sent(put_on),
        )

    def _photos(self, data: PreparedDataset, rows: Tensor, draws: torch.Generator) -> Tensor:
        x = draw_images(data, rows, self._images.flip, self._images.shift, draws)
        return self._runtime.images(filter_photos(x, draws) if self._filters else x)

    def _bare(self, y: Tensor, draws: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rows, and directions that put something plausible on, as far as there are any."""
        may = self._edits.may_come(y)
        may[:, ~self._put_on] = False
        order = torch.randperm(len(y), generator=draws)
        rows = order[may[order].any(1)][: len(y) // PUT_ON]
        put_on = torch.zeros(len(rows), y.shape[1])
        if len(rows):
            chosen = torch.multinomial(may[rows].float(), 1, generator=draws)[:, 0]
            put_on[torch.arange(len(rows)), chosen] = 1.0
        return rows, put_on


class MatchedRows:
    """Finds photos that show what edits are to show, and are otherwise as alike as can be.

    A critic that compares edited photos with just any others sees who wears hats, not hats alone.

    Args:
        labels: The training labels, [N, n_y], −1 or 1.
        persons: Which attributes say who somebody is, as sex does.
    """

    def __init__(self, labels: Tensor, persons: Sequence[bool]) -> None:
        self._labels = labels
        self._weights = torch.where(torch.tensor(persons), WEIGHTY, 1.0)
        self._rows = [[(column == v).nonzero()[:, 0] for v in (-1, 1)] for column in labels.T]
        self._all = torch.arange(len(labels))

    def find(self, edits: Edits, draws: torch.Generator) -> Tensor:
        """A row for each edit: of some that show the rarest value it sets, the most alike."""
        places = torch.rand(len(edits.y), CANDIDATES, generator=draws)
        found = [self._nearest(*edit) for edit in zip(edits.y, edits.touched, places, strict=True)]
        return torch.stack(found)

    def _nearest(self, y: Tensor, touched: Tensor, places: Tensor) -> Tensor:
        pools = [self._rows[a][int(y[a] > 0)] for a in touched.nonzero()[:, 0].tolist()]
        pool = min([p for p in pools if len(p)], key=len, default=self._all)
        candidates = pool[(places * len(pool)).long()]
        weights = torch.where(touched, WEIGHTY, self._weights)
        differences = ((self._labels[candidates] - y).abs() * weights).sum(1)
        return candidates[differences.argmin()]


def _columns(names: str, attributes: AttributeSet) -> Tensor:
    """Which attributes a list with commas names, bool [n_y]."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in attributes.names:
            hint = did_you_mean(name, attributes.names)
            raise ConfigError(f"painter.put_on: no attribute {name!r}; {hint}")
    return torch.tensor([name in wanted for name in attributes.names])


def skin_mask(context: Context) -> Tensor:
    """Where photos show skin alone, [P, P] with the sum 1, or all 0."""
    photo = context.model.photo
    mask = within(photo.faces.skin if photo.faces else (), photo)
    return send(mask / mask.sum().clamp_min(1.0), context.runtime.device)
