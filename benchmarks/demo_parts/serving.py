"""The demo in a process of its own, and what that process takes over time."""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Sample(NamedTuple):
    """What the process took at a time.

    Attributes:
        seconds: Since the first sample.
        memory: Resident, MiB.
        files: In its folder of uploads.
        megabytes: Of those files.
        open_files: Files, pipes and sockets that it has open.
    """

    seconds: float
    memory: float
    files: int
    megabytes: float
    open_files: int


class Server(NamedTuple):
    """A running demo.

    Attributes:
        address: Of its page.
        samples: Grow while it runs.
    """

    address: str
    samples: list[Sample]


@contextlib.contextmanager
def serving(model: str, every: float = 2.0) -> Iterator[Server]:
    """Start the demo, and look at it again and again until the end."""
    with tempfile.TemporaryDirectory() as uploads:
        command = [sys.executable, "-m", "icgan_sdk.cli.main", "demo", "--model", model]
        environment = {**os.environ, "GRADIO_TEMP_DIR": uploads}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            ended = threading.Event()
            try:
                line = process.stdout.readline().split()
                if not line:
                    sys.exit("the demo did not start")
                server = Server(line[0], [])
                watcher = threading.Thread(
                    target=_watch,
                    args=(process.pid, Path(uploads), every, ended, server.samples),
                    daemon=True,
                )
                watcher.start()
                yield server
                ended.set()
                watcher.join()
            finally:
                ended.set()
                process.terminate()


def _watch(
    process: int, uploads: Path, every: float, ended: threading.Event, samples: list[Sample]
) -> None:
    start = time.monotonic()
    while not ended.wait(every):
        sizes = list(_sizes(uploads))
        status = Path(f"/proc/{process}/status").read_text()
        memory = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        samples.append(
            Sample(
                time.monotonic() - start,
                int(memory.split()[1]) / 1024,
                len(sizes),
                sum(sizes) / 1e6,
                len(list(Path(f"/proc/{process}/fd").iterdir())),
            )
        )


def _sizes(folder: Path) -> Iterator[int]:
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # it may be gone by now
            if path.is_file():
                yield path.stat().st_size
