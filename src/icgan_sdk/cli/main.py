"""The command `icgan` itself: its sub-commands, and how it ends.

Status: 0 done, 1 an error (one line on stderr), 2 wrong usage, 130 interrupted.
"""

import os
import sys
import traceback
from typing import Annotated, cast

import typer

from icgan_sdk._version import __version__
from icgan_sdk.checks import broken
from icgan_sdk.cli import edit, inspect, sheets
from icgan_sdk.cli.console import drop_streams, our_warnings, prepare_streams, report
from icgan_sdk.cli.convert import convert_torch7
from icgan_sdk.cli.data import app as data_app
from icgan_sdk.cli.demo import demo
from icgan_sdk.cli.evaluate import evaluate
from icgan_sdk.cli.export import export
from icgan_sdk.cli.hub import pull, push
from icgan_sdk.cli.paths import expand_home, looks_like_option
from icgan_sdk.cli.referee import referee
from icgan_sdk.cli.reproduce import reproduce
from icgan_sdk.cli.train import train
from icgan_sdk.errors import IcGANError

TRACEBACK_VARIABLE = "ICGAN_TRACEBACK"
"""If this environment variable is set, an unexpected error shows its traceback."""

# Newer releases of Typer bring their own copy of click, so its UsageError has no fixed module.
_UsageError = cast(type[typer.BadParameter], typer.BadParameter.__mro__[1])

app = typer.Typer(
    name="icgan",
    help="Edit pictures by their attributes with Invertible Conditional GANs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"icgan {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


for command in (
    edit.edit,
    edit.reconstruct,
    inspect.attributes,
    sheets.variations,
    sheets.interpolate,
    sheets.swap,
    sheets.sample,
    inspect.info,
    demo,
    train,
    evaluate,
    referee,
    reproduce,
    push,
    pull,
    convert_torch7,
    export,
):
    app.command()(command)
app.add_typer(data_app, name="data")


def run(arguments: list[str]) -> int:
    """Run one command line and return the exit status. Users' errors show no traceback."""
    prepare_streams()
    try:
        with our_warnings():
            status = _status([expand_home(word) for word in arguments])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has gone
        status = 1
    except OSError as error:  # a full disk, where stdout is a file
        report(f"can't print: {error.strerror}")
        status = 1
    drop_streams()
    return status


def _status(arguments: list[str]) -> int:
    try:
        refuse_repeated(arguments)
        status = app(arguments, prog_name="icgan", standalone_mode=False)
    except _UsageError as error:
        # If the message is empty, Typer has already shown the help.
        if message := error.format_message():
            command = error.ctx.command_path if error.ctx else "icgan"
            if name := looks_like_option(arguments, message):
                message += f" A file of that name is written ./{name}"
            end = "" if message.endswith((".", "?", "!")) else "."
            report(f"{message}{end} Try '{command} --help'.")
        return 2
    except IcGANError as error:
        report(error)
        return 1
    except (KeyboardInterrupt, typer.Abort):
        status = 130
    except BrokenPipeError:
        raise
    except Exception as error:
        return _unexpected(error)
    if status == 130:
        report("interrupted")
    return status if isinstance(status, int) else 0


def refuse_repeated(arguments: list[str]) -> None:
    """Raise BadParameter for an option that is given twice and has one value."""
    command = typer.main.get_command(app)
    for word in arguments[:1]:
        command = getattr(command, "commands", {}).get(word, command)
    words = arguments[: arguments.index("--")] if "--" in arguments else arguments
    given = [word.partition("=")[0] for word in words if word.startswith("-")]
    for option in command.params:
        single = not (getattr(option, "multiple", True) or getattr(option, "is_flag", True))
        if single and sum(given.count(name) for name in option.opts) > 1:
            raise typer.BadParameter("is given twice: give it once", param_hint=option.opts[0])


def _unexpected(error: Exception) -> int:
    if os.environ.get(TRACEBACK_VARIABLE):
        traceback.print_exc()
    package = _imported(error)
    if package is None:
        report(f"{type(error).__name__}: {error} ({TRACEBACK_VARIABLE}=1 shows where)")
    elif isinstance(error, ModuleNotFoundError) and str(error.name).partition(".")[0] == package:
        report(f"this needs {package}, which is not installed: pip install icgan-sdk brings it")
    else:
        report(broken(package, error))
    return 1


def _imported(error: Exception) -> str | None:
    """The package that couldn't be imported, where an error is such a one's."""
    modules = [
        (str(frame.f_globals.get("__name__")), frame.f_code.co_name)
        for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    here = [n for n, (module, _) in enumerate(modules) if module.startswith("icgan_sdk")]
    ours = max(here, default=0)
    loaded = [(m, code) for m, code in modules[ours + 1 :] if not m.startswith("importlib.")]
    if not loaded:  # not found, or a library in itself
        name = error.name if isinstance(error, ImportError) else None
        return name.partition(".")[0] if name else None
    module, code = loaded[0]
    return module.partition(".")[0] if code == "<module>" else None


def main() -> None:
    """The entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
