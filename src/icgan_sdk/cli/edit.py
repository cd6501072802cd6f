"""``icgan edit`` and ``icgan reconstruct``: one picture out for each picture in."""

from pathlib import Path
from typing import TYPE_CHECKING

from icgan_sdk.cli.console import for_each
from icgan_sdk.cli.options import (
    DEFAULT_MODEL,
    Device,
    EditDetailOption,
    Inputs,
    Model,
    Output,
    Refine,
    Settings,
    Strip,
    parse_settings,
)
from icgan_sdk.cli.paths import expand, name_outputs

if TYPE_CHECKING:
    from PIL.Image import Image

    from icgan_sdk.detail import Detail
    from icgan_sdk.facade import IcGAN


def edit(
    images: Inputs,
    output: Output,
    settings: Settings = None,
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
    refine: Refine = 0,
    detail: EditDetailOption = "auto",
    strip: Strip = False,
) -> None:
    """Change attributes of pictures.

    For example: icgan edit face.jpg --set Eyeglasses=1 --strip -o out.png
    """
    from icgan_sdk.facade import IcGAN, reconstruct_and_edit

    jobs = _jobs(images, output)
    icgan = IcGAN.from_pretrained(model, device=device)
    edits = parse_settings(settings or (), icgan.groups)
    # A face shall stay the person's; a digit that becomes another is drawn anew.
    automatic: Detail = "generated" if icgan.config.attributes.one_hot else "photo"
    chosen = automatic if detail == "auto" else detail

    def work(job: tuple[Path, Path]) -> None:
        picture = _fitted(job[0], icgan)
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
    strip: Strip = False,
) -> None:
    """Show what the model makes of pictures without a change."""
    from icgan_sdk.facade import IcGAN

    jobs = _jobs(images, output)
    icgan = IcGAN.from_pretrained(model, device=device)

    def work(job: tuple[Path, Path]) -> None:
        picture = _fitted(job[0], icgan)
        _save_row([picture] * strip + [icgan.reconstruct(picture, refine=refine)], job[1])

    for_each(jobs, work)


def _jobs(images: list[str], output: str) -> list[tuple[Path, Path]]:
    inputs = expand(images)
    return list(zip(inputs, name_outputs(inputs, output), strict=True))


def _fitted(path: Path, icgan: "IcGAN") -> "Image":
    from icgan_sdk.images import fit_picture, open_picture

    config = icgan.config
    return fit_picture(open_picture(path, config.channels), config.picture_size, config.crop)


def _save_row(pictures: "list[Image]", path: Path) -> None:
    from icgan_sdk.images import grid, save_picture

    save_picture(grid([pictures]) if len(pictures) > 1 else pictures[0], path)
    print(path)
