"""``icgan convert-torch7``: networks that the original Torch7 code saved, as a model folder."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer


def convert_torch7(
    out: Annotated[Path, typer.Argument(help="Model folder to write.")],
    *,
    generator: Annotated[Path, typer.Option(help="The saved generator, a .t7 file.")],
    encoder_z: Annotated[
        Path,
        typer.Option(
            "--encoder-z", "--encoder", help="The saved encoder Z, or the one encoder (SNG)."
        ),
    ],
    encoder_y: Annotated[
        Path | None, typer.Option(help="The saved encoder Y; left out with SNG.")
    ] = None,
    discriminator: Annotated[
        Path | None, typer.Option(help="The saved discriminator, for continuing the training.")
    ] = None,
    attributes: Annotated[
        str,
        typer.Option(help="Attributes in y's order: celeba18, mnist, or NAME,NAME,…"),
    ],
    noise: Annotated[
        Literal["normal", "uniform"],
        typer.Option(help="Distribution of z in the generator's training."),
    ] = "normal",
) -> None:
    """Write networks that the authors' Torch7 code saved as a model folder."""
    from icgan_sdk.artefacts.store import save_artefact
    from icgan_sdk.artefacts.torch7.conversion import from_torch7, torch7_card

    networks = from_torch7(
        generator,
        encoder_z,
        encoder_y,
        discriminator=discriminator,
        attributes=attributes,
        noise=noise,
    )
    card = torch7_card(
        networks.config,
        files=[f for f in (generator, encoder_z, encoder_y, discriminator) if f is not None],
        name=str(out) if out.is_absolute() else f"./{out}",
        command=shlex.join(["icgan", *sys.argv[1:]]),
    )
    save_artefact(networks, out, card=card)
    print(out)
