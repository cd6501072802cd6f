"""The README's set-up commands are two, and what its first one edits and writes exists."""

import re
import shlex
from pathlib import Path

from PIL import Image

from icgan_sdk.cli.main import run

ROOT = Path(__file__).parents[1]


def test_first_command_edits_the_shipped_digit(tmp_path: Path) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    assert len(blocks) == 2
    assert "pip install -e '.[dev]' && pytest" in blocks[1]
    program, *arguments = shlex.split(blocks[0].split("&&")[-1])
    assert program == "icgan"
    out = tmp_path / arguments[-1]
    arguments = [str(ROOT / a) if a.startswith("examples/") else a for a in arguments]
    assert run([*arguments[:-1], str(out)]) == 0
    with Image.open(out) as strip:
        # Three pictures of 28 with gaps of 2: original, reconstruction, edit.
        assert strip.size == (3 * 30 + 2, 32)
