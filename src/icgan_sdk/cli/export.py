"""``icgan export``: writing a model as graphs that other programs run."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from icgan_sdk.artefacts.resolving import resolve
from icgan_sdk.cli.options import complete_model


def export(
    model: Annotated[
        str,
        typer.Argument(
            help="A bundled model's name, a folder, or 'org/name' on the Hugging Face Hub.",
            autocompletion=complete_model,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder to write; without it, graphs are put beside the model's weights.",
        ),
    ] = None,
    form: Annotated[
        Literal["onnx", "torch"],
        typer.Option("--format", help="onnx, or torch: archives of torch.export."),
    ] = "onnx",
) -> None:
    """Write encoder, generator and the whole edit as graphs, compared with the model.

    Graphs beside a model's weights let 'icgan edit' run it without torch. An export is a folder
    of its own, for other programs too.
    """
    from icgan_sdk.export import export_onnx, export_torch, write_graphs

    if output is None and form == "torch":
        raise typer.BadParameter("archives need a folder: add -o FOLDER", param_hint="'--format'")
    if output is None:
        folder, differences = resolve(model), write_graphs(model)
    else:
        folder = output
        differences = (export_onnx if form == "onnx" else export_torch)(model, output)
    for name, difference in differences.items():
        print(f"{folder / name}  (largest difference {difference:.1e})")
