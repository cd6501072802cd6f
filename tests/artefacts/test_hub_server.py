"""Downloading from a real HTTP server that answers as the Hub does."""

import hashlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from icgan_sdk import IcGAN
from icgan_sdk.artefacts.hub import download
from icgan_sdk.errors import DownloadError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REFUSALS = {
    "org/missing": (404, "RepoNotFound"),
    "org/gated": (403, "GatedRepo"),
    "org/broken": (500, ""),
}


class Hub(BaseHTTPRequestHandler):
    folder: Path
    requested: list[str]

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def answer(self, *, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        self.requested.append(path)
        for repo_id, (status, code) in REFUSALS.items():
            if repo_id in path:
                return self.send(status, b"", {"X-Error-Code": code})
        if path.startswith("/api/models/org/tiny/revision/"):
            if not path.endswith(("/main", COMMIT)):
                return self.send(404, b"", {"X-Error-Code": "RevisionNotFound"})
            return self.send(200, json.dumps({"id": "org/tiny", "sha": COMMIT}).encode())
        if path.startswith("/api/models/org/tiny/tree/"):
            return self.send(200, json.dumps([self.entry(p) for p in self.files()]).encode())
        body = (self.folder / path.rpartition("/")[2]).read_bytes()
        headers = {"ETag": f'"{hashlib.sha1(body).hexdigest()}"', "X-Repo-Commit": COMMIT}
        return self.send(200, body, headers, with_body=with_body)

    def files(self) -> list[Path]:
        return sorted(self.folder.iterdir())

    @staticmethod
    def entry(path: Path) -> dict[str, object]:
        oid = hashlib.sha1(path.read_bytes()).hexdigest()
        return {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": oid}

    def send(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        *,
        with_body: bool = True,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def requested(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The paths that are requested from a Hub that holds org/tiny."""
    (tiny_folder / "pytorch_model.bin").write_text("a pickle")
    paths: list[str] = []
    handler = type("Handler", (Hub,), {"folder": tiny_folder, "requested": paths})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        constants = "huggingface_hub.constants"
        monkeypatch.setattr(f"{constants}.ENDPOINT", address)
        template = address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(f"{constants}.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(f"{constants}.HF_HUB_DISABLE_PROGRESS_BARS", True)
        yield paths
        server.shutdown()


def test_a_repository_is_fetched_once_and_without_pickles(
    requested: list[str], tmp_path: Path
) -> None:
    model = IcGAN.from_pretrained("org/tiny", cache_dir=tmp_path / "cache", device="cpu")
    assert len(model.sample(1, seed=0)) == 1
    assert any("model.safetensors" in path for path in requested)
    assert not [path for path in requested if "pytorch_model.bin" in path]
    requested.clear()
    download("org/tiny", cache_dir=tmp_path / "cache", local_files_only=True)
    assert requested == []


@pytest.mark.parametrize(
    ("repo_id", "revision", "reason"),
    [
        ("org/missing", None, "no such repository"),
        ("org/gated", None, "access is gated"),
        ("org/tiny", "v9", "no such revision"),
        ("org/broken", None, "can't be reached"),
    ],
)
def test_refusals_are_told_in_one_line(
    repo_id: str, revision: str | None, reason: str, requested: list[str], tmp_path: Path
) -> None:
    with pytest.raises(DownloadError, match=f"can't download '{repo_id}': .*{reason}") as caught:
        download(repo_id, revision=revision, cache_dir=tmp_path / "cache", token="hf_none")
    assert "\n" not in str(caught.value)
    assert requested
