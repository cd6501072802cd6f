"""``icgan edit`` and ``icgan reconstruct``: one picture out for each picture in."""

from collections.abc import Collection, Sequence
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
    Scale,
    Settings,
    Strip,
    StripMetadata,
    open_model,
    parse_face,
    parse_one_face,
    parse_settings,
    refuse_files,
    refuse_settings,
    split_settings,
)
from icgan_sdk.cli.paths import expand, name_outputs, spare_inputs

if TYPE_CHECKING:
    from PIL.Image import Image

    from icgan_sdk.editing.stream import EditResult


def edit(
    ctx: typer.Context,
    images: Inputs,
    output: Output,
    settings: Settings = None,
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
    refine: Refine = 0,
    detail: DetailOption = "auto",
    align: AlignOption = "auto",
    face: EditFaceOption = "largest",
    paste_back: PasteBack = None,
    scale: Scale = 1,
    strip: Strip = False,
    runtime: Runtime = "auto",
    overwrite: Overwrite = False,
    strip_metadata: StripMetadata = False,
) -> None:
    """Change attributes of pictures. A photo comes back whole, at its own size.

    For example: icgan edit family.jpg --set Smiling=1 -o out.jpg

    Attributes of the model of faces: Bald, Bangs, Black_Hair, Blond_Hair, Brown_Hair,
    Bushy_Eyebrows, Eyeglasses, Gray_Hair, Heavy_Makeup, Male, Mouth_Slightly_Open, Mustache,
    Pale_Skin, Receding_Hairline, Smiling, Straight_Hair, Wavy_Hair, Wearing_Hat. 'icgan info MODEL'
    names those of any model.
    """
    files, changes = split_settings(images, settings or ())
    if not files:
        refuse_files(images, model)
        raise typer.BadParameter("name a picture file", param_hint="'images'")
    if not changes:
        named = next((name for name in files if _is_word(name)), "Eyeglasses")
        raise typer.BadParameter(f"say what to change, as in {named}=1", param_hint="'--set'")
    if paste_back and (strip or detail == "generated"):
        raise typer.BadParameter(
            "shows the photo itself: leave --strip and --detail generated out",
            param_hint="'--paste-back'",
        )
    square = strip or paste_back is False or detail == "generated"
    chosen_face = parse_one_face(face) if square else parse_face(face)
    from icgan_sdk.pictures.metadata import JPEG_SUFFIXES

    jobs = _jobs(files, output, overwrite, keep=() if square else JPEG_SUFFIXES)
    icgan = open_model(model, device, runtime, refine)
    edits = parse_settings(changes, icgan.config.attributes, ctx)

    if strip:
        assert chosen_face != "all"  # see above

        def edit_in_steps(job: tuple[Path, Path]) -> Path:
            found = icgan.invert(job[0], refine=refine, align=align, face=chosen_face)
            row = [found.square, found.reconstruct(), found.edit(edits, detail=detail)]
            return _save_row(row, job[1], scale)

        for_each(jobs, edit_in_steps)
        return
    from icgan_sdk.editing.notes import warn_of_quality, warn_unchanged

    asked = icgan.config.attributes.resolve(edits)
    if detail != "generated":
        warn_of_quality(icgan.quality, asked)
    results = icgan.stream(
        [source for source, _ in jobs],
        edits,
        on_error="skip",
        at_once=1 if len(jobs) == 1 else None,
        refine=refine,
        detail=detail,
        align=align,
        face=chosen_face,
        paste_back="auto" if paste_back is None else paste_back,
    )

    def save(done: "tuple[EditResult, tuple[Path, Path]]") -> Path:
        result, (_, target) = done
        if result.image is None:
            assert result.error is not None  # one of the two is there
            raise result.error
        if len(jobs) == 1:
            warn_unchanged(result.scores, asked)
        return _save_row([result.image], target, scale, metadata=not strip_metadata and not square)

    for_each(zip(results, jobs, strict=True), save)


def _is_word(name: str) -> bool:
    """Whether what stands among the files looks like an attribute."""
    return name.isidentifier() and not Path(name).exists()


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
    scale: Scale = 1,
    overwrite: Overwrite = False,
) -> None:
    """Show what the model makes of pictures without a change."""
    refuse_settings(images)
    chosen_face = parse_one_face(face)
    jobs = _jobs(images, output, overwrite)
    icgan = open_model(model, device, runtime, refine)

    def work(job: tuple[Path, Path]) -> Path:
        picture = icgan.invert(job[0], refine=refine, align=align, face=chosen_face)
        return _save_row([picture.square] * strip + [picture.reconstruct()], job[1], scale)

    for_each(jobs, work)


def _jobs(
    images: Sequence[str], output: str, overwrite: bool, keep: Collection[str] = ()
) -> list[tuple[Path, Path]]:
    inputs = expand(images)
    outputs = name_outputs(inputs, output, keep)
    if len(outputs) == 1 and not overwrite:  # several never get an input's name
        spare_inputs(inputs, outputs[0], "name another file, or --overwrite it")
    return list(zip(inputs, outputs, strict=True))


def _save_row(
    pictures: "list[Image]", path: Path, scale: int = 1, *, metadata: bool = False
) -> Path:
    from icgan_sdk.pictures.grids import enlarge, grid
    from icgan_sdk.pictures.saving import save_picture

    picture = pictures[0] if len(pictures) == 1 else grid([pictures])
    save_picture(picture if scale == 1 else enlarge(picture, scale), path, metadata=metadata)
    return path
