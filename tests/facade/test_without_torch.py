"""Where PyTorch is not installed."""

import subprocess
import sys

SCRIPT = """
import sys
sys.modules["torch"] = None
from icgan_sdk import ConfigError, IcGAN
from icgan_sdk.cli.main import run
try:
    IcGAN.from_pretrained("celeba")
except ConfigError as error:
    print(error)
model = IcGAN.from_pretrained("celeba", runtime="onnx")
print(model.edit("examples/collins.jpg", Smiling=0).size)
print(run(["sample", "-o", "never.png"]))
"""


def test_edits_are_made_and_all_else_says_what_it_needs(pytestconfig: object) -> None:
    root = pytestconfig.rootpath  # type: ignore[attr-defined]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.splitlines() == [
        "PyTorch is not installed: runtime='onnx' edits without it, "
        "and 'pip install torch' brings it",
        "(512, 512)",
        "1",
    ]
    assert done.stderr.startswith("icgan: error: this needs torch, which is not installed: ")
