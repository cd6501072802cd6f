"""Editing: what can be done with an encoded picture."""

from icgan_sdk.editing.inversion import Inversion
from icgan_sdk.editing.latents import Detail

__all__ = ["Detail", "Inversion"]
