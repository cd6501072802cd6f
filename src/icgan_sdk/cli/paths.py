"""Which files a command reads and writes."""

import glob
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import typer

from icgan_sdk.errors import ImageError

LONGEST_NAME = 255
"""Bytes of a file's name on most file systems."""

STANDARD_OUTPUT = "-"
"""What other programs write to the standard output for; a picture's format is its suffix's here."""


_TILDE = re.compile(r"(--?[\w-]*?=?|[\w.-]+=)(~.*)", re.DOTALL)


def expand_home(word: str) -> str:
    """A word of the command line with the home folder for ``~``, where the shell left that.

    Shells replace it at the beginning of a word alone, not in ``--output=~/x`` or quotes. What
    exists under that very name is meant as it is written.
    """
    found = _TILDE.fullmatch(word)
    before, path = (found[1], found[2]) if found else ("", word)
    if not path.startswith("~") or is_there(path) or is_there(word):
        return word
    return before + os.path.expanduser(path)  # noqa: PTH111 - Path's raises for unknown users


def is_there(name: str) -> bool:
    """Whether a file or folder of that name exists; none has a name that is too long."""
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def looks_like_option(words: Iterable[str], message: str) -> str:
    """The file among the words that was taken for an option, as a message says; "" if none."""
    names = (word for word in words if word.startswith("-") and Path(word).suffix)
    return next((n for n in names if "No such option" in message and is_there(n)), "")


def expand(patterns: Iterable[str]) -> list[Path]:
    """Paths unchanged; folders and patterns replaced by their pictures and matches, sorted.

    Raises:
        ImageError: If a pattern matches nothing, or a folder holds no pictures.
    """
    found: list[Path] = []
    for pattern in patterns:
        if is_there(pattern) and Path(pattern).is_dir():
            found += _pictures_in(Path(pattern))
            continue
        if not glob.has_magic(pattern) or is_there(pattern):
            found.append(Path(pattern))
            continue
        matches = sorted(path for path in _matches(pattern) if path.is_file())
        if not matches:
            hint = "; a [ that is meant is written [[]" if "[" in pattern else ""
            raise ImageError(f"no files match {pattern!r}{hint}")
        found += matches
    return list(dict.fromkeys(found))


def _matches(pattern: str) -> Iterator[Path]:
    """What matches a pattern, below the longest beginning that is a folder of that very name.

    Links to folders are not followed by ``**``, which could lead back. Hidden names match only
    patterns that say so.
    """
    parts = Path(pattern).parts
    for length in reversed(range(len(parts))):
        folder, rest = Path(*parts[:length]), parts[length:]
        if not is_there(str(folder)) or not folder.is_dir():
            continue
        hidden = any(part.startswith(".") for part in rest)
        for path in folder.glob("/".join(rest)):
            names = path.relative_to(folder).parts
            if hidden or not any(name.startswith(".") for name in names):
                yield path
        return


def _pictures_in(folder: Path) -> list[Path]:
    from icgan_sdk.pictures.formats import picture_suffixes

    known = picture_suffixes()
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in known and p.is_file())
    if not found:
        raise ImageError(
            f"{folder} is a folder without pictures; those in folders within are '{folder}/*/*.jpg'"
        )
    return found


def means_folder(output: str) -> bool:
    """Whether an output is a folder: it exists as one, ends with a separator or has no suffix."""
    return output.endswith(("/", os.sep)) or Path(output).is_dir() or not Path(output).suffix


def name_outputs(inputs: Sequence[Path], output: str, keep: Collection[str] = ()) -> list[Path]:
    """One file to write for each input: `output` itself, or ``<stem>.png`` in that folder.

    Suffixes in `keep` stay what they are.

    If stems are equal, the names of the inputs' folders are put before them, as many as tell them
    apart, then their suffixes after them, so that a second run writes the same files.
    No input is overwritten by the output of another.

    Raises:
        typer.BadParameter: If several inputs should go to one file, or the output is empty or
            can't be a picture.
    """
    if output in ("", STANDARD_OUTPUT):
        raise typer.BadParameter("name a file or a folder", param_hint="'--output'")
    if not means_folder(output):
        if len(inputs) > 1:
            raise typer.BadParameter(
                f"{len(inputs)} pictures need a folder, not the file {output}; a folder of that "
                f"name is written {output}/",
                param_hint="'--output'",
            )
        check_output(output, or_folder=True)
        return [Path(output)]
    taken = {_key(path) for path in inputs}
    named = []
    for path, stem in zip(inputs, _telling_apart(inputs), strict=True):
        suffix = path.suffix if path.suffix.lower() in keep else ".png"
        target = _free(Path(output), stem, suffix, taken)
        taken.add(_key(target))
        named.append(target)
    return named


