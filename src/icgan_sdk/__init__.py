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
    DataWarning,
    DivergedError,
    DownloadError,
    FontWarning,
    IcGANError,
    ImageError,
    ModelFormatError,
    ModelNotFoundError,
    NoFaceFoundError,
    PhotoWarning,
    ResourceError,
    SaveError,
    ShapeError,
    UnknownAttributeError,
)

if TYPE_CHECKING:
    from icgan_sdk import train
    from icgan_sdk.editing import Detail, Inversion
    from icgan_sdk.editing.latents import Latent
    from icgan_sdk.editing.stream import EditResult
    from icgan_sdk.icgan import IcGAN
    from icgan_sdk.photo import Align, Face, find_faces
    from icgan_sdk.pictures.arrays import from_floats
    from icgan_sdk.pictures.grids import grid, sheet
    from icgan_sdk.pictures.saving import save_animation, save_picture

__all__ = [
    "Align",
    "AttributeValueError",
    "CheckpointError",
    "ConfigError",
    "DataWarning",
    "DatasetError",
    "Detail",
    "DivergedError",
    "DownloadError",
    "EditResult",
    "Face",
    "FontWarning",
    "IcGAN",
    "IcGANError",
    "ImageError",
    "Inversion",
    "Latent",
    "ModelFormatError",
    "ModelNotFoundError",
    "NoFaceFoundError",
    "PhotoWarning",
    "ResourceError",
    "SaveError",
    "ShapeError",
    "UnknownAttributeError",
    "__version__",
    "find_faces",
    "from_floats",
    "grid",
    "save_animation",
    "save_picture",
    "sheet",
    "train",
]

HOMES = {
    "Align": "icgan_sdk.photo",
    "Detail": "icgan_sdk.editing",
    "EditResult": "icgan_sdk.editing.stream",
    "Face": "icgan_sdk.photo",
    "IcGAN": "icgan_sdk.icgan",
    "Inversion": "icgan_sdk.editing",
    "Latent": "icgan_sdk.editing.latents",
    "find_faces": "icgan_sdk.photo",
    "from_floats": "icgan_sdk.pictures.arrays",
    "grid": "icgan_sdk.pictures.grids",
    "save_animation": "icgan_sdk.pictures.saving",
    "save_picture": "icgan_sdk.pictures.saving",
    "sheet": "icgan_sdk.pictures.grids",
}
"""Where what is resolved on first use lies."""


def __getattr__(name: str) -> object:
    if name == "train":
        return import_module("icgan_sdk.train")
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
