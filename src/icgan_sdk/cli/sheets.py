"""Commands that put several generated pictures on one sheet, as the paper's figures do."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icgan_sdk.cli.console import for_each
from icgan_sdk.cli.options import (
    DEFAULT_MODEL,
    AlignOption,
    DetailOption,
    Device,
    FaceOption,
    Inputs,
    Model,
    PasteBack,
    Refine,
    Runtime,
    Scale,
    Settings,
    SheetOutput,
    open_model,
    parse_one_face,
    parse_settings,
    refuse_settings,
    split_settings,
)
from icgan_sdk.cli.paths import check_output, expand, means_folder

if TYPE_CHECKING:
    from PIL.Image import Image

ANIMATIONS = frozenset({".gif", ".webp"})
"""Suffixes of files that show pictures one after another."""

VIDEOS = (".avi", ".mkv", ".mov", ".mp4", ".webm")

FirstPicture = Annotated[Path, typer.Argument(help="The first picture.", metavar="A")]
SecondPicture = Annotated[Path, typer.Argument(help="The second picture.", metavar="B")]


def variations(
    images: Inputs,
    output: SheetOutput,
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
    runtime: Runtime = "auto",
    refine: Refine = 0,
    detail: DetailOption = "auto",
    align: AlignOption = "auto",
    face: FaceOption = "largest",
    paste_back: PasteBack = None,
    scale: Scale = 1,
    titles: Annotated[
        bool, typer.Option("--titles/--no-titles", help="Name what each picture shows.")
    ] = True,
) -> None:
    """Show every attribute's effect: what is absent is added, what is there removed.

    Faces of photos are shown as the photo has them. With --detail generated, and for models without
    a painter, each picture gives a row of the paper's Figure 5: original, reconstruction, each
    attribute set.
    """
    from icgan_sdk.cli.showing import turned_round
    from icgan_sdk.editing.latents import find_detail

    chosen = parse_one_face(face)
    if paste_back and detail == "generated":
        raise typer.BadParameter(
            "shows the photo itself: leave --detail generated out", param_hint="'--paste-back'"
        )
    refuse_settings(images)
    inputs = expand(images)
    check_output(output, inputs)
    icgan = open_model(model, device, runtime, refine)
    generated = find_detail(detail, icgan.config) == "generated"
    rows: list[list[Image]] = []

    def work(path: Path) -> None:
        found = icgan.invert(path, refine=refine, align=align, face=chosen)
        if generated:
            rows.append(found.variations(detail="generated"))
        else:
            rows.extend(turned_round(found, paste_back, titles=titles))

    try:
        for_each(inputs, work)
    finally:
        if rows:
            names = ("Original", "Reconstruction", *icgan.attributes)
            _save_sheet(rows, output, names if titles and generated else (), scale)


def interpolate(
    ctx: typer.Context,
    a: FirstPicture,
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="A strip (.png, .jpg) or an animation (.gif, .webp)."),
    ],
    b: Annotated[
        list[str] | None,
        typer.Argument(help="The second picture, or an edit: Smiling=1.", metavar="B"),
    ] = None,
    settings: Settings = None,
    steps: Annotated[
        int, typer.Option("--steps", min=2, help="Pictures in all, both ends included.")
    ] = 8,
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
    runtime: Runtime = "auto",
    refine: Refine = 0,
    align: AlignOption = "auto",
    face: FaceOption = "largest",
    paste_back: PasteBack = None,
    scale: Scale = 1,
) -> None:
    """Pass from one picture to another (the paper's Figure 6a), or to an edit of it.

    For example: icgan interpolate me.jpg Smiling=1 -o smile.webp
    """
    from icgan_sdk.cli.showing import transition
    from icgan_sdk.editing.notes import warn_unchanged
    from icgan_sdk.pictures.grids import enlarge
    from icgan_sdk.pictures.saving import save_animation

    others, changes = split_settings(b or (), settings or ())
    if len(others) > 1 or bool(others) == bool(changes):
        raise typer.BadParameter(
            "give one second picture, or else an edit of the first, as in Smiling=1",
            param_hint="'B'",
        )
    if others and paste_back:
        raise typer.BadParameter(
            "goes with an edit, not with two pictures", param_hint="'--paste-back'"
        )
    if Path(output).suffix.lower() in VIDEOS:
        raise typer.BadParameter("an animation is .webp or .gif", param_hint="'--output'")
    chosen = parse_one_face(face)
    check_output(output, (a, *others))
    icgan = open_model(model, device, runtime, refine)
    is_animation = Path(output).suffix.lower() in ANIMATIONS
    if others:
        pictures = icgan.interpolate(
            a, others[0], steps=steps, refine=refine, align=align, face=chosen
        )
    else:
        edits = parse_settings(changes, icgan.config.attributes, ctx)
        found = icgan.invert(a, refine=refine, align=align, face=chosen)
        warn_unchanged(found.scores, icgan.config.attributes.resolve(edits))
        pictures = transition(found, edits, steps, paste_back, is_animation)
    if is_animation:
        save_animation([enlarge(picture, scale) for picture in pictures], output)
        print(output)
    else:
        _save_sheet([pictures], output, scale=scale)


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
    scale: Scale = 1,
) -> None:
    """Exchange the attributes of two pictures (the paper's Figure 6b).

    Rows: A and B, their reconstructions, then A with B's attributes and B with A's.
    """
    chosen = parse_one_face(face)
    check_output(output, (a, b))
    icgan = open_model(model, device, runtime, refine)
    ends = [icgan.invert(x, refine=refine, align=align, face=chosen) for x in (a, b)]
    swapped = list(icgan.swap_attributes(*ends))
    rows = [[end.square for end in ends], [end.reconstruct() for end in ends], swapped]
    _save_sheet(rows, output, scale=scale)


def sample(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(help="What to show: Smiling=1.", metavar="[NAME=VALUE]…")
    ] = None,
    *,
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
    scale: Scale = 1,
) -> None:
    """Generate pictures from random z, with the attributes that are set."""
    from icgan_sdk.pictures.grids import enlarge
    from icgan_sdk.pictures.saving import save_picture

    if not means_folder(output):
        check_output(output)
    others, wishes = split_settings(words or (), settings or ())
    if others:
        raise typer.BadParameter(f"write what to show as NAME=VALUE, not {others[0]}")
    icgan = open_model(model, device, runtime)
    pictures = icgan.sample(n, parse_settings(wishes, icgan.config.attributes, ctx), seed=seed)
    if not means_folder(output):
        columns = math.ceil(math.sqrt(n))
        rows = [pictures[i : i + columns] for i in range(0, n, columns)]
        _save_sheet(rows, output, scale=scale)
        return
    for number, picture in enumerate(pictures):
        path = Path(output) / f"sample_{number:0{len(str(n - 1))}d}.png"
        save_picture(enlarge(picture, scale), path)
        print(path)


def _save_sheet(
    rows: "list[list[Image]]", output: str, titles: Sequence[str] = (), scale: int = 1
) -> None:
    from icgan_sdk.pictures.grids import sheet
    from icgan_sdk.pictures.saving import save_picture

    save_picture(sheet(rows, titles, scale=scale), output)
    print(output)
