"""Counting what was read off images against what is true."""

from dataclasses import dataclass

from torch import Tensor

from icgan_sdk.errors import ShapeError


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts of images by what was found and what is true, for each attribute.

    Attributes:
        names: The attributes.
        tp: Found and true, int64 [n_y].
        fp: Found but not true, int64 [n_y].
        fn: True but not found, int64 [n_y].
        tn: Neither, int64 [n_y].
    """

    names: tuple[str, ...]
    tp: Tensor
    fp: Tensor
    fn: Tensor
    tn: Tensor

    @classmethod
    def count(cls, found: Tensor, truth: Tensor, names: tuple[str, ...]) -> "Confusion":
        """Count images.

        Args:
            found: Bool [N, n_y].
            truth: Bool [N, n_y].
            names: The n_y attributes.

        Raises:
            ShapeError: If the shapes differ, or there is no image.
        """
        if found.shape != truth.shape or truth.shape[1:] != (len(names),) or not len(truth):
            raise ShapeError(
                f"expected two tensors [N, {len(names)}] with N from 1, not {list(found.shape)} "
                f"and {list(truth.shape)}"
            )
        return cls(
            names,
            tp=(found & truth).sum(0),
            fp=(found & ~truth).sum(0),
            fn=(~found & truth).sum(0),
            tn=(~found & ~truth).sum(0),
        )

    @property
    def images(self) -> int:
        """How many images were counted."""
        return int(self.tp[0] + self.fp[0] + self.fn[0] + self.tn[0])

    @property
    def accuracy(self) -> Tensor:
        """Share of images read right, (tp + tn) / N in 0…1: float64 [n_y]."""
        return (self.tp + self.tn).double() / self.images

    @property
    def f1(self) -> Tensor:
        """Harmonic mean of precision and recall, 2·tp / (2·tp + fp + fn) in 0…1: float64 [n_y].

        0 where that is 0/0: an attribute neither found nor true in any image. The original's
        script computes 2·P·R / (P + R) from precision P and recall R. That is NaN, and so is its
        printed mean, as soon as one attribute is never found right. The paper doesn't say how it
        averaged. Its Table 3 has numbers throughout, down to 4.03 %, from which we infer that
        such attributes count as 0.
        """
        f1 = 2 * self.tp.double() / (2 * self.tp + self.fp + self.fn)
        return f1.nan_to_num(0.0)

    @property
    def mean_accuracy(self) -> float:
        """Mean of `accuracy` over the attributes, as Table 3's first column."""
        return float(self.accuracy.mean())

    @property
    def mean_f1(self) -> float:
        """Mean of `f1` over all attributes, as Table 3's second column."""
        return float(self.f1.mean())

    @property
    def class_accuracy(self) -> float:
        """Share of images whose class was read right. It has a meaning for one-hot labels only."""
        return float(self.tp.sum()) / self.images

    def rates(self) -> dict[tuple[str, bool], float]:
        """Share of images read as they are, by attribute and by whether it is present.

        NaN where there is no such image.
        """
        shares = {True: self.tp.double() / (self.tp + self.fn)}
        shares[False] = self.tn.double() / (self.tn + self.fp)
        return {
            (name, present): rate
            for present, rates in shares.items()
            for name, rate in zip(self.names, rates.tolist(), strict=True)
        }
