"""What a painter is trained against: the interface of its critics."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Sight(ABC):
    """What a critic sees in a batch of pictures."""

    @abstractmethod
    def scores(self, y: Tensor) -> list[Tensor]:
        """How real the pictures are with attributes y [B, n_y].

        A value of 0 in y stands for what is not known.

        Returns:
            One or more maps of scores, [B, positions] each, float32.
        """

    @abstractmethod
    def parts(self, y: Tensor) -> Tensor:
        """How real the pictures' N overlapping parts are, [B, N], float32; see `scores`."""

    @abstractmethod
    def read(self) -> Tensor:
        """Logits [B, n_y] for the presence of each attribute, float32."""


class PhotoCritic(nn.Module, ABC):
    """Scores how real photos with given attributes are, and reads their attributes.

    Attributes:
        relative_rate: Its learning rate, as a multiple of the painter's.
    """

    relative_rate: float = 2.0

    def features(self, x: Tensor) -> list[Tensor]:
        """What a frozen network sees in photos [B, C, P, P] in [-1, 1].

        It is computed once for the updates of both networks. A critic without a frozen network
        passes the photos on.
        """
        return [x]

    @abstractmethod
    def look(self, features: list[Tensor]) -> Sight:
        """Judge photos by their features."""

    def calibrate(self, x: Tensor) -> None:
        """Measure what a new critic must know of real photos [B, C, P, P] before it learns."""
