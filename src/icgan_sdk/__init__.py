"""Edit images by their attributes with Invertible Conditional GANs (IcGAN).

    from icgan_sdk import IcGAN

    model = IcGAN.from_pretrained("celeba")
    model.edit("face.jpg", Eyeglasses=1).save("glasses.png")

The exports are resolved on first use (PEP 562), so that ``import icgan_sdk`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from icgan_sdk._version import __version__
from icgan_sdk.errors import (
    AttributeValueError,
    CheckpointError,
    ConfigError,
    DatasetError,
    DownloadError,
    IcGANError,
    ImageError,
    ModelFormatError,
    ModelNotFoundError,
    NoFaceFoundError,
    SaveError,
    ShapeError,
    UnknownAttributeError,
)

if TYPE_CHECKING:
    from icgan_sdk import train
    from icgan_sdk.facade import IcGAN, Latent

__all__ = [
    "AttributeValueError",
    "CheckpointError",
    "ConfigError",
    "DatasetError",
    "DownloadError",
    "IcGAN",
    "IcGANError",
    "ImageError",
    "Latent",
    "ModelFormatError",
    "ModelNotFoundError",
    "NoFaceFoundError",
    "SaveError",
    "ShapeError",
    "UnknownAttributeError",
    "__version__",
    "train",
]


def __getattr__(name: str) -> object:
    if name == "train":
        return import_module("icgan_sdk.train")
    if name in {"IcGAN", "Latent"}:
        return getattr(import_module("icgan_sdk.facade"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
