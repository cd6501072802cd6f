"""Without the extra, the error says which command installs it."""

import subprocess
import sys

SCRIPT = """
import sys
sys.modules["gradio"] = None  # as if it were not installed
from icgan_sdk.cli.main import run
raise SystemExit(run(["demo"]))
"""


def test_the_error_names_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "icgan: error: the demo needs Gradio: pip install 'icgan-sdk[demo]'\n"
