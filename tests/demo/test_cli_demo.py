"""``icgan demo`` as a process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from icgan_sdk.cli.main import run

COMMAND = [sys.executable, "-m", "icgan_sdk.cli.main", "demo"]
DEAD = "http://127.0.0.1:9"
"""Nobody listens there."""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
@pytest.mark.parametrize(
    ("ending", "proxies"),
    [
        (signal.SIGINT, {"HTTP_PROXY": DEAD, "https_proxy": DEAD, "NO_PROXY": "example.org"}),
        (signal.SIGTERM, {"ALL_PROXY": "socks5://127.0.0.1:9"}),
        (signal.SIGTERM, {"SSL_CERT_FILE": "/nowhere.pem", "SSLKEYLOGFILE": "/nowhere/keys"}),
    ],
)
def test_it_serves_until_it_is_told_to_stop_and_asks_no_proxy(
    model_names: list[str], tmp_path: Path, ending: signal.Signals, proxies: dict[str, str]
) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--model", model_names[0], "--device", "cpu"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path), **proxies},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.endswith(" (Ctrl-C stops)\n")
    assert httpx.get(line.split()[0]).status_code == 200
    process.send_signal(ending)
    rest, errors = process.communicate(timeout=60)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_an_unknown_model_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--model", "nowhere"]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("icgan: error: no model named 'nowhere'")
    assert errors.count("\n") == 1


def test_gradio_is_imported_only_to_serve() -> None:
    script = (
        "import sys, icgan_sdk, icgan_sdk.demo, icgan_sdk.cli.main; print('gradio' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
