"""The demo: a web page that edits pictures live (the extra ``demo``, which brings Gradio)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from icgan_sdk.checks import require
from icgan_sdk.demo.environment import only_this_machine
from icgan_sdk.engines.engine import RuntimeName

__all__ = ["serve"]


@contextmanager
def serve(
    models: Sequence[str],
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    allowed_hosts: Sequence[str] = (),
    root_path: str = "",
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
        host: The address to listen on; ``"0.0.0.0"`` lets other machines in, ``"::"`` by IPv6.
        port: By default the first free one from 7860.
        allowed_hosts: More names under which the page answers, as a proxy in front of it has them:
            ``"demo.example.org"``, ``"*.example.org"``. A page that only this machine reaches
            refuses requests to any other name, one that other machines reach only where names
            are given; both refuse those that pages of other sites make.
        root_path: Where a proxy shows the page: a path such as ``"/faces"``, or a whole address.
        device: As for `IcGAN`.
        runtime: As for `IcGAN.from_pretrained`.

    Raises:
        ConfigError: If Gradio is not installed, the address or a folder for uploads is not to be
            had, there is no such device, or a model has no attributes.
        ModelNotFoundError: If there is no model of a name.
        ModelFormatError: If a model's files are damaged.
        DownloadError: If a model can't be fetched from the Hub.
    """
    need = "the demo needs Gradio: pip install 'icgan-sdk[demo]'"
    with only_this_machine():
        require("gradio", need)
    from icgan_sdk.demo.catalogue import load_exhibits
    from icgan_sdk.demo.server import running

    exhibits = load_exhibits(models, device, runtime)
    with running(exhibits, host, port, allowed_hosts, root_path) as address:
        yield address
