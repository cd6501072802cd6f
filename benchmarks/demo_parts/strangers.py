"""Visitors who mean no good. Each act raises `AssertionError` if the demo lets it through."""

import json
import random
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from fault_parts.mutation import mutate

from demo_parts.visitor import RefusedError, Visitor

SECRETS = ("/etc/passwd", "/proc/self/environ", str(Path(__file__).resolve()))
CLIMBS = (
    "gradio_api/file={}",
    "file={}",
    "gradio_api/file=../../../..{}",
    "static{}",
    "assets/..{}",
)
ENCODED = ("%2e%2e/", "..%2f", "%2e%2e%2f", "....//", "..\\")
EVIL = "evil.example"
HEADERS = (
    {"Host": EVIL},
    {"X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "https"},
    {"X-Forwarded-For": ", ".join(["127.0.0.1"] * 500)},
    {"Origin": f"https://{EVIL}", "Referer": f"https://{EVIL}/"},
    {"Cookie": "a=" + "b" * 6000},
    {"Range": "bytes=0-,0-,0-,0-"},
    {"Accept-Encoding": "gzip;q=nan, *;q=-1"},
)
BODIES = (
    b"",
    b"{",
    b"null",
    b"[" * 100_000,
    b'{"a":' * 20_000,
    b'{"data": NaN}',
    b"\xff\xfe",
    b"0" * 10**6,
)

Act = Callable[["Stranger"], None]


class Stranger:
    """One client, with chances of its own.

    Args:
        address: Of the page.
        model: Its name.
        picture: An honest picture's file.
        seed: Of the chances.
    """

    def __init__(self, address: str, model: str, picture: bytes, seed: int) -> None:
        self.address, self.model, self.picture = address, model, picture
        self.chance = random.Random(seed)
        self.http = httpx.Client(base_url=address, timeout=120.0)

    def act(self) -> str:
        """Do one thing; gives its name."""
        act = self.chance.choice(ACTS)
        act(self)
        return act.__name__

    def send_raw(self, path: str, body: bytes, length: int) -> socket.socket:
        """Send a request whose body is not what its header says."""
        url = urlsplit(self.address)
        line = socket.create_connection((url.hostname or "", url.port or 80), timeout=60)
        head = f"POST /{path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {length}\r\n"
        kind = "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        line.sendall((head + kind).encode() + body)
        return line


def damaged_picture(stranger: Stranger) -> None:
    """Uploads a picture with damaged bytes: read, or a message that says why not."""
    _, data = mutate(stranger.picture, stranger.chance)
    try:
        Visitor(stranger.address, stranger.model).upload("damaged.jpg", data)
    except RefusedError as refusal:
        _check_message(refusal)


def too_large(stranger: Stranger) -> None:
    """Uploads more bytes than a picture may have, with and without saying so."""
    data = bytes(25_000_000)
    with suppress(httpx.WriteError, httpx.ReadError):  # the server hangs up
        answer = stranger.http.post("gradio_api/upload", files={"files": ("big.png", data)})
        assert answer.status_code == 413, answer.status_code
    with suppress(httpx.WriteError, httpx.ReadError):
        parts = (data[:100_000] for _ in range(250))
        answer = stranger.http.post("gradio_api/upload", content=parts)
        assert answer.status_code == 413, answer.status_code


def abort(stranger: Stranger) -> None:
    """Hangs up in the middle of an upload, or in the middle of an answer."""
    stranger.send_raw("gradio_api/upload", b"--b\r\n" + bytes(50_000), 1_000_000).close()
    with stranger.http.stream("GET", "config") as answer:
        next(answer.iter_raw(100))


def slow_reader(stranger: Stranger) -> None:
    """Reads a few bytes a second, then leaves."""
    with stranger.http.stream("GET", "") as answer:
        for _, part in zip(range(10), answer.iter_raw(50), strict=False):
            assert part
            time.sleep(0.3)


def slow_writer(stranger: Stranger) -> None:
    """Sends a request's body a few bytes a second, then leaves."""
    with stranger.send_raw("gradio_api/queue/join", b"{", 1000) as line:
        for _ in range(10):
            line.sendall(b" ")
            time.sleep(0.3)


def climb(stranger: Stranger) -> None:
    """Asks for files of the machine, by address and as an upload."""
    secret = stranger.chance.choice(SECRETS)
    path = stranger.chance.choice(CLIMBS).format(secret)
    way = stranger.chance.choice(("", *ENCODED))
    path = path.replace("../", way * 6 if way else "../")
    answer = stranger.http.get(path)
    assert answer.status_code in {400, 403, 404, 405, 307}, f"{path}: {answer.status_code}"
    assert b"root:" not in answer.content
    try:
        Visitor(stranger.address, stranger.model).accept(secret, "me.png")
    except RefusedError as refusal:
        _check_message(refusal)
    except httpx.HTTPStatusError as error:
        if error.response.status_code >= 500:
            raise
    else:
        raise AssertionError(f"{secret} was read")


def tricky_headers(stranger: Stranger) -> None:
    """Sends headers that a proxy or a browser never would."""
    answer = stranger.http.get("", headers=stranger.chance.choice(HEADERS))
    assert answer.status_code < 500, answer.status_code


def broken_request(stranger: Stranger) -> None:
    """Sends what is no JSON, too deep, too large, or names other addresses."""
    body = stranger.chance.choice(
        (*BODIES, json.dumps({"data": [{"path": f"http://{EVIL}/x.png"}]}).encode())
    )
    path = stranger.chance.choice(
        ("gradio_api/queue/join", "gradio_api/run/edit", "gradio_api/reset")
    )
    answer = stranger.http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500, f"{path}, {body[:20]!r}: {answer.status_code}"


ACTS: tuple[Act, ...] = (
    damaged_picture, too_large, abort, slow_reader, slow_writer, climb, tricky_headers,
    broken_request,
)  # fmt: skip


def _check_message(refusal: RefusedError) -> None:
    if not str(refusal):
        raise AssertionError("an error without a message")
