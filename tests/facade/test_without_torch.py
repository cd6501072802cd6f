"""Where PyTorch is not installed."""

import subprocess
import sys
from pathlib import Path

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
print(model.edit("examples/collins.jpg", hair_color="Blond_Hair").size)
out, face = sys.argv[1], "examples/collins.jpg"
for command in (
    ["sample", "-n", "2", "--seed", "1", "-o", f"{out}/s.png"],
    ["swap", face, "examples/astronaut.jpg", "-o", f"{out}/w.png"],
    ["interpolate", face, "examples/astronaut.jpg", "-o", f"{out}/i.png"],
    ["reconstruct", face, "-o", f"{out}/r.png"],
    ["info", "mnist"],
    ["attributes", face],
    ["edit", face, "Smiling=0", "--refine", "1", "-o", f"{out}/never.png"],
):
    print("status", run(command))
"""


def test_all_is_done_but_what_needs_gradients(pytestconfig: object, tmp_path: Path) -> None:
    root = pytestconfig.rootpath  # type: ignore[attr-defined]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        "PyTorch is not installed: runtime='onnx' (--runtime onnx) edits without it, "
        "and 'pip install torch' brings it",
        "(512, 512)",
    ]
    assert [line for line in lines if line.startswith("status")] == ["status 0"] * 6 + ["status 1"]
    assert done.stderr.startswith("icgan: error: PyTorch is not installed: ")
    assert {path.name for path in tmp_path.iterdir()} == {"s.png", "w.png", "i.png", "r.png"}
