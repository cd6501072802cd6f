"""``icgan export``: writing a model as graphs that other programs run."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from icgan_sdk.cli.options import complete_model


def export(
    model: Annotated[
        str,
        typer.Argument(
            help="A bundled model's name, a folder, or 'org/name' on the Hugging Face Hub.",
            autocompletion=complete_model,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")],
    form: Annotated[
        Literal["onnx", "torch"],
        typer.Option("--format", help="onnx, or torch: archives of torch.export."),
    ] = "onnx",
) -> None:
    """Write encoder, generator and the whole edit as graphs, compared with the model.

    'icgan edit --runtime onnx --model FOLDER' then edits without torch.
    """
    from icgan_sdk.export import export_onnx, export_torch

    differences = (export_onnx if form == "onnx" else export_torch)(model, output)
    for name, difference in differences.items():
        print(f"{output / name}  (largest difference {difference:.1e})")
