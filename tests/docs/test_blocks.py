"""Every code block of the site and the README is true: it runs, or says why it can't here.

A page is a session in a folder of its own, which holds what the page names. Training uses
the recipes with one epoch and twenty pictures, `own` one epoch of each stage, and evaluation
generates few; a page's own settings hold but for `gan.epochs`.
"""

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from icgan_sdk.artefacts.store import save_artefact
from icgan_sdk.cli.main import run
from icgan_sdk.config import ModelConfig
from tests.artefacts.test_hub import hub, read  # noqa: F401 - a fixture
from tests.conftest import tiny_networks
from tests.docs.blocks import Block, blocks_of
from tests.docs.commands import check_pip, check_unrun, outputs, outputs_of_code, parse, shortened
from tests.docs.scratch import ROOT, Scratch, shrink_recipes
from tests.hub import Hub, Repository

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PARSED: dict[str, Callable[[str], object]] = {"json": json.loads, "toml": tomllib.loads}
SHELL = {"console", "bash"}
TRAIN_OR_EXPORT = {
    "docs/guides/export.md",
    "docs/guides/evaluation.md",
    "docs/guides/training.md",
    "docs/guides/own-attributes.md",
    "docs/guides/cluster.md",
    "docs/guides/letters.md",
    "docs/models/celeba.md",
    "README.md",
}
"""Pages that take longer than all others together."""
RUN = [
    pytest.param(
        page,
        id=name,
        marks=[pytest.mark.slow] if name in TRAIN_OR_EXPORT else [],
    )
    for page in PAGES
    for name in [page.relative_to(ROOT).as_posix()]
]
# The Hub's client calls its HTTP library in a way that is going out of use.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def scratch(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hub: Hub,  # noqa: F811
) -> Scratch:
    """The working directory of a page, with short recipes and a Hub that has ``org/name``."""
    config = ModelConfig(z_dim=4, generator_width=4, encoder_width=2, encoder_z_fc=8)
    save_artefact(tiny_networks(config), tmp_path / "pushed", card="# Faces\n")
    repository = hub.repositories["org/name"] = Repository()
    for revision in ("main", "v1"):
        repository.commit(read(tmp_path / "pushed"), revision)
    shrink_recipes(tmp_path / "recipes")
    monkeypatch.setattr("icgan_sdk.training.recipe_files.RECIPES", tmp_path / "recipes")
    monkeypatch.setattr("icgan_sdk.evaluation.metrics.encoder_errors.GENERATED_IMAGES", 64)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # of referees
    (tmp_path / "page").mkdir()
    monkeypatch.chdir(tmp_path / "page")
    return Scratch(tmp_path / "page")


@pytest.mark.parametrize("page", RUN)
def test_blocks_run(page: Path, scratch: Scratch) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks_of(page, ROOT):
        if block.language == "python":
            do_python(block, names, scratch)
        elif block.language in SHELL:
            do_commands(block, scratch)
        elif block.language in PARSED:
            PARSED[block.language](block.body)
        else:
            do_text(block, scratch)


def do_python(block: Block, names: dict[str, Any], scratch: Scratch) -> None:
    code = compile(block.body, block.where, "exec")
    if not block.runs():
        tree = ast.parse(block.body)
        imports: list[ast.stmt] = [
            node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        code = compile(ast.Module(imports, []), block.where, "exec")
    else:
        scratch.provide(block.body, but=outputs_of_code(block.body))
    exec(code, names)


def do_commands(block: Block, scratch: Scratch) -> None:
    commands = block.commands()
    assert commands, f"{block.where}: no command in it; is it text?"
    if block.language == "bash":
        subprocess.run(["bash", "-n"], input=block.body, text=True, check=True)
    for program, *arguments in commands:
        words = [program, *arguments]
        try:
            do_command(words, block, scratch)
        except Exception as error:
            error.add_note(f"{block.where}: {' '.join(words)}")
            raise


def do_command(words: list[str], block: Block, scratch: Scratch) -> None:
    program, *arguments = words
    if not block.runs(program):
        check_unrun(words)
    elif program == "icgan":
        written = outputs(parse(arguments))
        scratch.provide(" ".join(arguments), but=written)
        assert run(shortened(arguments)) == 0
        for name in written:
            assert Path(name).exists(), f"{name} was not written"
    elif program == "pip":
        check_pip(arguments)
    elif program == "python":
        # Other tests run the repository's scripts.
        assert (ROOT / arguments[0]).is_file(), f"no script {arguments[0]}"
    else:
        pytest.fail(f"{block.where}: {program} can't be run here; say why in a comment above")


def do_text(block: Block, scratch: Scratch) -> None:
    """Model cards, which programs write, show commands without a prompt."""
    lines = block.body.splitlines()
    if block.language == "" and all(line.startswith("icgan ") for line in lines):
        do_commands(Block(block.where, "bash", block.body, block.notes), scratch)
        return
    assert block.language in {"text", "csv"}, f"{block.where}: name the block's language"
    hidden = [line for line in lines if line.startswith(("icgan ", "$ ", "python ", "pip "))]
    assert not hidden, f"{block.where}: commands in a block of text: {hidden}"


def test_first_command_of_the_readme(scratch: Scratch) -> None:
    """The two scripts are run whole by .ci/run; the first ends with an edit of a whole photo."""
    blocks = [b for b in blocks_of(ROOT / "README.md", ROOT) if b.language == "bash"]
    assert len(blocks) == 2
    assert "pip install -e '.[dev]' && pytest" in blocks[1].body
    do_command(blocks[0].commands()[-1], replace(blocks[0], notes=()), scratch)
    with Image.open("edited.jpg") as edited, Image.open("examples/collins.jpg") as photo:
        assert edited.size == photo.size


@pytest.mark.slow
def test_commands_of_the_readme_s_table(scratch: Scratch) -> None:
    """All but those that end with dots."""
    rows = re.findall(
        r"^\|.*\| `(icgan [^`…]+)` \|$", (ROOT / "README.md").read_text("utf-8"), re.M
    )
    assert len(rows) >= 10
    scratch.picture(Path("in.png"))
    for command in rows:
        do_commands(Block("README.md", "bash", command, ()), scratch)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_block_escapes(page: Path) -> None:
    text = page.read_text("utf-8")
    fences = [line for line in text.splitlines() if line.lstrip().startswith(("```", "~~~"))]
    own = [b for b in blocks_of(page, ROOT) if "--8<--" not in text]
    assert "--8<--" in text or len(fences) == 2 * len(own)
    assert all(reason.strip() for block in own for _, reason in block.notes)
