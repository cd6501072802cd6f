"""What type checkers say of calls of the package; never run.

`mypy` checks it with the rest. Each ``type: ignore`` stands where a wrong call has to be an error:
one that is none would be an unused comment, which is an error too.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal, assert_type

import numpy as np
import numpy.typing as npt
import torch
from PIL.Image import Image

from icgan_sdk import Align, Detail, Face, IcGAN, Inversion, Latent, PhotoWarning, train


def one_picture_gives_one(
    model: IcGAN,
    picture: Image,
    file: IO[bytes],
    pixels: npt.NDArray[np.uint8],
    tensor: torch.Tensor,
) -> None:
    assert_type(model.edit(picture, Smiling=1), Image)
    assert_type(model.edit("a.jpg", {"Smiling": 1}), Image)
    assert_type(model.edit(Path("a.jpg"), Smiling=1, paste_back=True), Image)
    assert_type(model.edit(b"", hair_color=None), Image)
    assert_type(model.edit(file, Smiling=0.5), Image)
    assert_type(model.edit(pixels, Smiling=1), Image)
    assert_type(model.edit(tensor, Smiling=1), Image)
    assert_type(model.reconstruct(tensor), Image)
    assert_type(model.reconstruct(picture, refine=5, align="none"), Image)
    assert_type(model.edit("a.jpg", attributes={"Smiling": 1}, hair_color=None), Image)
    assert_type(model.predict_attributes("a.jpg"), dict[str, float])


def several_give_a_list(
    model: IcGAN, pictures: list[Image], paths: Iterator[Path], tensors: list[torch.Tensor]
) -> None:
    assert_type(model.edit(pictures, Smiling=1), list[Image])
    assert_type(model.edit(["a.jpg", pictures[0]], Smiling=1), list[Image])
    assert_type(model.edit(paths, Smiling=1), list[Image])
    assert_type(model.edit(Path().glob("*.jpg"), Smiling=1, paste_back=True), list[Image])
    assert_type(model.edit((p for p in pictures), Smiling=1), list[Image])
    assert_type(model.edit(tensors, Smiling=1), list[Image])
    assert_type(model.reconstruct(("a.jpg", "b.jpg")), list[Image])
    assert_type(model.predict_attributes(pictures), list[dict[str, float]])


def what_every_method_gives(model: IcGAN, picture: Image) -> None:
    inversion = model.invert(picture, face=0)
    assert_type(inversion, Inversion)
    assert_type(inversion.refined(50), Inversion)
    assert_type(inversion.edit(Smiling=1), Image)
    assert_type(inversion.paste_back({"Smiling": 1}), Image)
    assert_type(inversion.reconstruct(), Image)
    assert_type(inversion.square, Image)
    assert_type(inversion.scores, dict[str, float])
    assert_type(inversion.latent, Latent)
    assert_type(inversion.variations(), list[Image])
    assert_type(model.encode([picture]), Latent)
    assert_type(model.with_attributes(model.encode(picture), Smiling=1), Latent)
    assert_type(model.decode(inversion.latent), list[Image])
    assert_type(model.variations(picture), list[Image])
    assert_type(model.interpolate(inversion, "b.jpg", steps=3), list[Image])
    assert_type(model.swap_attributes(picture, inversion), tuple[Image, Image])
    assert_type(model.sample(3, seed=0, hair_color="Blond_Hair"), list[Image])
    assert_type(model.to("cpu"), IcGAN)
    assert_type(model.device, torch.device)
    assert_type(model.attributes, tuple[str, ...])
    assert_type(IcGAN.from_pretrained("folder", runtime="onnx"), IcGAN)


def what_else_is_exported() -> None:
    warning: type[UserWarning] = PhotoWarning
    assert_type(train.JointConfig(), train.JointConfig)
    del warning


def options_have_types(model: IcGAN, align: Align, face: Face, detail: Detail) -> None:
    model.edit("a.jpg", align=align, face=face, detail=detail)
    model.invert("a.jpg", align=align, face=face, refine=5).edit(detail=detail)
    anywhere: Literal["largest", "all"] = "all"
    model.edit("a.jpg", Smiling=1, face=anywhere, paste_back=True)
    model.edit(["a.jpg"], Smiling=1, face="all", paste_back=True)


def all_faces_go_with_pasting_back(model: IcGAN, picture: Image) -> None:
    model.edit(picture, Smiling=1, face="all")
    model.edit([picture], Smiling=1, face="all", paste_back="auto")
    model.edit([picture], Smiling=1, face="all", paste_back=False)  # type: ignore[call-overload]
    model.edit(picture, Smiling=1, face="all", paste_back=False)  # type: ignore[call-overload]
    model.invert(picture, face="all")
    model.reconstruct(picture, face="all")  # type: ignore[call-overload]


def values_are_checked(model: IcGAN, picture: Image) -> None:
    model.edit(picture, align="allways")  # type: ignore[call-overload]
    model.encode(picture, align="allways")  # type: ignore[arg-type]
    model.edit(picture, detail="sharp")  # type: ignore[call-overload]
    model.invert(picture).edit(detail="sharp")  # type: ignore[arg-type]
    model.edit(picture, refine="50")  # type: ignore[call-overload]
    model.edit(picture, face="left")  # type: ignore[call-overload]
    model.edit(picture, "Smiling")  # type: ignore[call-overload]
    model.edit(7, Smiling=1)  # type: ignore[call-overload]
    model.interpolate(picture)  # type: ignore[call-arg]
    IcGAN.from_pretrained("folder", runtime="tensorrt")  # type: ignore[arg-type]
    IcGAN.from_pretrained("folder", source="nowhere")  # type: ignore[arg-type]


def names_of_options_are_checked(model: IcGAN, picture: Image) -> None:
    model.encode(picture, refin=5)  # type: ignore[call-arg]
    model.invert(picture, detail="photo")  # type: ignore[call-arg]
    model.reconstruct(picture, alin="none")  # type: ignore[call-overload]
    model.predict_attributes(picture, refine=5)  # type: ignore[call-overload]
    model.variations([picture])  # type: ignore[arg-type]
    model.invert([picture])  # type: ignore[arg-type]
    model.invert(picture).edit("Smiling")  # type: ignore[arg-type]
