"""A visitor of the demo, as a browser tab is one."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx

SLIDER = "Eyeglasses"
PATIENCE = 120.0


class RefusedError(RuntimeError):
    """The page's own message; none if the server hid an error."""


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

    def upload(self, name: str, picture: bytes) -> None:
        """Send a picture and have it read, as the page does after an upload."""
        sent = self._http.post("gradio_api/upload", files={"files": (name, picture)})
        self.accept(sent.raise_for_status().json()[0], name)

    def accept(self, path: str, name: str) -> None:
        """Have a file on the server read."""
        data = {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
        self._call("accept_your_picture", [data])

    def read(self) -> None:
        """See what the model reads off the picture, where the sliders start."""
        shown = self._call("read_0", [self._model, None, 0, "whole", "largest", None])
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
                        raise RefusedError(str(message["output"].get("error") or ""))
                    return list(message["output"]["data"])
        raise RuntimeError("the stream ended before the answer")


def _messages(lines: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in lines.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line.removeprefix("data:"))
