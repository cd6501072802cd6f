"""Editing: what can be done with encoded pictures, in batches or one by one."""

from icgan_sdk.editing.encoded import Detail, Encoded
from icgan_sdk.editing.inversion import Inversion

__all__ = ["Detail", "Encoded", "Inversion"]
