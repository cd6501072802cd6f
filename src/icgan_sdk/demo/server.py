"""Serving the page: to this machine unless told otherwise, and nothing beyond the page."""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from icgan_sdk.demo.catalogue import Exhibit
from icgan_sdk.demo.page import build_page
from icgan_sdk.demo.proxies import no_proxy
from icgan_sdk.demo.trimming import trimmed
from icgan_sdk.demo.uploads import MAX_BYTES
from icgan_sdk.errors import ConfigError

WAITING = 200
"""Most requests in the queue; later ones are refused with a message."""

SESSIONS = 200
"""Visitors whose pictures are kept, five of up to 3 MB each; the least recent makes room."""

POLICY = (
    b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'; "
    b"form-action 'self'; base-uri 'self'"
)
"""Keeps the page from loading anything from elsewhere, such as pictures in a model's card."""

MAX_REQUEST = 1_000_000
"""Bytes of a request that is no upload."""

UPLOAD = "/gradio_api/upload"
MAX_UPLOAD = MAX_BYTES + 10_000
"""Bytes of an upload with what surrounds the file: one request brings one file."""

FONTS = ["ui-sans-serif", "system-ui", "sans-serif"]
MONO = ["ui-monospace", "Consolas", "monospace"]
"""The visitor's own: Gradio's themes fetch theirs from Google."""


class Guard:
    """Adds the policy to every answer, and refuses what would make Gradio look elsewhere.

    Gradio takes an address or a path of this machine wherever a request may name a file.

    Args:
        app: The application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""

        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (b"content-security-policy", POLICY)]
                message = {**message, "headers": headers}
            await send(message)

        # Who hangs up in the middle of a request is no error of this server's.
        with suppress(ClientDisconnect):
            if scope["type"] == "http":
                refusal, receive = await _check(Request(scope, receive))
                if refusal is not None:
                    await refusal(scope, receive, send)
                    return
            await self._app(scope, receive, with_policy)


async def _check(request: Request) -> tuple[Response | None, Receive]:
    """The answer to a request that is refused, and what reads the request (again)."""
    path = request.scope["path"]
    if re.search(r"https?:", path, re.IGNORECASE):
        return PlainTextResponse("not found", 404), request.receive
    if request.method != "POST":
        return None, request.receive
    if path == UPLOAD:
        fits = _is_within(request.headers.get("content-length"), MAX_UPLOAD)
        return None if fits else PlainTextResponse("too large", 413), request.receive
    body = await _read(request)
    if body is None or _names_elsewhere(body):
        return PlainTextResponse("refused", 400), request.receive
    return None, _replay(body, request.receive)


def _is_within(length: str | None, most: int) -> bool:
    return length is not None and length.isdecimal() and int(length) <= most


async def _read(request: Request) -> bytes | None:
    """The body, or None if it is larger than any the page sends."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_REQUEST:
            return None
    return body


def _names_elsewhere(body: bytes) -> bool:
    """Whether a request names an address or a file outside the folder of uploads, as a path."""
    try:
        waiting = [json.loads(body, parse_constant=_refuse)] if body else []
    except (ValueError, RecursionError):
        return True  # what can't be checked is refused
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if isinstance(path, str) and not _is_upload(path):
                return True
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return False


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _is_upload(path: str) -> bool:
    try:
        return Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve())
    except (OSError, ValueError):  # too long, or with a null byte
        return False


def _replay(body: bytes, receive: Receive) -> Receive:
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return parts.pop() if parts else await receive()

    return again


def _theme() -> gr.themes.Base:
    theme = gr.themes.Default(primary_hue="indigo", spacing_size="sm", font=FONTS, font_mono=MONO)
    # What the model reads is no side remark: Gradio's grey is too light to be read with ease.
    return theme.set(block_info_text_color="*neutral_600")


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
def running(exhibits: Mapping[str, Exhibit], host: str, port: int | None) -> Iterator[str]:
    """Serve the page while the context lasts; gives its address.

    Args:
        exhibits: The models by name.
        host: The address to listen on.
        port: None: the first free one from 7860.

    Raises:
        ConfigError: If the address or the folder for uploads is not to be had.
    """
    _make_upload_folder()
    page = build_page(exhibits)
    page.queue(max_size=WAITING, api_open=False)  # what is queued can't be called past the queue
    try:
        with no_proxy():
            _, address, _ = page.launch(
                server_name=host,
                server_port=port,
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
                css_paths=Path(__file__).with_name("style.css"),
                app_kwargs={"middleware": [Middleware(Guard)]},
            )
    except (OSError, OverflowError) as error:
        reason = str(error).partition(". ")[0]  # what follows is advice on Gradio's own options
        raise ConfigError(
            f"can't listen on {host}, port {port or 'any from 7860'}: {reason}"
        ) from error
    try:
        with trimmed(Path(get_upload_folder())):
            yield address
    finally:
        page.close(verbose=False)
