"""Edits that the painter is trained on: plausible ones, of one to three attributes."""

from typing import NamedTuple

import torch
from torch import Tensor

from icgan_sdk.attributes import AttributeSet

CHANGES = (0.7, 0.2, 0.1)
"""How often an edit is of one, two and three attributes."""

ALREADY = 0.1
"""How often what is asked for is there already: E_y misreads, and then nothing is to change."""

RARE = 0.07
"""Two values go together if they do at least this part as often as independent ones would."""


class Edits(NamedTuple):
    """Edits of a batch.

    Attributes:
        y: What the results are to show, [B, n_y], −1 or 1.
        direction: What the painter is asked for, [B, n_y]: 1 to come, −1 to go, else 0.
        touched: Which values of y the edit sets, siblings of exclusive groups included, bool
            [B, n_y].
    """

    y: Tensor
    direction: Tensor
    touched: Tensor


class PlausibleEdits:
    """Draws edits whose results the training labels hold.

    Left out are changes whose new value hardly ever meets another of the result: what no picture
    shows (a moustache on a woman) a critic can't teach. An attribute of an exclusive group gives
    way instead, without being asked, as "none of the group" is possible too: a bald head has no
    hair colour.

    Args:
        labels: The training labels, [N, n_y], −1 or 1.
        attributes: What their columns mean.
    """

    def __init__(self, labels: Tensor, attributes: AttributeSet) -> None:
        names = attributes.names
        groups = [attributes.group_of(name) for name in names]
        self._siblings = torch.tensor([[n in group for n in names] for group in groups])
        self._siblings &= ~torch.eye(len(names), dtype=torch.bool)
        self._grouped = torch.tensor([bool(group) for group in groups])
        self._one_hot = attributes.one_hot
        self._together = _together(labels.cpu().float())

    def draw(self, y: Tensor, generator: torch.Generator) -> Edits:
        """Edits of pictures with labels y [B, n_y], −1 or 1.

        Pictures for which nothing plausible is left are asked for what they have.
        """
        y = y.detach().to("cpu", torch.float32)
        new, direction = y.clone(), torch.zeros_like(y)
        touched = torch.zeros_like(y, dtype=torch.bool)
        count = torch.multinomial(torch.tensor(CHANGES), len(y), True, generator=generator) + 1
        count[torch.rand(len(y), generator=generator) < ALREADY] = 0
        for change in range(len(CHANGES)):
            results, plausible = self._candidates(new)
            allowed = plausible & ~touched & (count > change)[:, None]
            rows = allowed.any(1).nonzero()[:, 0]
            if not len(rows):
                break
            chosen = torch.multinomial(allowed[rows].float(), 1, generator=generator)[:, 0]
            comes = (y[rows, chosen] < 0)[:, None]
            asked = self._siblings[chosen] & comes
            asked[torch.arange(len(rows)), chosen] = True
            new[rows] = results[rows, chosen]
            touched[rows] |= asked
        direction = torch.where(touched, (new - y) / 2, 0.0)
        self._ask_for_what_is_there(y, direction, touched, generator)
        return Edits(new, direction, touched)

    def may_come(self, y: Tensor) -> Tensor:
        """Which attributes pictures lack and could plausibly have, bool [B, n_y]."""
        y = y.detach().to("cpu", torch.float32)
        _, plausible = self._candidates(y)
        return plausible & (y < 0)

    def _candidates(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Results of changing each attribute, [B, n, n], and which are plausible, bool [B, n]."""
        n = y.shape[1]
        comes = y < 0
        results = y[:, None, :].repeat(1, n, 1)
        results[self._siblings & comes[:, :, None]] = -1.0
        a = torch.arange(n)
        results[:, a, a] = -y
        with_new = self._together[a, comes.long()]  # [B, n, n, 2]: beside each other's two values
        here = with_new.gather(3, (results > 0).long()[..., None])[..., 0]
        gives_way = ~here & (results > 0) & self._grouped & with_new[..., 0]
        results[gives_way] = -1.0
        plausible = (here | gives_way).all(2)
        return results, plausible & comes if self._one_hot else plausible

    def _ask_for_what_is_there(
        self, y: Tensor, direction: Tensor, touched: Tensor, generator: torch.Generator
    ) -> None:
        rows = (direction == 0).all(1).nonzero()[:, 0]
        if not len(rows):
            return
        present = y[rows] > 0
        absent = ~present & (not self._one_hot)
        # Present ones as often as absent ones, which are many more.
        weights = sum(m.float() / m.sum(1, keepdim=True).clamp_min(1) for m in (present, absent))
        chosen = torch.multinomial(torch.as_tensor(weights), 1, generator=generator)[:, 0]
        direction[rows, chosen] = y[rows, chosen]
        touched[rows, chosen] = True


def _together(labels: Tensor) -> Tensor:
    """Whether value v of attribute a goes with value w of o: bool [n, 2, n, 2], absent first."""
    total, n = labels.shape
    present = (labels > 0).double()
    values = torch.stack([1 - present, present], dim=2)  # [N, n, 2]
    counts = torch.einsum("iav,iow->avow", values, values)
    single = values.sum(0)
    expected = single[:, :, None, None] * single / total
    together = (counts >= 1) & (counts >= RARE * expected)
    together[torch.arange(n), :, torch.arange(n)] = True  # an attribute doesn't meet itself
    return together
