"""The example of a web service, on a real server."""

import asyncio
import importlib.util
import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"
PHOTO = (EXAMPLES / "collins.jpg").read_bytes()
pytest.importorskip("fastapi")


@pytest.fixture(scope="module")
def service() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_server", EXAMPLES / "server.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def address(service: ModuleType) -> Iterator[str]:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(service.app, port=0, log_level="warning"))
    started = threading.Event()
    startup = server.startup

    async def announce(sockets: list[object] | None = None) -> None:
        await startup(sockets)  # type: ignore[arg-type]
        started.set()

    server.startup = announce  # type: ignore[method-assign, assignment]
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    assert started.wait(30)
    (listening,) = server.servers[0].sockets
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def post(address: str, query: str, body: bytes = PHOTO) -> tuple[int, bytes, str]:
    try:
        with urlopen(Request(f"{address}/edit?{query}", body), timeout=60) as answer:
            return answer.status, answer.read(), answer.headers["X-Notes"]
    except HTTPError as error:
        return error.code, error.read(), ""


def test_photos_come_back_edited(address: str) -> None:
    status, body, _ = post(address, "Smiling=0&hair_color=Blond_Hair")
    assert status == 200
    with Image.open(io.BytesIO(body)) as edited, Image.open(io.BytesIO(PHOTO)) as photo:
        assert edited.size == photo.size
        assert not edited.getexif()


def test_what_cannot_be_done_is_said(address: str) -> None:
    for query, body, status, message in (
        ("Smilin=1", PHOTO, 400, "did you mean 'Smiling'"),
        ("Smiling=9", PHOTO, 400, "is out of range"),
        ("Smiling=1", b"no picture", 422, "not an image"),
    ):
        found, answer, _ = post(address, query, body)
        assert found == status
        assert message in json.loads(answer)["error"]


def test_many_at_once_get_what_one_gets(address: str) -> None:
    alone = post(address, "Mustache=1")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(address, "Mustache=1"), range(12)))
    assert {status for status, _, _ in answers} == {200}
    assert {body for _, body, _ in answers} == {alone[1]}


def test_too_many_are_turned_away(
    address: str, service: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "WAITING", 0)
    assert post(address, "Smiling=1")[0] == 503
    monkeypatch.undo()
    assert post(address, "Smiling=1")[0] == 200
