"""A reverse proxy on loopback that shows a page under a path, as nginx or Traefik do."""

import http.client
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class _Handler(BaseHTTPRequestHandler):
    target: str
    prefix: str
    strips: bool
    headers_set: dict[str, str]

    def forward(self) -> None:
        if not self.path.startswith(f"{self.prefix}/"):
            self.send_error(404, "not under the prefix")
            return
        path = self.path.removeprefix(self.prefix) if self.strips else self.path
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
        headers |= {"Host": self.headers["Host"], **self.headers_set}
        with closing(http.client.HTTPConnection(self.target, timeout=60)) as line:
            line.request(self.command, path, body, headers)
            answer = line.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.end_headers()
            while part := answer.read1(65536):
                self.wfile.write(part)
                self.wfile.flush()
            answer.close()

    do_GET = do_HEAD = do_POST = forward  # noqa: N815 - names of the base class

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def proxied(
    address: str, prefix: str, *, strips: bool, headers: dict[str, str] | None = None
) -> Iterator[str]:
    """The address of the page behind the proxy.

    Args:
        address: The page's own.
        prefix: The path under which it is shown.
        strips: Whether the page's server is asked without the prefix.
        headers: Set in every request, such as the Host.
    """
    settings = {
        "target": urlsplit(address).netloc,
        "prefix": prefix,
        "strips": strips,
        "headers_set": headers or {},
    }
    handler = type("Handler", (_Handler,), settings)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{prefix}/"
        server.shutdown()
