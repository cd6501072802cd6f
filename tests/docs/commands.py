"""What the commands of the pages mean: parsed by the application, without running them."""

import ast
import tomllib
from collections.abc import Sequence
from typing import Any

import typer
from accelerate.commands.launch import launch_command_parser
from packaging.requirements import Requirement
from torch.distributed.run import get_args_parser

from icgan_sdk.cli.main import app
from tests.docs.scratch import ROOT

MODULE = "icgan_sdk.cli.main"
WRITTEN = {"out", "output"}
"""Parameters of the commands that name what a command writes."""
OF_OWN = ["gan.epochs=1", "encoder_y.epochs=1", "encoder_z.epochs=1", "generated.images=8"]
"""Settings that the recipe `own` reads off the data, where no short recipe could hold them."""
SHORTER = {
    ("train", "--data"): [word for setting in OF_OWN for word in ("--set", setting)],
    ("train",): ["--set", "gan.epochs=1"],
    ("data", "prepare", "celeba"): ["--workers", "1"],
    ("data", "prepare", "folder"): ["--workers", "1"],
}
"""What is added to commands that would take long, and changes nothing else."""
WRITES = {
    "run": 1,
    "fork": 1,
    "prepare_folder": 1,
    "prepare_celeba": 1,
    "prepare_mnist": 1,
    "write_arrays": 0,
    "save_pretrained": 0,
    "evaluate": 2,
    "reproduce": 2,
    "train_referee": 1,
}
"""Functions that write a folder, and which of their arguments names it."""


def parse(arguments: Sequence[str]) -> dict[str, Any]:
    """The parameters of an `icgan` command; raises what the application would report."""
    command, context, name = typer.main.get_command(app), None, "icgan"
    while True:
        context = command.make_context(name, list(arguments), parent=context)
        if not hasattr(command, "resolve_command"):
            return dict(context.params)
        rest = [*getattr(context, "_protected_args", []), *context.args]
        found, command, arguments = command.resolve_command(context, rest)
        name = str(found)


def shortened(arguments: list[str]) -> list[str]:
    """The arguments of a command with what makes it short."""
    added = (more for words, more in SHORTER.items() if tuple(arguments[: len(words)]) == words)
    return [*arguments, *next(added, [])]


def outputs(parameters: dict[str, Any]) -> list[str]:
    """The files or folders that a command makes anew."""
    if parameters.get("resume") or parameters.get("restart"):
        return []
    return [str(v) for name, v in parameters.items() if name in WRITTEN and v is not None]


def outputs_of_code(code: str) -> list[str]:
    """The folders that Python code makes anew."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        place = WRITES.get(name, len(node.args))
        if place < len(node.args):
            argument = node.args[place]
            found += [str(n.value) for n in ast.walk(argument) if isinstance(n, ast.Constant)]
    return found


def check_unrun(words: list[str]) -> None:
    """Check a command that isn't run as far as its program can tell."""
    while words and "=" in words[0]:
        words = words[1:]  # variables set for the command
    if not words:
        return
    program, *arguments = words
    if MODULE in arguments:
        parse(arguments[arguments.index(MODULE) + 1 :])
    if program == "icgan":
        parse(arguments)
    elif program == "accelerate" and arguments[0] == "launch":
        launch_command_parser().parse_args(arguments[1:])
    elif program == "torchrun":
        get_args_parser().parse_args(arguments)
    elif program == "srun":
        check_unrun(arguments[next(i for i, a in enumerate(arguments) if a[0] != "-") :])


def check_pip(arguments: list[str]) -> None:
    """The extras of this package that `pip install` names exist."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    for argument in arguments[1:]:
        if argument.startswith("-") or argument == ".":
            continue
        requirement = Requirement(argument.replace(".[", "icgan-sdk[").replace("'", ""))
        if requirement.name == "icgan-sdk":
            assert requirement.extras <= set(extras), f"no such extra: {argument}"
