"""``icgan demo``: a web page that edits pictures live."""

import signal
import threading
from typing import Annotated

import typer

from icgan_sdk.cli.options import Device, Runtime, complete_model


def demo(
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="A bundled model's name, a folder, or 'org/name' on the Hugging Face Hub. Repeat "
            "for several; by default the bundled ones.",
            autocompletion=complete_model,
        ),
    ] = None,
    *,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on; 0.0.0.0 (by IPv6: '::') lets other machines connect."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="By default the first free one from 7860."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Another name under which the page answers, such as a proxy's: demo.example.org. "
            "Repeatable.",
        ),
    ] = None,
    root_path: Annotated[
        str,
        typer.Option(
            metavar="PATH", help="Where a proxy shows the page: /faces, or the whole address."
        ),
    ] = "",
    device: Device = "auto",
    runtime: Runtime = "torch",
) -> None:
    """Serve a web page that edits pictures live, until Ctrl-C."""
    from icgan_sdk.artefacts.resolving import bundled_names
    from icgan_sdk.demo import serve

    stop = threading.Event()
    with serve(
        models or bundled_names(),
        host=host,
        port=port,
        allowed_hosts=allow_host or (),
        root_path=root_path,
        device=device,
        runtime=runtime,
    ) as address:
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, lambda *_: stop.set())
        print(f"{address} (Ctrl-C stops)", flush=True)
        while not stop.wait(1.0):  # on Windows, waiting without a timeout would block signals
            pass
