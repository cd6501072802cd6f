"""Commands that put several generated pictures on one sheet, as the paper's figures do."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icgan_sdk.cli.console import for_each
from icgan_sdk.cli.options import (
    DEFAULT_MODEL,
    AlignOption,
    Device,
    FaceOption,
    Inputs,
    Model,
    Refine,
    Runtime,
    Settings,
    SheetOutput,
    open_model,
    parse_one_face,
    parse_settings,
)
from icgan_sdk.cli.paths import expand, means_folder, spare_inputs

if TYPE_CHECKING:
    from PIL.Image import Image

FirstPicture = Annotated[Path, typer.Argument(help="The first picture.", metavar="A")]
SecondPicture = Annotated[Path, typer.Argument(help="The second picture.", metavar="B")]


def variations(
    images: Inputs,
    output: SheetOutput,
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
    runtime: Runtime = "auto",
    refine: Refine = 0,
    align: AlignOption = "auto",
    face: FaceOption = "largest",
    titles: Annotated[
        bool, typer.Option("--titles/--no-titles", help="Name what each column shows.")
    ] = True,
) -> None:
    """Show every attribute's effect: a row for each picture (the paper's Figure 5).

    Columns: original, reconstruction, then one for each attribute in the model's order.
    """
    chosen = parse_one_face(face)
    inputs = expand(images)
    spare_inputs(inputs, output)
    icgan = open_model(model, device, runtime, refine)
    rows: list[list[Image]] = []

    def work(path: Path) -> None:
        rows.append(icgan.variations(path, refine=refine, align=align, face=chosen))

    try:
        for_each(inputs, work)
    finally:
        if rows:
            names = ("Original", "Reconstruction", *icgan.attributes)
            _save_sheet(rows, output, names if titles else ())


def interpolate(
    a: FirstPicture,
    b: SecondPicture,
    output: Annotated[
        str, typer.Option("--output", "-o", help="A strip (.png, .jpg) or an animation (.gif).")
    ],
    steps: Annotated[
        int, typer.Option("--steps", min=2, help="Pictures in all, both ends included.")
    ] = 8,
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
    runtime: Runtime = "auto",
    refine: Refine = 0,
    align: AlignOption = "auto",
    face: FaceOption = "largest",
) -> None:
    """Pass from one picture to another (the paper's Figure 6a)."""
    from icgan_sdk.pictures.saving import save_animation

    chosen = parse_one_face(face)
    spare_inputs((a, b), output)
    icgan = open_model(model, device, runtime, refine)
    pictures = icgan.interpolate(a, b, steps=steps, refine=refine, align=align, face=chosen)
    if Path(output).suffix.lower() == ".gif":
        save_animation(pictures, output)
        print(output)
    else:
        _save_sheet([pictures], output)


def swap(
    a: FirstPicture,
    b: SecondPicture,
    output: SheetOutput,
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
    runtime: Runtime = "auto",
    refine: Refine = 0,
    align: AlignOption = "auto",
    face: FaceOption = "largest",
) -> None:
    """Exchange the attributes of two pictures (the paper's Figure 6b).

    Rows: the reconstructions of A and B, then A with B's attributes and B with A's.
    """
    chosen = parse_one_face(face)
    spare_inputs((a, b), output)
    icgan = open_model(model, device, runtime, refine)
    ends = [icgan.invert(x, refine=refine, align=align, face=chosen) for x in (a, b)]
    swapped = list(icgan.swap_attributes(*ends))
    _save_sheet([[end.reconstruct() for end in ends], swapped], output)


def sample(
    output: Annotated[
        str, typer.Option("--output", "-o", help="File for a grid, folder for single pictures.")
    ],
    n: Annotated[int, typer.Option("-n", min=1, help="How many pictures.")] = 16,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="The same seed, the same pictures.")
    ] = None,
    settings: Settings = None,
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
    runtime: Runtime = "auto",
) -> None:
    """Generate pictures from random z, with the attributes that are set."""
    from icgan_sdk.pictures.saving import save_picture

    icgan = open_model(model, device, runtime)
    pictures = icgan.sample(n, parse_settings(settings or (), icgan.config.attributes), seed=seed)
    if not means_folder(output):
        columns = math.ceil(math.sqrt(n))
        _save_sheet([pictures[i : i + columns] for i in range(0, n, columns)], output)
        return
    for number, picture in enumerate(pictures):
        path = Path(output) / f"sample_{number:0{len(str(n - 1))}d}.png"
        save_picture(picture, path)
        print(path)


def _save_sheet(rows: "list[list[Image]]", output: str, titles: tuple[str, ...] = ()) -> None:
    from icgan_sdk.pictures.grids import grid, titled
    from icgan_sdk.pictures.saving import save_picture

    save_picture(titled(grid(rows), titles) if titles else grid(rows), output)
    print(output)
