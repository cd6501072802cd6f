"""``icgan edit`` and ``icgan reconstruct``: one picture out for each picture in."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from icgan_sdk.cli.console import for_each
from icgan_sdk.cli.options import (
    DEFAULT_MODEL,
    AlignOption,
    DetailOption,
    Device,
    EditFaceOption,
    FaceOption,
    Inputs,
    Model,
    Output,
    Overwrite,
    PasteBack,
    Refine,
    Runtime,
    Settings,
    Strip,
    open_model,
    parse_face,
    parse_one_face,
    parse_settings,
)
from icgan_sdk.cli.paths import expand, name_outputs, spare_inputs

if TYPE_CHECKING:
    from PIL.Image import Image


def edit(
    images: Inputs,
    output: Output,
    settings: Settings = None,
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
    refine: Refine = 0,
    detail: DetailOption = "auto",
    align: AlignOption = "auto",
    face: EditFaceOption = "largest",
    paste_back: PasteBack = False,
    strip: Strip = False,
    runtime: Runtime = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Change attributes of pictures.

    For example: icgan edit family.jpg --set Smiling=1 --paste-back -o out.jpg
    """
    if paste_back and (strip or detail == "generated"):
        raise typer.BadParameter(
            "shows the photo itself: leave --strip and --detail generated out",
            param_hint="'--paste-back'",
        )
    chosen_face = parse_face(face) if paste_back else parse_one_face(face)
    jobs = _jobs(images, output, overwrite)
    icgan = open_model(model, device, runtime, refine)
    edits = parse_settings(settings or (), icgan.groups)

    def work(job: tuple[Path, Path]) -> None:
        if paste_back or chosen_face == "all":  # the two go together, see above
            photo = icgan.edit(
                job[0], edits, refine=refine, align=align, face=chosen_face, paste_back=True
            )
            _save_row([photo], job[1])
            return
        picture = icgan.invert(job[0], refine=refine, align=align, face=chosen_face)
        before = [picture.square, picture.reconstruct()] if strip else []
        _save_row([*before, picture.edit(edits, detail=detail)], job[1])

    for_each(jobs, work)


def reconstruct(
    images: Inputs,
    output: Output,
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
    runtime: Runtime = "auto",
    refine: Refine = 0,
    align: AlignOption = "auto",
    face: FaceOption = "largest",
    strip: Strip = False,
    overwrite: Overwrite = False,
) -> None:
    """Show what the model makes of pictures without a change."""
    chosen_face = parse_one_face(face)
    jobs = _jobs(images, output, overwrite)
    icgan = open_model(model, device, runtime, refine)

    def work(job: tuple[Path, Path]) -> None:
        picture = icgan.invert(job[0], refine=refine, align=align, face=chosen_face)
        _save_row([picture.square] * strip + [picture.reconstruct()], job[1])

    for_each(jobs, work)


def _jobs(images: list[str], output: str, overwrite: bool) -> list[tuple[Path, Path]]:
    inputs = expand(images)
    outputs = name_outputs(inputs, output)
    if len(outputs) == 1 and not overwrite:  # several never get an input's name
        spare_inputs(inputs, outputs[0])
    return list(zip(inputs, outputs, strict=True))


def _save_row(pictures: "list[Image]", path: Path) -> None:
    from icgan_sdk.pictures.grids import grid
    from icgan_sdk.pictures.saving import save_picture

    save_picture(grid([pictures]) if len(pictures) > 1 else pictures[0], path)
    print(path)
