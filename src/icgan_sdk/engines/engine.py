"""The interface between pictures and networks: arrays in, arrays out."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

from icgan_sdk.config import ModelConfig
from icgan_sdk.pictures.arrays import Floats

if TYPE_CHECKING:
    from icgan_sdk.model import IcGANNetworks

RuntimeName = Literal["torch", "onnx", "auto"]
"""The library that runs the networks; "auto": onnxruntime where it can, on the CPU."""

CHUNK = 64
"""Pictures that go through the networks at once; bounds memory on large batches."""


class Engine(ABC):
    """Runs a model's networks.

    All arrays are float32 on the CPU, wherever the networks compute. Batches may have any size,
    and no picture of a batch influences another beyond the rounding of floats. An engine can be
    pickled and copied, and threads may share it.

    Attributes:
        config: Sizes and design of the networks.
    """

    config: ModelConfig

    @property
    @abstractmethod
    def device(self) -> str:
        """Where the networks compute: "cpu", "cuda:0", "mps"."""

    @abstractmethod
    def move(self, device: str) -> None:
        """Let the networks compute elsewhere.

        Raises:
            ConfigError: If there is no such device.
        """

    @abstractmethod
    def share_cores(self, callers: int) -> int:
        """Expect so many threads to call at once, and let each call use its part of the cores.

        A call on all cores is fastest alone, but several such calls wait for each other. The
        results stay what they are.

        Returns:
            How many were expected before.
        """

    def expect_paint(self) -> None:  # noqa: B027  # most engines are ready
        """Get ready for `read` and `paint`, beside what the caller does until then."""

    @abstractmethod
    def encode(self, images: Floats) -> tuple[Floats, Floats]:
        """E_z and E_y.

        Args:
            images: [B, C, P, P] in [-1, 1], P being the side of `ModelConfig.photo`.

        Returns:
            z [B, z_dim] and y [B, n_attributes].
        """

    @abstractmethod
    def read(self, images: Floats) -> Floats:
        """E_y alone: y [B, n_attributes] of images [B, C, P, P]."""

    @abstractmethod
    def decode(self, z: Floats, y: Floats) -> Floats:
        """G(z, y): images [B, C, S, S] in (-1, 1)."""

    @abstractmethod
    def change(self, images: Floats, rebuilt: Floats, edited: Floats) -> Floats:
        """What an edit adds to the original pixels, see `icgan_sdk.model.compositing`.

        Args:
            images: The originals, [B, C, S, S] in [-1, 1].
            rebuilt: G's pictures before the edit.
            edited: G's pictures after it.

        Returns:
            [B, C, S, S] in [-2, 2].
        """

    @abstractmethod
    def paint(self, images: Floats, y: Floats, y_new: Floats) -> Floats:
        """An edit painted onto photos, for models with a painter.

        Args:
            images: [B, C, P, P] in [-1, 1].
            y: The attributes read in them, [B, n_attributes].
            y_new: The attributes after the edit.

        Returns:
            [B, C, P, P] in [-1, 1]; an image itself, bit for bit, whose attributes stay.
        """

    @abstractmethod
    def refine(self, images: Floats, z: Floats, y: Floats, steps: int) -> Floats:
        """Search a z whose picture comes nearer to the image, see `refine_z`.

        Returns:
            The new z, [B, z_dim].

        Raises:
            ConfigError: If the engine knows no gradients.
        """

    @property
    @abstractmethod
    def networks(self) -> "IcGANNetworks":
        """The networks as modules.

        Raises:
            ConfigError: If the engine has none.
        """
