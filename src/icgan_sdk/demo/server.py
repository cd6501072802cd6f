"""Serving the page: to this machine unless told otherwise, and nothing beyond the page."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from icgan_sdk.demo.catalogue import Exhibit
from icgan_sdk.demo.environment import only_this_machine
from icgan_sdk.demo.guard import Guard
from icgan_sdk.demo.hosts import Names, find_place
from icgan_sdk.demo.page import build_page
from icgan_sdk.demo.trimming import trimmed
from icgan_sdk.demo.uploads import MAX_BYTES
from icgan_sdk.errors import ConfigError

WAITING = 200
"""Most requests in the queue; later ones are refused with a message."""

SESSIONS = 200
"""Visitors whose pictures are kept, five of up to 3 MB each; the least recent makes room."""

FONTS = ["ui-sans-serif", "system-ui", "sans-serif"]
WORDS = gr.I18n(en={"common.complete": "Done"})
"""What Gradio announces to screen readers and has no words for."""

MONO = ["ui-monospace", "Consolas", "monospace"]
"""The visitor's own: Gradio's themes fetch theirs from Google."""


def _theme() -> gr.themes.Base:
    theme = gr.themes.Default(primary_hue="indigo", spacing_size="sm", font=FONTS, font_mono=MONO)
    # What the model reads is no side remark: Gradio's colours are too light to be read with ease.
    return theme.set(
        block_info_text_color="*neutral_600",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_600",
    )


def _make_upload_folder() -> None:
    folder = Path(get_upload_folder())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"uploads can't be kept in {folder}: {error.strerror}; name another folder in the "
            "environment variable GRADIO_TEMP_DIR"
        ) from error


@contextmanager
def running(
    exhibits: Mapping[str, Exhibit],
    host: str,
    port: int | None,
    allowed_hosts: Sequence[str] = (),
    root_path: str = "",
) -> Iterator[str]:
    """Serve the page while the context lasts; gives its address.

    Args:
        exhibits: The models by name.
        host: The address to listen on.
        port: None: the first free one from 7860.
        allowed_hosts: More names under which the page answers, see `Names`.
        root_path: Where a proxy shows the page: a path, or the page's whole address.

    Raises:
        ConfigError: If the address or the folder for uploads is not to be had.
    """
    _make_upload_folder()
    place = find_place(host, port)
    root = _clean(root_path or os.environ.get("GRADIO_ROOT_PATH", ""))
    page = build_page(exhibits)
    page.queue(max_size=WAITING, api_open=False)  # what is queued can't be called past the queue
    names = Names(place, allowed_hosts, root)
    guard = Middleware(Guard, names=names, prefix=urlsplit(root).path)
    try:
        with only_this_machine():
            page.launch(
                server_name=place.bracketed,
                server_port=place.port,
                root_path=root,
                share=False,
                quiet=True,
                prevent_thread_lock=True,
                ssr_mode=False,
                mcp_server=False,
                enable_monitoring=False,
                run_history=False,
                max_file_size=MAX_BYTES,
                state_session_capacity=SESSIONS,
                footer_links=[],
                theme=_theme(),
                i18n=WORDS,
                css_paths=Path(__file__).with_name("style.css"),
                app_kwargs={"middleware": [guard]},
            )
    except (OSError, OverflowError) as error:
        reason = str(error).partition(". ")[0]  # what follows is advice on Gradio's own options
        raise ConfigError(f"can't listen on {host}, port {place.port}: {reason}") from error
    try:
        with trimmed(Path(get_upload_folder())):
            yield place.url
    finally:
        page.close(verbose=False)


def _clean(root_path: str) -> str:
    root = root_path.strip().rstrip("/")
    return root if not root or "//" in root or root.startswith("/") else f"/{root}"
