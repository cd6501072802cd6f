"""Load on the demo: visitors who edit without a pause, all on one page on loopback.

python benchmarks/demo.py [--clients 20] [--seconds 60] [--model celeba] [--json]

Each visitor uploads the portrait of examples/, waits until it is read, and then moves a slider
again as soon as the last picture has arrived and been fetched. Counted are edits and errors, and
timed is the way from a move to the fetched picture. The demo runs in a process of its own.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

PORTRAIT = Path(__file__).parent.parent / "examples" / "astronaut.jpg"
SLIDER = "Eyeglasses"
PATIENCE = 120.0


class Visitor:
    """One session, as a browser tab has it.

    Args:
        address: Of the page.
        model: Its name.
    """

    def __init__(self, address: str, model: str) -> None:
        self._http = httpx.Client(base_url=address, timeout=PATIENCE)
        self._session = uuid.uuid4().hex
        config = self._http.get("config").raise_for_status().json()
        self._endpoints = {d["api_name"]: d for d in config["dependencies"]}
        self._components = {c["id"]: c["props"] for c in config["components"]}
        self._model = model

    def upload(self, picture: Path) -> None:
        """Send the picture and have it read, as the page does after an upload."""
        with picture.open("rb") as file:
            sent = self._http.post("gradio_api/upload", files={"files": (picture.name, file)})
        path = sent.raise_for_status().json()[0]
        data = {"path": path, "orig_name": picture.name, "meta": {"_type": "gradio.FileData"}}
        self._call("accept_your_picture", [data])
        shown = self._call("read_0", [self._model, None, 0])
        for component, value in zip(self._endpoints["read_0"]["outputs"], shown, strict=True):
            if isinstance(value, float):  # where a slider starts
                self._components[component]["value"] = value

    def move(self, value: float) -> None:
        """Set the slider, wait for the picture and fetch it."""
        props = [self._components[i] for i in self._endpoints["edit"]["inputs"]]
        inputs = [
            {"Model": self._model, SLIDER: value}.get(p.get("label", ""), p.get("value"))
            for p in props
        ]
        edited = self._call("edit", inputs)[0]
        picture = self._http.get(edited["url"]).raise_for_status()
        if not picture.content.startswith(b"\x89PNG"):
            raise RuntimeError("what came is no picture")

    def _call(self, name: str, data: list[Any]) -> list[Any]:
        body = {
            "data": data,
            "fn_index": self._endpoints[name]["id"],
            "session_hash": self._session,
        }
        event = self._http.post("gradio_api/queue/join", json=body).raise_for_status().json()
        url = f"gradio_api/queue/data?session_hash={self._session}"
        with self._http.stream("GET", url) as lines:
            for message in _messages(lines):
                ours = message.get("event_id") == event["event_id"]
                if ours and message["msg"] == "process_completed":
                    if not message["success"]:
                        raise RuntimeError(message["output"])
                    return list(message["output"]["data"])
        raise RuntimeError("the stream ended before the answer")


def _messages(lines: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in lines.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line.removeprefix("data:"))


def visit(address: str, model: str, seconds: float) -> tuple[list[float], list[str]]:
    """Latencies in seconds, and errors, of one visitor."""
    latencies: list[float] = []
    errors: list[str] = []
    visitor = Visitor(address, model)
    try:
        visitor.upload(PORTRAIT)
    except (httpx.HTTPError, RuntimeError) as error:
        return latencies, [f"upload: {error!r}"]
    end = time.monotonic() + seconds
    step = 0
    while time.monotonic() < end:
        step += 1
        start = time.monotonic()
        try:
            visitor.move(step % 101 / 100)
        except (httpx.HTTPError, RuntimeError) as error:
            errors.append(repr(error))
        else:
            latencies.append(time.monotonic() - start)
    return latencies, errors


@contextlib.contextmanager
def server(model: str) -> Iterator[str]:
    """The demo in a process of its own; gives its address."""
    command = [sys.executable, "-m", "icgan_sdk.cli.main", "demo", "--model", model]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline().split()
            if not line:
                sys.exit("the demo did not start")
            yield line[0]
        finally:
            process.terminate()


def main() -> None:
    """Run all visitors at once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--model", default="celeba")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with server(options.model) as address, ThreadPoolExecutor(options.clients) as pool:
        jobs = [
            pool.submit(visit, address, options.model, options.seconds)
            for _ in range(options.clients)
        ]
        found = [job.result() for job in jobs]
    latencies = sorted(latency for some, _ in found for latency in some)
    errors = [error for _, some in found for error in some]
    figures = {
        "clients": options.clients,
        "seconds": options.seconds,
        "requests": len(latencies) + len(errors),
        "errors": len(errors),
        "fewest_per_client": min(len(some) for some, _ in found),
        "per_second": round(len(latencies) / options.seconds, 2),
        "median_seconds": round(statistics.median(latencies), 3) if latencies else None,
        "p95_seconds": round(latencies[int(0.95 * (len(latencies) - 1))], 3) if latencies else None,
        "load_average": os.getloadavg()[0],
    }
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        print("\n".join(f"{name:<18} {value}" for name, value in figures.items()))
    for error in sorted(set(errors)):
        print(error, file=sys.stderr)
    sys.exit(bool(errors))


if __name__ == "__main__":
    main()
