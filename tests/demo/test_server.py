"""The served page over HTTP, as browsers and other clients reach it."""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.demo import serve
from icgan_sdk.demo.uploads import MAX_BYTES
from icgan_sdk.engines.pytorch import TorchEngine
from icgan_sdk.errors import ConfigError, ModelNotFoundError
from tests.demo.conftest import PANDAS_WARNINGS, building

pytestmark = PANDAS_WARNINGS
_reached: list[str] = []
JOIN = "gradio_api/queue/join"


def _note_reached(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        _reached.append(str(arguments[0]))
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        _reached.append(str(arguments[1][0]))


@pytest.fixture(scope="module", autouse=True)
def reached() -> Iterator[list[str]]:
    """Hosts that this process, the server's too, looked up or connected to."""
    sys.addaudithook(_note_reached)
    _reached.clear()
    yield _reached
    assert {
        host for host in _reached if host != "localhost" and not host.startswith("127.")
    } == set()


def connected(address: str, folder: Path) -> Client:
    with pytest.MonkeyPatch.context() as patch:
        # The client reports its use otherwise, whatever its argument says, and asks the Hub what
        # runs it; the server must not.
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        return Client(address, verbose=False, download_files=str(folder), analytics_enabled=False)


@pytest.fixture
def client(address: str, tmp_path: Path) -> Iterator[Client]:
    client = connected(address, tmp_path)
    yield client
    client.close()


@pytest.fixture
def photo(tmp_path: Path, picture: Image.Image) -> Path:
    picture.save(tmp_path / "me.png")
    return tmp_path / "me.png"


def opened(path: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def read(
    client: Client, name: str, refine: int = 0, detail: str = "photo", face: str = "largest"
) -> Any:
    """What the page gets when it has the session's picture read."""
    return client.predict(name, refine, detail, face, api_name="/read_0")


def edit(client: Client, name: str, **changes: object) -> str:
    """One edit over the wire; `changes` by the components' labels."""
    endpoint = next(d for d in client.config["dependencies"] if d["api_name"] == "edit")
    components = {c["id"]: c for c in client.config["components"]}
    inputs = [components[i] for i in endpoint["inputs"] if components[i]["type"] != "state"]
    values = {c["id"]: c["props"].get("value") for c in inputs}
    labels = {c["id"]: c["props"]["label"] for c in inputs}
    values |= {i: changes.get(label, values[i]) for i, label in labels.items()}
    values[next(i for i, label in labels.items() if label == "Model")] = name
    return str(client.predict(*values.values(), api_name="/edit"))


def test_an_edit_is_the_models_own(
    client: Client, model_names: list[str], tiny: IcGAN, photo: Path
) -> None:
    client.predict(handle_file(str(photo)), api_name="/accept_your_picture")
    original, reconstruction, *shown = read(client, model_names[0])
    assert (opened(reconstruction) == np.asarray(tiny.reconstruct(photo))).all()
    assert (opened(original) == np.asarray(tiny.edit(photo, detail="photo"))).all()
    scores = tiny.predict_attributes(photo)
    assert [shown[2], shown[3]] == [round(scores[name], 2) for name in ("Male", "Smiling")]
    as_read = {"Masculine": shown[2], "Smiling": shown[3], "The edit shows": "generated"}
    untouched = edit(client, model_names[0], **as_read)
    assert (opened(untouched) == np.asarray(tiny.reconstruct(photo))).all()
    moved = edit(client, model_names[0], **(as_read | {"Smiling": 1.0}))
    expected = tiny.edit(photo, Smiling=1, detail="generated")
    assert (opened(moved) == np.asarray(expected)).all()
    assert (opened(moved) != opened(untouched)).any()
    for label, options in (("photo", {"detail": "photo"}), ("whole", {"paste_back": True})):
        moved = edit(
            client, model_names[0], **(as_read | {"Smiling": 1.0, "The edit shows": label})
        )
        expected = tiny.edit(photo, Smiling=1, **options)
        assert (opened(moved) == np.asarray(expected)).all()


@pytest.mark.parametrize("detail", ["generated", "photo"])
def test_moving_a_slider_neither_encodes_nor_refines(
    detail: str, client: Client, model_names: list[str], tiny: IcGAN, photo: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    options: Any = {"refine": 20, "detail": detail}
    expected = [tiny.edit(photo, Smiling=value, **options) for value in (1, 0)]
    client.predict(handle_file(str(photo)), api_name="/accept_your_picture")
    *_, male, _ = read(client, model_names[0], refine=20)[:6]
    calls: list[str] = []

    def count(name: str) -> None:
        method = getattr(TorchEngine, name)

        def counting(*arguments: Any) -> Any:
            calls.append(name)
            return method(*arguments)

        monkeypatch.setattr(TorchEngine, name, counting)

    for name in ("encode", "refine", "decode"):
        count(name)
    for value, picture in zip((1.0, 0.0), expected, strict=True):
        changes = {"Masculine": male, "Smiling": value, "The edit shows": detail}
        moved = edit(client, model_names[0], **changes)
        assert (opened(moved) == np.asarray(picture)).all()
    assert set(calls) == {"decode"}
    assert len(calls) == 2, "the picture without a change is kept"


def test_sessions_know_nothing_of_each_other(
    client: Client, address: str, model_names: list[str], tiny: IcGAN, photo: Path, tmp_path: Path
) -> None:
    client.predict(handle_file(str(photo)), api_name="/accept_your_picture")
    read(client, model_names[0])
    other = connected(address, tmp_path)
    reconstruction = read(other, model_names[0])[1]
    assert (opened(reconstruction) != np.asarray(tiny.reconstruct(photo))).any()
    other.close()


def test_only_the_models_of_the_command_line_are_offered(
    client: Client, model_names: list[str]
) -> None:
    for name in ("mnist", "/etc", model_names[0] + "/../tiny"):
        with pytest.raises(Exception, match="not in the list of choices"):
            read(client, name)


def test_values_out_of_range_are_refused(client: Client, model_names: list[str]) -> None:
    with pytest.raises(Exception, match="not in the list of choices"):
        read(client, model_names[0], refine=10**9)
    read(client, model_names[0])
    with pytest.raises(Exception, match=r"[Mm]aximum"):
        edit(client, model_names[0], Smiling=50)


def test_what_is_no_picture_is_a_message(client: Client, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    with pytest.raises(Exception, match=r"^bad\.png is not a picture that can be read$"):
        client.predict(handle_file(str(tmp_path / "bad.png")), api_name="/accept_your_picture")


def test_large_uploads_are_refused(address: str, upload_folder: Path) -> None:
    before = set(upload_folder.rglob("*"))
    answer = httpx.post(
        f"{address}gradio_api/upload", files={"files": ("x.png", b"0" * (MAX_BYTES + 1))}
    )
    assert answer.status_code == 413
    assert {path for path in upload_folder.rglob("*") if path.is_file()} <= before


def test_one_request_brings_one_file(address: str, upload_folder: Path) -> None:
    before = set(upload_folder.rglob("*"))
    half = b"0" * (MAX_BYTES * 2 // 3)
    files = [("files", (name, half)) for name in ("a.png", "b.png")]
    assert httpx.post(f"{address}gradio_api/upload", files=files).status_code == 413
    assert {path for path in upload_folder.rglob("*") if path.is_file()} <= before


def join(address: str, path: str, content_type: str, endpoint: str = JOIN) -> httpx.Response:
    payload = {"path": path, "meta": {"_type": "gradio.FileData"}}
    body = {"data": [payload], "fn_index": 0, "session_hash": "abcdefghij"}
    headers = {"content-type": content_type}
    return httpx.post(f"{address}{endpoint}", content=json.dumps(body), headers=headers)


@pytest.mark.parametrize("endpoint", ["gradio_api/run/upload", "gradio_api/api/upload", JOIN])
@pytest.mark.parametrize("wanted", ["http://elsewhere.invalid/x.png", "HTTPS://ELSEWHERE.INVALID"])
def test_addresses_are_never_fetched(
    address: str, endpoint: str, wanted: str, reached: list[str]
) -> None:
    for content_type in ("application/json", "application/json; multipart"):
        assert join(address, wanted, content_type, endpoint).status_code == 400
    assert httpx.get(f"{address}gradio_api/file={wanted}").status_code == 404
    assert httpx.get(f"{address}gradio_api/proxy={wanted}").status_code == 404
    assert not [host for host in reached if "elsewhere" in host.lower()]


@pytest.mark.parametrize("wanted", ["/etc/passwd", "../../etc/passwd", "a\0b", "x" * 5000])
def test_paths_of_this_machine_are_refused(address: str, wanted: str) -> None:
    assert join(address, wanted, "application/json", JOIN).status_code == 400


def test_who_hangs_up_is_no_error(address: str, capfd: pytest.CaptureFixture[str]) -> None:
    url = httpx.URL(address)
    for path in (JOIN, "gradio_api/upload"):
        with socket.create_connection((url.host, url.port or 80), timeout=10) as line:
            kind = "multipart/form-data; boundary=b"
            head = f"POST /{path} HTTP/1.1\r\nHost: {url.host}\r\nContent-Type: {kind}\r\n"
            line.sendall(f"{head}Content-Length: 1000\r\n\r\n--b\r\n".encode())
    for _ in range(3):  # the server has dealt with both by the time that it answers later ones
        httpx.get(address).raise_for_status()
    told = capfd.readouterr()
    assert "Traceback" not in told.out + told.err


def test_nothing_queued_is_called_past_the_queue(address: str) -> None:
    dependencies = httpx.get(f"{address}config").json()["dependencies"]
    queued = [d["id"] for d in dependencies if d["queue"]]
    assert queued
    for number in queued:
        body = {"data": [], "fn_index": number, "session_hash": "abcdefghij"}
        answer = httpx.post(f"{address}gradio_api/run/predict", json=body)
        assert answer.status_code in {401, 403, 404}, (number, answer.text)


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 100_000, b'"' + b"0" * 1_000_001 + b'"', b'{"data": [NaN]}']
)
def test_requests_that_cannot_be_checked_are_refused(address: str, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = httpx.post(f"{address}gradio_api/queue/join", content=body, headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "{model}/config.json", "{model}/../tiny/README.md"]
)
def test_files_of_this_machine_are_not_served(
    address: str, model_names: list[str], path: str
) -> None:
    path = path.format(model=model_names[0])
    assert httpx.get(f"{address}gradio_api/file={path}").status_code in {403, 404}


def test_the_page_may_load_nothing_from_elsewhere(address: str) -> None:
    policy = httpx.get(address).headers["content-security-policy"]
    assert policy.startswith("default-src 'self' ")
    assert "http:" not in policy
    assert "https:" not in policy


def test_only_this_machine_is_served(address: str) -> None:
    port = int(address.rstrip("/").rsplit(":", 1)[1])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=5)


def test_a_taken_port_and_unknown_models_are_typed_errors(
    address: str, model_names: list[str]
) -> None:
    port = int(address.rstrip("/").rsplit(":", 1)[1])
    with (
        building(),
        pytest.raises(ConfigError, match=rf"can't listen on 127\.0\.0\.1, port {port}"),
        serve(model_names[:1], port=port, device="cpu"),
    ):
        pass
    with pytest.raises(ModelNotFoundError), serve(["nowhere"], device="cpu"):
        pass
    with pytest.raises(ConfigError, match="at least one model"), serve([], device="cpu"):
        pass


def test_pictures_are_gone_when_the_page_is_closed(
    model_names: list[str], tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "uploads"
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    with building(), serve(model_names[:1], device="cpu") as address:
        client = connected(address, tmp_path)
        client.predict(handle_file(str(photo)), api_name="/accept_your_picture")
        read(client, model_names[0])
        names = {path.name.split("-")[0] for path in folder.rglob("*.png")}
        assert {"me.png", "original", "reconstruction"} <= names
        client.close()
    assert {path.name for path in folder.rglob("*.png")} <= {"image.png"}  # the examples


def test_a_folder_for_uploads_that_cannot_be_made_is_a_typed_error(
    model_names: list[str], photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(photo))
    expected = "uploads can't be kept in .*; name another folder in .* GRADIO_TEMP_DIR"
    with pytest.raises(ConfigError, match=expected), serve(model_names[:1], device="cpu"):
        pass