def _telling_apart(inputs: Sequence[Path]) -> list[str]:
    """For each input its stem, with as much of its path as it takes to be its alone.

    First names of folders are put before it, then its suffix after it.
    """
    folders = [path.absolute().parts[1:-1] for path in inputs]
    stems = [path.stem for path in inputs]
    for depth in range(1, max(map(len, folders), default=0) + 1):
        shared = _shared(stems)
        if not shared:
            return stems
        longer = [
            "_".join((*parts[-depth:], path.stem)) if at in shared else stem
            for at, (path, parts, stem) in enumerate(zip(inputs, folders, stems, strict=True))
        ]
        if depth > 1 and len(_shared(longer)) == len(shared):
            break  # they lie in one folder
        stems = longer
    shared = _shared(stems)
    return [
        f"{stem}_{path.suffix[1:]}" if at in shared else stem
        for at, (path, stem) in enumerate(zip(inputs, stems, strict=True))
    ]


def _shared(stems: Sequence[str]) -> set[int]:
    """The places of names that stand there more than once, whatever their capitals."""
    count = Counter(stem.casefold() for stem in stems)
    return {at for at, stem in enumerate(stems) if count[stem.casefold()] > 1}


def check_output(
    output: str, inputs: Iterable[Path | str] = (), *, or_folder: bool = False
) -> None:
    """Check before the work that one picture file can be written for all inputs.

    Args:
        output: The file.
        inputs: What is read.
        or_folder: Whether a folder would do too.

    Raises:
        typer.BadParameter: If it is a folder or one of the inputs, lies in no folder, or no picture
            format has its suffix.
    """
    from icgan_sdk.pictures.saving import check_suffix

    path, hint = Path(output), "'--output'"
    if output == STANDARD_OUTPUT:
        raise typer.BadParameter("name a file", param_hint=hint)
    if path.is_dir() or output.endswith(("/", os.sep)):
        raise typer.BadParameter(
            f"{output} is a folder: name a file, as {path / 'out.png'}", param_hint=hint
        )
    if any(parent.exists() and not parent.is_dir() for parent in path.parents):
        raise typer.BadParameter(f"{path.parent} is no folder", param_hint=hint)
    try:
        check_suffix(path)
    except ImageError as error:
        advice = f"; a folder of that name is written {output}/" if or_folder else ""
        raise typer.BadParameter(f"{error}{advice}", param_hint=hint) from error
    spare_inputs(inputs, output)


def spare_inputs(
    inputs: Iterable[Path | str], output: Path | str, advice: str = "name another file"
) -> None:
    """Refuse to write over a picture that is read.

    Args:
        inputs: What is read.
        output: What is written.
        advice: What can be done instead.

    Raises:
        typer.BadParameter: If the output is one of the inputs.
    """
    if any(_key(Path(path)) == _key(Path(output)) for path in inputs):
        raise typer.BadParameter(
            f"{output} is the picture that is read: {advice}", param_hint="'--output'"
        )


def _free(folder: Path, stem: str, suffix: str, taken: set[str]) -> Path:
    stem = _fitting(stem, suffix)
    target, number = folder / f"{stem}{suffix}", 1
    # The user didn't choose a numbered name, so it must not replace an existing file.
    while _key(target) in taken or (number > 1 and target.exists()):
        number += 1
        target = folder / f"{stem}_{number}{suffix}"
    return target


def _fitting(stem: str, suffix: str) -> str:
    """A name's beginning, as long as file systems allow with a suffix and a number."""
    encoded = os.fsencode(stem)
    room = LONGEST_NAME - len(suffix) - len("_9999")
    return stem if len(encoded) <= room else encoded[:room].decode(errors="ignore")


def _key(path: Path) -> str:
    # Some file systems ignore case.
    return str(path.resolve()).casefold()
