"""``icgan edit`` and ``icgan reconstruct``: one picture out for each picture in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
from icgan_sdk.errors import ConfigError

if TYPE_CHECKING:
    from PIL.Image import Image

    from icgan_sdk.config import ModelConfig
    from icgan_sdk.model.compositing import Detail
    from icgan_sdk.photo import Align, FaceOrAll

RuntimeOption = Annotated[
    Literal["torch", "onnx"],
    typer.Option("--runtime", help="onnx: run the folder of 'icgan export', without torch."),
]


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
    runtime: RuntimeOption = "torch",
) -> None:
    """Change attributes of pictures.

    For example: icgan edit family.jpg --set Smiling=1 --paste-back -o out.jpg
    """
    if paste_back and (strip or detail == "generated"):
        raise typer.BadParameter(
            "shows the photo itself: leave --strip and --detail generated out",
            param_hint="'--paste-back'",
        )
    chosen_face = parse_face(face)
    jobs = _jobs(images, output)
    if runtime == "onnx":
        if paste_back or align == "always" or face != "largest":
            raise ConfigError("--runtime onnx looks for no faces: leave --runtime onnx out")
        _edit_onnx(jobs, settings, model, device, refine, detail, align, strip)
        return
    from icgan_sdk.facade import IcGAN, reconstruct_and_edit

    icgan = IcGAN.from_pretrained(model, device=device)
    edits = parse_settings(settings or (), icgan.groups)
    chosen = _chosen(detail, icgan.config)

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


def _edit_onnx(
    jobs: list[tuple[Path, Path]],
    settings: list[str] | None,
    folder: str,
    device: str,
    refine: int,
    detail: EditDetailOption,
    align: AlignOption,
    strip: bool,
) -> None:
    from icgan_sdk.export import OnnxIcGAN
    from icgan_sdk.pictures.opening import open_picture
    from icgan_sdk.pictures.squares import fit_picture

    if refine:
        raise ConfigError("--refine needs gradients, which exports lack: use --runtime torch")
    if device not in {"auto", "cpu"}:
        raise ConfigError(f"--runtime onnx runs on the CPU, not on {device}: leave --device out")
    exported = OnnxIcGAN(folder)
    edits = parse_settings(settings or (), exported.groups)
    chosen = _chosen(detail, exported.config)

    def work(job: tuple[Path, Path]) -> None:
        photo = open_picture(job[0], exported.config.channels)
        fitted = fit_picture(photo, exported.config.picture_size, exported.config.crop)
        # A whole photo is warned of, being cropped, unless that was asked for.
        picture = exported.edit(fitted if align == "none" else photo, edits, detail=chosen)
        before = [fitted, exported.reconstruct(fitted)] if strip else []
        _save_row([*before, picture], job[1])

    for_each(jobs, work)


def _chosen(detail: EditDetailOption, config: "ModelConfig") -> "Detail":
    if detail != "auto":
        return detail
    # A face shall stay the person's; a digit that becomes another is drawn anew.
    return "generated" if config.attributes.one_hot else "photo"


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
    from icgan_sdk.photo import cut_photo, refuse_all
    from icgan_sdk.pictures.opening import open_picture

    refuse_all(face)
    return cut_photo(open_picture(path, config.channels), config, align, face, str(path))[0].square


def _save_row(pictures: "list[Image]", path: Path) -> None:
    from icgan_sdk.pictures.grids import grid
    from icgan_sdk.pictures.saving import save_picture

    save_picture(grid([pictures]) if len(pictures) > 1 else pictures[0], path)
    print(path)
