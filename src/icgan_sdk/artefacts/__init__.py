"""Models as folders: on disk, bundled with the package, on the Hugging Face Hub, from Torch7.

The modules are imported one by one: `layout` and `bundled` cost nothing, `folder` brings torch, and
so does `from_torch7`, on first use (PEP 562).
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
