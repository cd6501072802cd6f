"""Labels for generated images (y') and wrong labels for the matching-aware discriminator."""

from typing import Literal, get_args

import torch
from torch import Tensor

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.errors import ConfigError, DatasetError, ShapeError

REDRAWS = 64
"""How often wrong labels are redrawn before they are chosen from all that differ."""

LabelMethod = Literal["labels", "kde", "interpolation"]


class LabelSampler:
    """Draws label vectors by one of the IcGAN paper's three ways of sampling y'.

    - ``labels``: a training picture's label vector (the paper's choice; for one-hot labels the
      class histogram).
    - ``kde``: a Gaussian kernel density estimate over the training labels, which is a training
      label vector plus noise N(0, h²).
    - ``interpolation``: a point between two training label vectors, uniform on their line.

    Args:
        labels: The training labels, [N, n_y], -1 or 1.
        attributes: What their columns mean.
        method: How `sample` draws.
        bandwidth: h of "kde", in y's units. Default: Scott's rule, σ·N^(−1/(n_y + 4)) with each
            attribute's own standard deviation σ (D. W. Scott, "Multivariate Density Estimation",
            1992, §6.3).

    Raises:
        ConfigError: If the method is unknown or the bandwidth negative.
        DatasetError: If there are no labels.
        ShapeError: If labels and attributes don't fit together.
    """

    def __init__(
        self,
        labels: Tensor,
        attributes: AttributeSet,
        method: LabelMethod = "labels",
        bandwidth: float | None = None,
    ) -> None:
        if method not in get_args(LabelMethod):
            raise ConfigError(f"method must be one of {', '.join(get_args(LabelMethod))}")
        if bandwidth is not None and not bandwidth >= 0:
            raise ConfigError(f"bandwidth must not be negative, but is {bandwidth}")
        if labels.ndim != 2 or labels.shape[1] != len(attributes):
            raise ShapeError(f"expected labels [N, {len(attributes)}], not {list(labels.shape)}")
        if not len(labels):
            raise DatasetError("there are no labels to sample from")
        self.attributes, self.method = attributes, method
        self._labels = labels.detach().to("cpu", torch.float32)
        self._bandwidth = self._scott() if bandwidth is None else torch.tensor(bandwidth)
        names = attributes.names
        self._siblings = torch.tensor(
            [[other in attributes.group_of(name) for other in names] for name in names],
            dtype=torch.bool,
        )
        self._all_equal = bool((self._labels == self._labels[0]).all())

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Labels y' for `n` generated images: float32 [n, n_y], CPU.

        Values are -1 or 1 with method "labels", between -1 and 1 with "interpolation", around -1
        and 1 with "kde".
        """
        rows = self._draw(n, generator)
        if self.method == "kde":
            return rows + self._bandwidth * torch.randn(rows.shape, generator=generator)
        if self.method == "interpolation":
            weight = torch.rand(n, 1, generator=generator)
            return rows.lerp(self._draw(n, generator), weight)
        return rows

    def check_varied(self) -> None:
        """Raise DatasetError if all labels are the same, so that nothing can be learnt of them."""
        if len(self.attributes) and self._all_equal:
            raise DatasetError(
                "all training labels are the same, so there are no wrong ones: "
                "choose attributes that vary"
            )

    def constant(self) -> tuple[str, ...]:
        """The attributes that all pictures have, or none."""
        varied = (self._labels != self._labels[0]).any(0).tolist()
        return tuple(
            name for name, varies in zip(self.attributes.names, varied, strict=True) if not varies
        )

    def mismatched(self, y: Tensor, generator: torch.Generator) -> Tensor:
        """A wrong label vector for each of `y`, as the original code draws them.

        That is another picture's label vector, redrawn until it differs; for one-hot labels any
        other class with equal chance.

        Args:
            y: True labels, [B, n_y], -1 or 1.
            generator: Source of randomness, CPU.

        Returns:
            Float32 [B, n_y], CPU. Without attributes there is nothing to differ: [B, 0].

        Raises:
            DatasetError: If all training labels are the same, or there is only one class.
        """
        y = y.detach().to("cpu", torch.float32)
        if not len(self.attributes):
            return y
        if self.attributes.one_hot:
            return self._other_class(y, generator)
        self.check_varied()
        wrong = self._draw(len(y), generator)
        for _ in range(REDRAWS):
            equal = (wrong == y).all(dim=1).nonzero()[:, 0]
            if not len(equal):
                return wrong
            wrong[equal] = self._draw(len(equal), generator)
        return self._replace_equal(wrong, y, generator)

    def edited(self, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Label vectors with one attribute changed in each, drawn uniformly, as an edit does it.

        An attribute that becomes present clears the others of its exclusive group. One-hot labels
        get any other class.

        Args:
            y: True labels, [B, n_y], -1 or 1.
            generator: Source of randomness, CPU.

        Returns:
            The new labels, float32 [B, n_y], CPU, and which of them the edit sets, bool [B, n_y].
        """
        y = y.detach().to("cpu", torch.float32)
        if self.attributes.one_hot:
            return self._other_class(y, generator), torch.ones_like(y, dtype=torch.bool)
        rows = torch.arange(len(y))
        chosen = torch.randint(len(self.attributes), (len(y),), generator=generator)
        value = -y[rows, chosen]
        touched = self._siblings[chosen] & (value > 0)[:, None]
        new = torch.where(touched, -1.0, y)
        new[rows, chosen] = value
        touched[rows, chosen] = True
        return new, touched

    def _replace_equal(self, wrong: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        # If nearly all labels are the same, redrawing would take thousands of rounds. A draw from
        # the rows that differ has the same distribution.
        equal = (wrong == y).all(dim=1)
        for row in torch.unique(y[equal], dim=0):
            others = self._labels[(self._labels != row).any(dim=1)]
            places = (equal & (y == row).all(dim=1)).nonzero()[:, 0]
            wrong[places] = others[torch.randint(len(others), (len(places),), generator=generator)]
        return wrong

    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        return self._labels[torch.randint(len(self._labels), (n,), generator=generator)]

    def _other_class(self, y: Tensor, generator: torch.Generator) -> Tensor:
        n_classes = len(self.attributes)
        if n_classes < 2:
            raise DatasetError("there is only one class, so there are no wrong ones")
        shift = torch.randint(1, n_classes, (len(y),), generator=generator)
        other = (y.argmax(dim=1) + shift) % n_classes
        return torch.full_like(y, -1.0).scatter(1, other[:, None], 1.0)

    def _scott(self) -> Tensor:
        n, n_y = self._labels.shape
        variance = (self._labels - self._labels.mean(dim=0)).square().mean(dim=0)
        factor: float = n ** (-1 / (n_y + 4))
        return variance.sqrt() * factor
