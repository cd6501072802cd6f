"""What stands between the network and Gradio: which requests are passed on, and which refused."""

import json
import re
from contextlib import suppress
from pathlib import Path

from gradio.utils import get_upload_folder
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from icgan_sdk.demo.hosts import Names
from icgan_sdk.demo.uploads import MAX_BYTES

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


PREFIX = re.compile(r"(/[\w.~-]+)+", re.ASCII)


class Guard:
    """Adds the policy to every answer, and refuses strangers and what looks elsewhere.

    Gradio takes an address or a path of this machine wherever a request may name a file.

    Args:
        app: The application behind it.
        names: The names under which the page answers.
        prefix: The path under which a proxy shows the page, such as ``/faces``; "": what the proxy
            says (``X-Forwarded-Prefix``). It may leave it in a request's path or not.
    """

    def __init__(self, app: ASGIApp, names: Names, prefix: str = "") -> None:
        self._app, self._names, self._prefix = app, names, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""

        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (b"content-security-policy", POLICY)]
                message = {**message, "headers": headers}
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        scope = _within(scope, self._prefix)
        request = Request(scope, receive)
        # Who hangs up in the middle of a request is no error of this server's.
        with suppress(ClientDisconnect):
            refusal = _strange(asked, self._names)
            if refusal is None:
                refusal, receive = await _check(request)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
            await self._app(scope, receive, with_policy)


def _within(scope: Scope, prefix: str) -> Scope:
    """A request as Gradio understands it: no prefix in its path, but in what names the page."""
    headers = Headers(scope=scope)
    told = headers.get("x-forwarded-prefix", "").rstrip("/")
    if not prefix and PREFIX.fullmatch(told):
        prefix = told
        shown = headers.get("x-forwarded-host") or headers.get("host", "")
        page = (b"x-forwarded-host", f"{shown.split(',')[0].strip()}{told}".encode("latin-1"))
        scope = {**scope, "headers": [h for h in scope["headers"] if h[0] != page[0]] + [page]}
    path: str = scope["path"]
    if prefix and f"{path}/".startswith(f"{prefix}/"):
        scope = {**scope, "path": path[len(prefix) :] or "/"}
    return scope


def _strange(headers: Headers, names: Names) -> Response | None:
    """The answer to a request to, or from, a site that the page isn't part of."""
    host, origin = headers.get("host"), headers.get("origin")
    if host is not None and not names.answers_to(host):
        return _unknown("is asked for under a name", host)
    if origin is not None and not names.comes_from_here(origin, headers):
        return _unknown("is used from a page", origin)
    return None


def _unknown(what: str, value: str) -> Response:
    text = (
        f"This demo {what} that it doesn't know: {value}\n"
        "If that is meant to be, start it with the option --allow-host and the name.\n"
    )
    return PlainTextResponse(text, 403, {"x-content-type-options": "nosniff"})


async def _check(request: Request) -> tuple[Response | None, Receive]:
    """The answer to a request that is refused, and what reads the request (again)."""
    path = request.scope["path"]
    if re.search(r"https?:", path, re.IGNORECASE):
        return PlainTextResponse("not found", 404), request.receive
    if request.method != "POST":
        return None, request.receive
    if path == UPLOAD:
        length = request.headers.get("content-length", "0")  # may be unknown
        fits = length.isdecimal() and int(length) <= MAX_UPLOAD
        refusal = None if fits else PlainTextResponse("too large", 413)
        return refusal, _counted(request.receive)
    content = await _read(request)
    if content is None or _names_elsewhere(content):
        return PlainTextResponse("refused", 400), request.receive
    return None, _replay(content, request.receive)


async def _read(request: Request) -> bytes | None:
    """The body, or None if it is larger than any the page sends."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_REQUEST:
            return None
    return body


def _counted(receive: Receive) -> Receive:
    """What reads an upload, until it is too long."""
    left = MAX_UPLOAD

    async def read() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:  # Gradio removes what it has, and answers 413 to these words
            raise MultiPartException("more than the maximum allowed size")
        return message

    return read


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
