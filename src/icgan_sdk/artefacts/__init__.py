"""Artefact folders: on disk, bundled, on the Hugging Face Hub, converted from Torch7.

Import the modules one by one: `layout` and `resolving` need no torch, `store` does. `from_torch7`
is imported on first use (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icgan_sdk.artefacts.torch7.conversion import from_torch7

__all__ = ["from_torch7"]


def __getattr__(name: str) -> object:
    if name == "from_torch7":
        return getattr(import_module("icgan_sdk.artefacts.torch7.conversion"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
