"""The README's commands are true: they run, and what they write exists."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

from icgan_sdk.cli.main import run

ROOT = Path(__file__).parents[1]


def test_first_command_edits_the_shipped_portrait(tmp_path: Path) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    assert len(blocks) == 2
    assert "pip install -e '.[dev]' && pytest" in blocks[1]
    program, *arguments = shlex.split(blocks[0].split("&&")[-1])
    assert program == "icgan"
    out = tmp_path / arguments[-1]
    arguments = [str(ROOT / a) if a.startswith("examples/") else a for a in arguments]
    assert run([*arguments[:-1], str(out)]) == 0
    with Image.open(out) as strip:
        # Three pictures of 64 with gaps of 2: original, reconstruction, edit.
        assert strip.size == (3 * 66 + 2, 68)


def table_commands() -> list[str]:
    rows = (ROOT / "README.md").read_text().splitlines()
    commands = [re.findall(r"`(icgan [^`]+)`", row) for row in rows if row.startswith("|")]
    return [found[-1] for found in commands if found]


def test_commands_of_the_table_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("in.png", "a.png", "b.png"):
        shutil.copy(ROOT / "examples" / "astronaut.jpg", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    elsewhere = ("icgan train", "icgan push", "icgan convert-torch7")  # they need data, or a Hub
    commands = [c for c in table_commands() if not c.startswith(elsewhere)]
    assert len(commands) == 7
    for command in commands:
        arguments = shlex.split(command)[1:]
        assert run(arguments) == 0, command
        assert "-o" not in arguments or Path(arguments[-1]).exists(), command
