"""The demo: a web page that edits pictures live (the extra ``demo``, which brings Gradio)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from icgan_sdk.checks import import_problem
from icgan_sdk.demo.proxies import no_proxy
from icgan_sdk.engines.engine import RuntimeName

__all__ = ["serve"]


@contextmanager
def serve(
    models: Sequence[str],
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    device: str | None = None,
    runtime: RuntimeName = "torch",
) -> Iterator[str]:
    """Serve the page in threads of their own while the context lasts; gives its address.

    Every model is loaded once, before the first visitor, and shared by all of them. Nothing is
    fetched from elsewhere, neither by the server nor by the page. What visitors upload is deleted
    an hour later, and when the context ends.

    Args:
        models: Bundled names, folders, or ``org/name`` on the Hub, as `IcGAN.from_pretrained`
            takes them; the first is shown first. Visitors choose among these and no others.
        host: The address to listen on; ``"0.0.0.0"`` lets other machines in.
        port: By default the first free one from 7860.
        device: As for `IcGAN`.
        runtime: As for `IcGAN.from_pretrained`.

    Raises:
        ConfigError: If Gradio is not installed, the address or a folder for uploads is not to be
            had, there is no such device, or a model has no attributes.
        ModelNotFoundError: If there is no model of a name.
        ModelFormatError: If a model's files are damaged.
        DownloadError: If a model can't be fetched from the Hub.
    """
    try:
        with no_proxy():
            import gradio  # noqa: F401
    except ImportError as error:
        need = "the demo needs Gradio: pip install 'icgan-sdk[demo]'"
        raise import_problem(error, "gradio", need) from error
    from icgan_sdk.demo.catalogue import load_exhibits
    from icgan_sdk.demo.server import running

    with running(load_exhibits(models, device, runtime), host, port) as address:
        yield address
