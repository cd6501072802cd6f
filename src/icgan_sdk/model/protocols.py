"""What networks may offer beyond their forward pass, for those who write their own."""

from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class ChangesZ(Protocol):
    """A generator or an E_z whose z can be expressed in other coordinates."""

    def change_z(self, root: Tensor) -> None:
        """Let z stand for what was root·z: G takes such z from now on, E_z gives them.

        Args:
            root: [z_dim, z_dim], invertible, in double precision on the CPU.
        """
        ...


@runtime_checkable
class EntersFirst(Protocol):
    """A generator that shows the layer that z enters, so that `refine_z` can weigh z evenly.

    Attributes:
        first: Linear or a transposed convolution; its first z_dim inputs are z.
    """

    @property
    def first(self) -> nn.Linear | nn.ConvTranspose2d:
        """The layer."""
        ...
