"""``icgan push`` and ``icgan pull``: uploading models to the Hugging Face Hub, downloading them."""

from pathlib import Path
from typing import Annotated

import typer

from icgan_sdk.cli.options import complete_model


def push(
    model: Annotated[
        str,
        typer.Argument(
            help="The model: a bundled name, or a folder (./runs/faces/artefact).",
            autocompletion=complete_model,
        ),
    ],
    repository: Annotated[str, typer.Argument(help="'org/name' on the Hub.")],
    *,
    private: Annotated[bool, typer.Option(help="Hide a new repository from others.")] = False,
    revision: Annotated[
        str | None, typer.Option(help="Branch, created if needed; by default main.")
    ] = None,
) -> None:
    """Upload a model to the Hugging Face Hub.

    The access token is the one of 'hf auth login', or the environment variable HF_TOKEN.
    """
    from icgan_sdk.icgan import IcGAN

    loaded = IcGAN.from_pretrained(model, device="cpu")
    typer.echo(loaded.push_to_hub(repository, private=private, revision=revision))


def pull(
    repository: Annotated[
        str, typer.Argument(help="'org/name' on the Hub, or a bundled name for its repository.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder to copy the model to; by default it stays in the cache."
        ),
    ] = None,
    *,
    revision: Annotated[
        str | None, typer.Option(help="Branch, tag or commit; by default main.")
    ] = None,
) -> None:
    """Download a model from the Hugging Face Hub, to use it offline later.

    A private model needs the access token of 'hf auth login', or the environment variable HF_TOKEN.
    """
    from icgan_sdk.artefacts.resolving import resolve
    from icgan_sdk.artefacts.store import copy_artefact, load_artefact

    folder = resolve(repository, source="hub", revision=revision)
    if output is None:
        load_artefact(folder)
    else:
        copy_artefact(folder, output)
    typer.echo(output or folder)
