"""``icgan edit`` and ``icgan reconstruct``: one picture out for each picture in."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from icgan_sdk.cli.console import for_each
from icgan_sdk.cli.options import (
    DEFAULT_MODEL,
    AlignOption,
    Device,
    EditDetailOption,
    EditFaceOption,
    FaceOption,
    Inputs,
    Model,
    Output,
    PasteBack,
    Refine,
    Settings,
    Strip,
    parse_face,
    parse_one_face,
    parse_settings,
)
from icgan_sdk.cli.paths import expand, name_outputs

if TYPE_CHECKING:
    from PIL.Image import Image

    from icgan_sdk.config import ModelConfig
    from icgan_sdk.detail import Detail
    from icgan_sdk.photo import Align, FaceOrAll


def edit(
    images: Inputs,
    output: Output,
    settings: Settings = None,
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
    refine: Refine = 0,
    detail: EditDetailOption = "auto",
    align: AlignOption = "auto",
    face: EditFaceOption = "largest",
    paste_back: PasteBack = False,
    strip: Strip = False,
) -> None:
    """Change attributes of pictures.

    For example: icgan edit family.jpg --set Smiling=1 --paste-back -o out.jpg
    """
    from icgan_sdk.facade import IcGAN, reconstruct_and_edit

    if paste_back and (strip or detail == "generated"):
        raise typer.BadParameter(
            "shows the photo itself: leave --strip and --detail generated out",
            param_hint="'--paste-back'",
        )
    chosen_face = parse_face(face)
    jobs = _jobs(images, output)
    icgan = IcGAN.from_pretrained(model, device=device)
    edits = parse_settings(settings or (), icgan.groups)
    # A face shall stay the person's; a digit that becomes another is drawn anew.
    automatic: Detail = "generated" if icgan.config.attributes.one_hot else "photo"
    chosen = automatic if detail == "auto" else detail

    def work(job: tuple[Path, Path]) -> None:
        if paste_back:
            photo = icgan.edit(
                job[0], edits, refine=refine, align=align, face=chosen_face, paste_back=True
            )
            _save_row([photo], job[1])
            return
        picture = _aligned(job[0], icgan.config, align, chosen_face)
        if strip:
            pair = reconstruct_and_edit(icgan, picture, edits, refine=refine, detail=chosen)
            _save_row([picture, *pair], job[1])
        else:
            _save_row([icgan.edit(picture, edits, refine=refine, detail=chosen)], job[1])

    for_each(jobs, work)


def reconstruct(
    images: Inputs,
    output: Output,
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
    refine: Refine = 0,
    align: AlignOption = "auto",
    face: FaceOption = "largest",
    strip: Strip = False,
) -> None:
    """Show what the model makes of pictures without a change."""
    from icgan_sdk.facade import IcGAN

    chosen_face = parse_one_face(face)
    jobs = _jobs(images, output)
    icgan = IcGAN.from_pretrained(model, device=device)

    def work(job: tuple[Path, Path]) -> None:
        picture = _aligned(job[0], icgan.config, align, chosen_face)
        _save_row([picture] * strip + [icgan.reconstruct(picture, refine=refine)], job[1])

    for_each(jobs, work)


def _jobs(images: list[str], output: str) -> list[tuple[Path, Path]]:
    inputs = expand(images)
    return list(zip(inputs, name_outputs(inputs, output), strict=True))


def _aligned(path: Path, config: "ModelConfig", align: "Align", face: "FaceOrAll") -> "Image":
    from icgan_sdk.images import open_picture
    from icgan_sdk.photo import cut_photo, refuse_all

    refuse_all(face)
    return cut_photo(open_picture(path, config.channels), config, align, face, str(path))[0].square


def _save_row(pictures: "list[Image]", path: Path) -> None:
    from icgan_sdk.images import grid, save_picture

    save_picture(grid([pictures]) if len(pictures) > 1 else pictures[0], path)
    print(path)
