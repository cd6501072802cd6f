"""A small Hugging Face Hub on loopback: repositories, revisions, tokens, uploads, and its faults.

It speaks the part of the Hub's protocol that huggingface_hub's client uses for models: repository
information, file trees, downloads with ranges, creation, branches, tags, and commits with large
files by Git LFS (basic transfer; not Xet).
"""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import unquote

TOKEN = "hf_writer"
LARGE = (".safetensors", ".bin", ".pt")
Files = dict[str, bytes]


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def git_hash(body: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


@dataclass
class Repository:
    """Commits by hash, and what names point at them."""

    private: bool = False
    commits: dict[str, Files] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def commit(self, files: Files, name: str = "main") -> str:
        content = name + json.dumps({path: sha256(body) for path, body in files.items()})
        self.names[name] = hashlib.sha1((content + str(len(self.commits))).encode()).hexdigest()
        self.commits[self.names[name]] = files
        return self.names[name]

    def find(self, revision: str) -> str | None:
        return revision if revision in self.commits else self.names.get(revision)


@dataclass
class Fault:
    """What goes wrong at requests of a method whose path holds a word, as often as it says.

    Attributes:
        method: Of the requests.
        word: In their path.
        times: How often it happens; after that all is well.
        status: Answer with this status and no body.
        cut: Send only so many bytes of the body, then break the connection.
        change: Send another body of the same length.
        short: Say and send a body that is shorter than the file.
        wait: Seconds of silence before the answer.
    """

    method: str
    word: str
    times: int = 1_000_000
    status: int = 0
    cut: int = 0
    change: Callable[[bytes], bytes] | None = None
    short: bool = False
    wait: float = 0.0


class Hub:
    """The state of the server."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.repositories: dict[str, Repository] = {}
        self.uploads: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, str]] = []
        self.lock = Lock()

    def fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times and fault.method == method and fault.word in path:
                    fault.times -= 1
                    return fault
        return None

    def paths(self, method: str = "GET") -> list[str]:
        return [path for m, path, _ in self.requests if m == method]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub
    pending: Fault | None

    def handle_request(self) -> None:  # noqa: PLR0911 - a table of what is asked
        hub, method = self.hub, self.command
        body = self.body()
        path = unquote(self.path.partition("?")[0]).removeprefix("/")
        hub.requests.append((method, path, self.headers.get("Range", "")))
        self.pending = hub.fault(method, path)
        if self.pending is not None:
            time.sleep(self.pending.wait)
            if self.pending.status:
                return self.send(self.pending.status)
        parts = path.split("/")
        if path == "api/repos/create":
            return self.create(json.loads(body))
        if path == "api/validate-yaml":
            return self.send_json({"errors": [], "warnings": []})
        if parts[0] in ("lfs", "cdn"):
            return self.large_file(parts[1], body)
        if parts[:2] == ["api", "models"]:
            return self.api("/".join(parts[2:4]), parts[4:], body)
        if parts[2:3] == ["resolve"]:
            return self.resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        if path.endswith(".git/info/lfs/objects/batch"):
            return self.batch(path.removesuffix(".git/info/lfs/objects/batch"), json.loads(body))
        return self.send(404)

    do_GET = do_HEAD = do_POST = do_PUT = handle_request  # noqa: N815 - names of the base class

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while length := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def repository(self, name: str, *, write: bool = False) -> Repository | None:
        """The repository, if whoever asks may see it; answers else."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        found = self.hub.repositories.get(name)
        if token and token != TOKEN:
            self.send(
                401, headers={"X-Error-Message": "Invalid credentials in Authorization header"}
            )
        elif found is None or ((found.private or write) and not token):
            self.send(404 if token else 401, headers={"X-Error-Code": "RepoNotFound"})
        else:
            return found
        return None

    def create(self, wanted: dict[str, Any]) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.send(401)
        name = f"{wanted['organization']}/{wanted['name']}"
        if name in self.hub.repositories:
            return self.send_json({"url": f"{self.hub.address}/{name}"}, 409)
        private = bool(wanted.get("private")) or wanted.get("visibility") == "private"
        made = self.hub.repositories[name] = Repository(private)
        made.commit({".gitattributes": b"*.safetensors filter=lfs\n"})
        return self.send_json({"url": f"{self.hub.address}/{name}"})

    def api(self, name: str, parts: list[str], body: bytes) -> None:  # noqa: PLR0911 - as above
        asked, revision = (*parts, "", "")[:2]
        found = self.repository(name, write=self.command == "POST")
        if found is None:
            return None
        commit = found.find(revision or "main")
        if asked == "branch" or (asked == "tag" and commit):
            target = json.loads(body).get("tag", revision) if asked == "tag" else revision
            found.names[target] = commit or found.names["main"]
            return self.send_json({})
        if commit is None:
            return self.send(404, headers={"X-Error-Code": "RevisionNotFound"})
        files = found.commits[commit]
        if asked in ("", "revision"):
            siblings = [{"rfilename": path} for path in files]
            return self.send_json({"id": name, "sha": commit, "siblings": siblings})
        if asked == "tree":
            return self.send_json([_entry(path, body) for path, body in files.items()])
        if asked == "preupload":
            wanted = [file["path"] for file in json.loads(body)["files"]]
            modes = [_preupload(path, files.get(path)) for path in wanted]
            return self.send_json({"files": modes})
        assert asked == "commit"
        made = found.commit(files | self.committed(body), revision)
        address = f"{self.hub.address}/{name}/commit/{made}"
        return self.send_json({"commitUrl": address, "commitOid": made})

    def committed(self, body: bytes) -> Files:
        new: Files = {}
        for line in body.splitlines():
            key, value = json.loads(line)["key"], json.loads(line)["value"]
            if key == "file":
                new[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                new[value["path"]] = self.hub.uploads[value["oid"]]
        return new

    def batch(self, name: str, wanted: dict[str, Any]) -> None:
        if self.repository(name, write=True) is None:
            return None
        link = {"upload": {"href": f"{self.hub.address}/lfs/"}}
        objects = [
            {**o, "actions": {"upload": {"href": link["upload"]["href"] + o["oid"]}}}
            for o in wanted["objects"]
        ]
        return self.send_json({"transfer": "basic", "objects": objects})

    def resolve(self, name: str, revision: str, path: str) -> None:
        found = self.repository(name)
        if found is None:
            return None
        commit = found.find(revision)
        if commit is None:
            return self.send(404, headers={"X-Error-Code": "RevisionNotFound"})
        headers = {"X-Repo-Commit": commit}
        body = found.commits[commit].get(path)
        if body is None:
            return self.send(404, headers={**headers, "X-Error-Code": "EntryNotFound"})
        if path.endswith(LARGE):
            self.hub.uploads[sha256(body)] = body
            linked = {"X-Linked-Etag": f'"{sha256(body)}"', "X-Linked-Size": str(len(body))}
            # Another host, as the Hub's: the client then takes the file's data from this answer.
            storage = self.hub.address.replace("127.0.0.1", "localhost")
            location = {"Location": f"{storage}/cdn/{sha256(body)}"}
            return self.send(302, headers={**headers, **linked, **location})
        return self.send_body(body, {**headers, "ETag": f'"{git_hash(body)}"'})

    def large_file(self, oid: str, body: bytes) -> None:
        if self.command == "PUT":
            assert sha256(body) == oid
            self.hub.uploads[oid] = body
            return self.send(200)
        return self.send_body(self.hub.uploads[oid], {"ETag": f'"{oid}"'})

    def send_json(self, value: object, status: int = 200) -> None:
        self.send(status, json.dumps(value).encode())

    def send_body(self, body: bytes, headers: dict[str, str]) -> None:
        """A file, or the rest of it from where a range begins."""
        fault = self.pending
        if fault is not None and fault.change is not None:
            body = fault.change(body)
        if fault is not None and fault.short:
            body = body[:-10]
        status, asked = 200, self.headers.get("Range")
        if asked:
            start = int(asked.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            status, body = 206, body[start:]
        self.send(status, body, headers, cut=fault.cut if fault is not None else 0)

    def send(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None, cut: int = 0
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:cut] if cut else body)
        if cut:
            self.wfile.flush()
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def _entry(path: str, body: bytes) -> dict[str, object]:
    entry: dict[str, object] = {"type": "file", "path": path, "size": len(body)}
    entry["oid"] = git_hash(body)
    if path.endswith(LARGE):
        entry["lfs"] = {"oid": sha256(body), "size": len(body), "pointerSize": 130}
    return entry


def _preupload(path: str, present: bytes | None) -> dict[str, object]:
    large = path.endswith(LARGE)
    mode: dict[str, object] = {"path": path, "uploadMode": "lfs" if large else "regular"}
    if present is not None:
        mode["oid"] = sha256(present) if large else git_hash(present)
    return {**mode, "shouldIgnore": False}


@contextmanager
def serve() -> Iterator[Hub]:
    """A Hub that answers as long as the context lasts."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub = handler.hub = Hub(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield hub
        server.shutdown()
