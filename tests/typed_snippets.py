"""What users write, as the type checker sees it; an ignored error that goes away is an error."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from icgan_sdk import Align, Detail, Face, IcGAN, Inversion, Latent, PhotoWarning, train

model: IcGAN = IcGAN.from_pretrained("celeba", runtime="onnx")
align: Align = "auto"
face: Face = 1
detail: Detail = "photo"
warning: type[UserWarning] = PhotoWarning
joint: train.JointConfig = train.JointConfig()


def one(picture: Image.Image, path: Path, tensor: torch.Tensor) -> None:
    """One picture gives one result."""
    results: list[Image.Image] = [
        model.edit(picture, Smiling=1),
        model.edit(path, {"Smiling": 1}, detail=detail, align=align, face=face),
        model.edit("a.jpg", attributes={"Smiling": 1}, hair_color=None),
        model.edit(tensor, Smiling=0.5, refine=10),
        model.edit(path, Smiling=1, paste_back=True, face="all"),
        model.reconstruct(b"", refine=3, align="none"),
    ]
    scores: dict[str, float] = model.predict_attributes(path)
    del results, scores


def several(paths: Sequence[Path], mixed: list[str | Image.Image]) -> None:
    """Several pictures give a list."""
    edited: list[Image.Image] = model.edit(paths, Smiling=1)
    edited = model.edit(mixed, Smiling=1, paste_back=True, face="all")
    edited = model.edit(Path().glob("*.jpg"), Smiling=1)
    scores: list[dict[str, float]] = model.predict_attributes(paths)
    del edited, scores


def inverted(path: Path) -> None:
    """What is encoded once."""
    found: Inversion = model.invert(path, align="always", refine=5)
    result: Image.Image = found.refined(10).edit(Smiling=1, detail="generated")
    latent: Latent = model.with_attributes(found.latent, Smiling=1)
    way: list[Image.Image] = model.interpolate(found, path, steps=3)
    del result, latent, way


def wrong(path: Path) -> None:
    """What does not type-check."""
    model.edit(path, Smiling=1, face="all")  # type: ignore[call-overload]
    model.edit(path, Smiling=1, align="sometimes")  # type: ignore[call-overload]
    model.edit(path, Smiling=1, detail="sharp")  # type: ignore[call-overload]
    model.invert(path, refin=3)  # type: ignore[call-arg]
    model.reconstruct(path, face="all")  # type: ignore[call-overload]
    model.invert([path])  # type: ignore[arg-type]
