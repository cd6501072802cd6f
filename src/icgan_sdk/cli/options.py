"""Options that several commands share, their completion, and parsing ``--set NAME=VALUE``."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from icgan_sdk.artefacts.layout import read_config
from icgan_sdk.artefacts.resolving import bundled_names, resolve
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.bundled import BUNDLED_ROOT
from icgan_sdk.cli.console import note
from icgan_sdk.cli.names import NO_MEMBER, number, understand
from icgan_sdk.cli.paths import expand_home, is_there
from icgan_sdk.errors import AttributeValueError, IcGANError, UnknownAttributeError

if TYPE_CHECKING:
    from icgan_sdk.engines.engine import RuntimeName
    from icgan_sdk.icgan import IcGAN
    from icgan_sdk.photo import Face, FaceOrAll

DEFAULT_MODEL = "celeba"


def complete_model(incomplete: str) -> list[str]:
    """Names of bundled models for the shell."""
    return [name for name in bundled_names() if name.startswith(incomplete)]


def complete_setting(ctx: typer.Context, incomplete: str) -> list[str]:
    """Attributes and groups of the chosen model for the shell, if it is on this machine."""
    model = ctx.params.get("model") or DEFAULT_MODEL
    folder = BUNDLED_ROOT / model if model in bundled_names() else Path(expand_home(model))
    try:
        attributes = read_config(folder).attributes
    except IcGANError:
        return []
    group, equals, _ = incomplete.partition("=")
    if equals:
        members = attributes.groups.get(group, ())
        known = [f"{group}={member}" for member in (*members, *([NO_MEMBER] if members else ()))]
    else:
        known = [f"{name}=" for name in (*attributes.groups, *attributes.names)]
    return [setting for setting in known if setting.startswith(incomplete)]


def split_settings(words: Iterable[str], settings: Iterable[str]) -> tuple[list[str], list[str]]:
    """Files, and what to set: ``Smiling=1`` among the files, and ``--set Smiling 1``, count too."""
    files: list[str] = []
    found = list(settings)
    for word in words:
        bare = next((i for i, setting in enumerate(found) if "=" not in setting), None)
        if is_there(word):
            files.append(word)
        elif bare is not None and not Path(word).suffix[1:].isalpha():
            found[bare] += f"={word}"
        elif is_setting(word):
            found.append(word)
        else:
            files.append(word)
    return files, found


def refuse_settings(words: Iterable[str]) -> None:
    """Raise BadParameter where a command that changes nothing is given a change."""
    for word in words:
        if is_setting(word) and not is_there(word):
            raise typer.BadParameter(f"{word}: this command takes pictures, and no changes")


def refuse_files(words: Iterable[str], model: str) -> None:
    """Raise BadParameter where a word that was taken for a change names no attribute either."""
    known = read_config(resolve(model)).attributes
    for word in words:
        name, equals, value = word.partition("=")
        if equals and understand(name, value, known)[0] not in (*known.names, *known.groups):
            raise typer.BadParameter(f"no such file, and no attribute: {word}")


PICTURES = frozenset(
    "jpg jpeg jpe jfif png webp heic heif hif avif gif bmp tif tiff jp2 dng nef".split()  # noqa: SIM905
)
"""Suffixes of what is a picture's name, whatever signs it has, even where there is no such file."""


def is_setting(word: str) -> bool:
    """Whether a word is ``NAME=VALUE``, rather than the name of a file."""
    return "=" in word and Path(word).suffix[1:].casefold() not in PICTURES


def parse_settings(
    settings: Iterable[str], known: AttributeSet, command: typer.Context | None = None
) -> dict[str, object]:
    """``["Smiling=0.5", "digit=7"]`` as an edit: numbers for attributes, names for groups.

    Names may be written as people do (``"blond hair"``, ``glasses``, ``hair=blond``) where that has
    one meaning.

    Args:
        settings: As they were written.
        known: The model's attributes.
        command: The running command, whose options may have been written without their dashes.

    Raises:
        AttributeValueError: If a setting is not NAME=VALUE, a name is set twice, or values don't go
            together.
        UnknownAttributeError: If a name has no meaning or several, or is an option's.
    """
    edits: dict[str, object] = {}
    guessed = []
    for setting in settings:
        written, equals, value = setting.partition("=")
        if not equals:
            raise AttributeValueError(f"--set {setting}: write NAME=VALUE, as in Eyeglasses=1")
        if command is not None and written not in (*known.names, *known.groups):
            _refuse_option(written, value, command)
        value, strong, strength = value.partition("=")
        name, meant = understand(written, value, known)
        if strong and name not in known.groups:
            raise AttributeValueError(f"--set {setting}: give one value, as in {name}=0.5")
        _refuse_other_models(name, known)
        if _plainly(name) != _plainly(written) or (name in known.groups and meant != value):
            guessed.append(f"{setting} is taken for {name}={meant}")
        if strong:  # of a group's member: hair=blond=0.5
            name, meant = meant, number(strength)
            guessed[-1:] = [f"{setting} is taken for {name}={meant}"]
        if name in edits:
            raise AttributeValueError(f"--set {setting}: {name} is set twice")
        edits[name] = _member(meant) if name in known.groups else _number_or_text(meant)
    known.resolve(edits)  # what is wrong comes before what was guessed
    for guess in guessed:
        note(guess)
    return edits


