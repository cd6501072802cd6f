"""The served page as it is reached through a network: other names, proxies, IPv6, no lengths."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from icgan_sdk.demo import serve
from icgan_sdk.demo.uploads import MAX_BYTES
from tests.demo.conftest import PANDAS_WARNINGS, building
from tests.demo.proxy import proxied
from tests.demo.test_hosts import ipv6

pytestmark = PANDAS_WARNINGS
UPLOAD = "gradio_api/upload"
HEAD = (
    b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\n"
)
KIND = {"content-type": "multipart/form-data; boundary=b"}


def pieces(size: int) -> Iterator[bytes]:
    """An upload in parts, so that its length is not told."""
    yield HEAD
    for start in range(0, size, 65536):
        yield b"0" * min(65536, size - start)
    yield b"\r\n--b--\r\n"


def test_uploads_may_leave_their_length_untold(address: str, upload_folder: Path) -> None:
    answer = httpx.post(f"{address}{UPLOAD}", content=pieces(100_000), headers=KIND)
    assert answer.status_code == 200
    (path,) = answer.json()
    assert Path(path).stat().st_size == 100_000
    assert Path(path).is_relative_to(upload_folder)


def test_uploads_of_any_length_that_are_too_large_are_refused(
    address: str, upload_folder: Path
) -> None:
    before = set(upload_folder.rglob("*"))
    # Two files, each of which Gradio would take.
    half = MAX_BYTES * 2 // 3
    parts = [*list(pieces(half))[:-1], b"\r\n", *pieces(half)]
    for content in (pieces(MAX_BYTES + 1), iter(parts)):
        answer = httpx.post(f"{address}{UPLOAD}", content=content, headers=KIND)
        assert answer.status_code == 413
    assert {path for path in upload_folder.rglob("*") if path.is_file()} <= before


@pytest.mark.parametrize("path", ["", "config", UPLOAD, "gradio_api/queue/join"])
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:7860", "origin": "http://evil.example:7860"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_other_sites_are_refused_and_told_how_to_be_let_in(
    address: str, path: str, headers: dict[str, str]
) -> None:
    method = "POST" if "/" in path else "GET"
    answer = httpx.request(method, f"{address}{path}", headers=headers)
    assert answer.status_code == 403
    assert "--allow-host" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


def test_the_pages_own_requests_are_answered(address: str) -> None:
    own = address.rstrip("/")
    port = own.rpartition(":")[2]
    for headers in ({"origin": own}, {"host": f"localhost:{port}"}, {"host": "10.0.0.7"}):
        assert httpx.get(f"{address}config", headers=headers).status_code == 200


def root_of(url: str, headers: dict[str, str] | None = None) -> str:
    """Where the page says that it lies."""
    text = httpx.get(url, headers=headers).raise_for_status().text
    start = text.index("window.gradio_config = ") + len("window.gradio_config = ")
    return str(json.JSONDecoder().raw_decode(text[start:])[0]["root"])


@pytest.mark.parametrize("strips", [True, False])
def test_behind_a_proxy_that_tells_its_path(address: str, strips: bool) -> None:
    told = {"X-Forwarded-Prefix": "/faces/"}
    with proxied(address, "/faces", strips=strips, headers=told) as url:
        assert root_of(url) == url.rstrip("/")
        answer = httpx.post(f"{url}{UPLOAD}", files={"files": ("x.png", b"0" * 10)})
        assert answer.status_code == 200
    for nonsense in ("//evil.example", "/a b", "/a/../b?", "javascript:x"):
        root = root_of(address, {"X-Forwarded-Prefix": nonsense})
        assert root == address.rstrip("/")


@pytest.mark.parametrize("root_path", ["/faces", "faces/", "https://demo.example.org/faces/"])
def test_behind_a_proxy_whose_path_is_given(
    model_names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root_path: str
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with (
        building(),
        serve(model_names[:1], device="cpu", root_path=root_path) as address,
        proxied(address, "/faces", strips=False) as url,
    ):
        expected = root_path.rstrip("/") if "//" in root_path else url.rstrip("/")
        assert root_of(url) == expected
        assert httpx.get(f"{url}config").status_code == 200
        named = {"host": "demo.example.org", "origin": "https://demo.example.org"}
        allowed = 200 if "//" in root_path else 403
        assert httpx.get(f"{address}config", headers=named).status_code == allowed


@ipv6
def test_ipv6_and_names_that_are_allowed(
    model_names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    names = ["faces.example.org"]
    with (
        building(),
        serve(model_names[:1], device="cpu", host="::1", allowed_hosts=names) as address,
    ):
        assert address.startswith("http://[::1]:")
        own = {"origin": address.rstrip("/")}
        public = {"host": names[0], "origin": f"https://{names[0]}"}
        for headers in (own, public):
            assert httpx.get(f"{address}config", headers=headers).status_code == 200
        other = {"host": "other.example.org"}
        assert httpx.get(f"{address}config", headers=other).status_code == 403
