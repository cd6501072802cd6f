"""Writing files and folders atomically, checking what may be replaced, hashing files."""

import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import stat
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path

from icgan_sdk.errors import IcGANError, SaveError, list_some


def _namespace() -> str:
    # Containers that share the machine's name count their processes apart.
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # no Linux
        return ""


_HERE = f"{zlib.crc32((platform.node() + _namespace()).encode()):08x}"
"""Stands for this machine in names of temporary files, as other machines count processes too."""

_TEMPORARY = re.compile(
    rf"\.(?P<stem>.+)\.{_HERE}-(?P<process>\d+)-[0-9a-f]{{8}}\.(?P<kind>tmp|old)(?P<suffix>\..+)?"
)
"""What `_temporary_name` gives."""

LONGEST_STEM = 40
"""Letters of a file's name in the name of its temporary file."""

_swept: set[tuple[int, Path]] = set()
"""Folders that a process has cleared of what others left."""

UNMOVABLE = frozenset({errno.EBUSY, errno.EXDEV})
"""What a rename onto a file or folder meets on which something is mounted."""


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it on success and removed on failure.

    A link stays one: the file that it names is written. An existing file keeps its mode. What no
    rename can replace, such as a device or a file that is mounted, is written in place.

    Raises:
        SaveError: If the file can't be written: no such folder, no permission, disk full.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(f"{path} is a folder")
        _sweep(target.parent)
        is_special = target.exists() and not target.is_file()
        temporary = _temporary_name(
            Path(tempfile.gettempdir(), target.name) if is_special else target
        )
        yield temporary
        _flush(temporary)
        _put(temporary, target)
    except IcGANError:
        raise
    except OSError as error:
        raise SaveError(f"can't write {path}: {_reason(error)}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _put(temporary: Path, target: Path) -> None:
    if target.is_file():
        temporary.chmod(stat.S_IMODE(target.stat().st_mode))
    elif target.exists():
        shutil.copyfile(temporary, target)
        return
    try:
        temporary.replace(target)
    except OSError as error:
        if error.errno not in UNMOVABLE:
            raise
        shutil.copyfile(temporary, target)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary folder beside `path` that takes its place on success.

    An existing folder is replaced as a whole. If the writing fails, it is kept. A link stays one.
    Of a folder that can't be moved, because something is mounted on it or the process works in it,
    the content is replaced.

    Raises:
        SaveError: If the folder can't be written, or `path` is a file.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_dir():
            raise NotADirectoryError(f"{path} is a file")
        _sweep(target.parent)
        stays = target.exists() and (
            target.is_mount() or target in (Path.cwd(), *Path.cwd().parents)
        )
        place = target if stays else target.parent
        temporary = _temporary_name(place / target.name)
        temporary.mkdir()
        yield temporary
        if stays:
            _replace_content(target, temporary)
        elif target.exists():
            _replace_folder(target, temporary)
        else:
            temporary.replace(target)
    except IcGANError:
        raise
    except OSError as error:
        raise SaveError(f"can't write {path}: {_reason(error)}") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _replace_folder(target: Path, new: Path) -> None:
    old = _temporary_name(target, "old")
    target.replace(old)
    try:
        new.replace(target)
    except OSError:
        old.replace(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _replace_content(folder: Path, new: Path) -> None:
    """Move what lies in a folder below `folder` up into it, in place of all else there."""
    old = Path(tempfile.mkdtemp(prefix=".old.", dir=folder))
    moved: list[Path] = []
    try:
        for path in [p for p in folder.iterdir() if p not in (old, new)]:
            path.replace(old / path.name)
        moved.extend(path.replace(folder / path.name) for path in list(new.iterdir()))
    except OSError:
        for path in moved:
            path.replace(new / path.name)
        for path in list(old.iterdir()):
            path.replace(folder / path.name)
        old.rmdir()
        raise
    shutil.rmtree(old, ignore_errors=True)


def names_in(folder: Path) -> set[str]:
    """Names of what a folder holds, if it is there; what killed processes left is removed first."""
    if not folder.is_dir():
        return set()
    _sweep(folder)
    return {path.name for path in folder.iterdir()}


def check_replaceable(
    folder: str | os.PathLike[str], ours: Iterable[str], *, marker: str, deed: str
) -> None:
    """Raise SaveError if replacing a folder would remove files of another kind than ours.

    Args:
        folder: What is to be replaced. It needn't exist.
        ours: Names of our files, or patterns like "edit*".
        marker: One of our files, without which none of the others counts as ours.
        deed: What would remove the files, like "saving a model".
    """
    folder = Path(folder)
    names = names_in(folder)
    known = tuple(ours) if marker in names else ()
    others = sorted(n for n in names if not any(fnmatchcase(n, pattern) for pattern in known))
    if others:
        raise SaveError(
            f"{folder} holds other files ({list_some(others)}), which {deed} there would remove; "
            "choose a new or empty folder"
        )


def write_text(
    path: str | os.PathLike[str], text: str, *, errors: str = "backslashreplace"
) -> None:
    """Write a UTF-8 text file atomically; file names in it needn't be valid Unicode.

    Args:
        path: The file.
        text: Its content.
        errors: How what UTF-8 can't encode is written: as an escape, for people to read, or with
            "surrogateescape" as the bytes that it had.
    """
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors=errors)


def sha256(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file's content, in hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _temporary_name(path: Path, kind: str = "tmp") -> Path:
    # Keeps the suffix, by which Pillow and others choose the format.
    token = f"{_HERE}-{os.getpid()}-{secrets.token_hex(4)}"
    return path.with_name(f".{_stem(path)}.{token}.{kind}{path.suffix}")


def _stem(path: Path) -> str:
    # Keeps only the beginning of a long name, because file systems allow 255 bytes.
    return path.stem[:LONGEST_STEM]


def _sweep(folder: Path) -> None:
    """Remove what killed processes of this machine left in a folder that is written into.

    A folder whose replacement was cut off between its two renames comes back. Looks once in the
    life of a process.
    """
    if (os.getpid(), folder) in _swept:
        return
    _swept.add((os.getpid(), folder))
    try:
        paths = list(folder.iterdir())
    except OSError:  # it can be written into, but not listed
        return
    for path in paths:
        found = _TEMPORARY.fullmatch(path.name)
        if found is None or _is_running(int(found["process"])):
            continue
        if found["kind"] == "old" and len(found["stem"]) >= LONGEST_STEM:
            continue  # of which folder isn't known
        target = folder / (found["stem"] + (found["suffix"] or ""))
        with suppress(OSError):  # another user's, or another process was faster
            if found["kind"] == "old" and not target.exists():
                path.replace(target)
            elif path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _is_running(process: int) -> bool:
    if os.name != "posix":  # elsewhere asking may end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True


def _flush(path: Path) -> None:
    # Without fsync, a crash of the machine could leave an empty file under the final name.
    # Opened for writing, because Windows flushes no file that is only open for reading.
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _reason(error: OSError) -> str:
    if isinstance(error, FileExistsError):  # in place of the parent folder
        return f"{error.filename} is a file, not a folder"
    return error.strerror or str(error)