def _refuse_option(name: str, value: str, command: typer.Context) -> None:
    """Raise UnknownAttributeError for an option of a command without its dashes."""
    for option in command.command.params:
        for dashed in (*option.opts, *option.secondary_opts):
            if dashed.startswith("--") and _plainly(dashed[2:]) == _plainly(name):
                written = dashed if getattr(option, "is_flag", False) else f"{dashed} {value}"
                raise UnknownAttributeError(f"{name!r} is no attribute but an option: {written}")


def _refuse_other_models(name: str, known: AttributeSet) -> None:
    """Raise UnknownAttributeError for an attribute of another bundled model."""
    if name in known.names or name in known.groups:
        return
    for other in bundled_names():
        theirs = read_config(BUNDLED_ROOT / other).attributes
        if name in theirs.names or name in theirs.groups:
            raise UnknownAttributeError(
                f"this model has no {name!r}, the bundled model {other} has: --model {other}"
            )


def _plainly(name: str) -> str:
    return name.casefold().replace("_", " ").replace("-", " ").strip()


def _member(value: str) -> str | None:
    return None if value == NO_MEMBER else value


def _number_or_text(value: str) -> float | str:
    # Text is passed on, so that the model says whether the name or the value is wrong.
    try:
        return float(value)
    except ValueError:
        return value


def open_model(name: str, device: str, runtime: "RuntimeName", refine: int = 0) -> "IcGAN":
    """The model that a command was given; refining needs gradients, which torch alone has."""
    from icgan_sdk.icgan import IcGAN

    if refine and runtime == "auto":
        runtime = "torch"
    return IcGAN.from_pretrained(name, device=device, runtime=runtime)


def parse_face(face: str) -> "FaceOrAll":
    """``--face``'s text as `IcGAN.edit` takes it."""
    return "all" if face == "all" else parse_one_face(face)


def parse_one_face(face: str) -> "Face":
    """``--face``'s text where one picture gives one result.

    Raises:
        typer.BadParameter: If it is neither "largest" nor a number.
    """
    if face == "largest":
        return "largest"
    if not face.isdecimal():
        raise typer.BadParameter(
            "give largest or a number; all goes with 'edit --paste-back'", param_hint="'--face'"
        )
    return int(face)


Inputs = Annotated[
    list[str],
    typer.Argument(help="Picture files, folders of them, or patterns like 'photos/*.jpg'."),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="A bundled model's name, a folder, or 'org/name' on the Hugging Face Hub.",
        autocompletion=complete_model,
    ),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1 … or mps.")]
Runtime = Annotated[
    Literal["auto", "torch", "onnx"],
    typer.Option(
        "--runtime",
        help="What runs the model: torch, onnx (onnxruntime, without torch), or auto: onnx where "
        "it can.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="An attribute from 0 (absent) to 1 (present), up to 2 (exaggerated), or a group's "
        "member (digit=7) or none. Repeatable; NAME=VALUE beside the pictures means the same.",
        autocompletion=complete_setting,
    ),
]
Refine = Annotated[
    int,
    typer.Option("--refine", min=0, help="Optimisation steps on z for a closer likeness; try 20."),
]
DetailOption = Annotated[
    Literal["auto", "generated", "photo"],
    typer.Option(
        "--detail",
        help="photo: change the original pixels; generated: show G's picture; auto: photo, if "
        "the model has a painter.",
    ),
]
AlignOption = Annotated[
    Literal["auto", "always", "none"],
    typer.Option(
        "--align",
        help="Find the face: auto, in photos; always, in every picture; none: take the square.",
    ),
]
FaceOption = Annotated[
    str, typer.Option("--face", help="largest, or a face's number, counted from 0 at the left.")
]
EditFaceOption = Annotated[
    str,
    typer.Option(
        "--face",
        help="largest, a face's number, counted from 0 at the left, or all (--paste-back).",
    ),
]
PasteBack = Annotated[
    bool | None,
    typer.Option(
        "--paste-back/--crop",
        help="Give the whole photo at its own size, or the square that the model sees. By default "
        "the photo, if a face was looked for and found in it.",
    ),
]
Scale = Annotated[
    int, typer.Option("--scale", min=1, max=16, help="Enlarge the picture that is written.")
]
StripMetadata = Annotated[
    bool,
    typer.Option(
        "--strip-metadata", help="Drop the photo's EXIF data: camera, time, place, comments."
    ),
]
Strip = Annotated[
    bool, typer.Option("--strip", help="Show original and reconstruction beside the result.")
]
Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        help="File for one picture, folder for several, as <name>.png; edited JPEGs "
        "stay <name>.jpg.",
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Let the result replace the picture that is read.")
]
SheetOutput = Annotated[str, typer.Option("--output", "-o", help="Picture file to write.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
