"""Downloading artefact folders from the Hugging Face Hub, and uploading them."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from icgan_sdk.artefacts.layout import (
    ARTEFACT_FILES,
    CARD_FILE,
    PICKLE_SUFFIXES,
    WEIGHTS_FILE,
)
from icgan_sdk.errors import DownloadError, ModelFormatError
from icgan_sdk.files import sha256

if TYPE_CHECKING:
    import httpx2

_SHA1, _SHA256 = re.compile("[0-9a-f]{40}"), re.compile("[0-9a-f]{64}")

UPLOAD_TIMEOUT = 300.0
"""Seconds that the Hub may take to answer during an upload."""


def download(
    repo_id: str,
    *,
    revision: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    token: str | None = None,
    local_files_only: bool = False,
) -> Path:
    """Download the artefact's files of a repository, or find them in the cache.

    No other files of the repository are downloaded. Each file must have the hash that the Hub
    states; huggingface_hub itself compares only sizes.

    Returns:
        The folder in the Hub's cache.

    Raises:
        DownloadError: If there is no such repository or revision, access is refused, the Hub
            can't be reached and the cache doesn't hold it, or a file arrived damaged.
        ModelFormatError: If the repository holds no weights, or only pickled ones.
    """
    from huggingface_hub import constants, snapshot_download

    try:
        with _time_limit(constants.HF_HUB_DOWNLOAD_TIMEOUT):
            folder = snapshot_download(
                repo_id,
                revision=revision,
                cache_dir=None if cache_dir is None else Path(cache_dir),
                token=token,
                local_files_only=local_files_only,
                allow_patterns=list(ARTEFACT_FILES),
            )
    # huggingface_hub's errors have no common base class, nor have those of its HTTP client.
    except Exception as error:
        raise DownloadError(f"can't download {repo_id!r}: {_reason(error)}") from error
    if not (Path(folder) / WEIGHTS_FILE).is_file():
        pickles = [] if local_files_only else _pickles(repo_id, revision, token)
        only = f", only {', '.join(pickles)}: pickled weights can run code" if pickles else ""
        raise ModelFormatError(f"the repository {repo_id!r} holds no {WEIGHTS_FILE}{only}")
    _check_hashes(repo_id, Path(folder))
    return Path(folder)


def _pickles(repo_id: str, revision: str | None, token: str | None) -> list[str]:
    from huggingface_hub import HfApi

    try:
        names = HfApi(token=token).list_repo_files(repo_id, revision=revision)
    except Exception:  # the error that follows is clear without them
        return []
    return sorted(name for name in names if Path(name).suffix.lower() in PICKLE_SUFFIXES)


def _check_hashes(repo_id: str, folder: Path) -> None:
    """Compare each file's hash with its name in the cache.

    That name is the SHA-256 of a large file, git's SHA-1 of a small one. On file systems without
    links the cache doesn't use such names, and nothing is checked.
    """
    for link in (folder / name for name in ARTEFACT_FILES):
        if link.is_symlink() and not _is_named_by_hash(file := link.resolve()):
            for damaged in (file, link):
                with suppress(OSError):  # a read-only cache: only its owner can remove the file
                    damaged.unlink()
            raise DownloadError(
                f"can't download {repo_id!r}: {link.name} arrived damaged (its hash is wrong) and "
                "was removed from the cache; try again"
            )


def _is_named_by_hash(file: Path) -> bool:
    if _SHA256.fullmatch(file.name):
        return sha256(file) == file.name
    if _SHA1.fullmatch(file.name):
        return _git_hash(file) == file.name
    return True


def _git_hash(file: Path) -> str:
    """The SHA-1 by which git names a file's content."""
    start = b"blob %d\0" % file.stat().st_size
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.sha1(start, usedforsecurity=False))
    return digest.hexdigest()


def upload(
    folder: str | os.PathLike[str],
    repo_id: str,
    *,
    private: bool = False,
    token: str | None = None,
    revision: str | None = None,
) -> str:
    """Push an artefact folder's files, creating the repository and branch where needed.

    All files go into one commit, so that nobody can download half of them.

    Returns:
        The commit's address.

    Raises:
        DownloadError: If the card's metadata are not valid, or the Hub refuses or can't be reached.
    """
    from huggingface_hub import HfApi, ModelCard

    api = HfApi(token=token)
    try:
        ModelCard((Path(folder) / CARD_FILE).read_text(encoding="utf-8"))
        with _time_limit(UPLOAD_TIMEOUT):
            api.create_repo(repo_id, private=private, exist_ok=True)
            if revision is not None:
                api.create_branch(repo_id, branch=revision, exist_ok=True)
            commit = api.upload_folder(
                repo_id=repo_id,
                folder_path=Path(folder),
                revision=revision,
                allow_patterns=list(ARTEFACT_FILES),
                commit_message="Upload IcGAN model",
            )
    except Exception as error:  # as in `download`
        raise DownloadError(f"can't push to {repo_id!r}: {_reason(error)}") from error
    return str(commit.commit_url)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Let requests that have no timeout fail after some seconds without an answer.

    huggingface_hub sets a timeout only for files. Its other requests would wait for ever.
    """
    from huggingface_hub import get_session

    def limit(request: "httpx2.Request") -> None:
        own = request.extensions.get("timeout", {})
        request.extensions["timeout"] = {
            name: seconds if own.get(name) is None else own[name]
            for name in ("connect", "read", "write", "pool")
        }

    session = get_session()
    hooks = session.event_hooks
    session.event_hooks = {**hooks, "request": [*hooks["request"], limit]}
    try:
        yield
    finally:
        session.event_hooks = hooks


def _reason(error: Exception) -> str:
    """What went wrong and what to do, in one line."""
    from huggingface_hub import errors

    # Subclasses first: GatedRepoError, for instance, is also a RepositoryNotFoundError.
    reasons: tuple[tuple[type[Exception], str], ...] = (
        (errors.GatedRepoError, "access is gated; ask for it on its page, then give a token"),
        (
            errors.RepositoryNotFoundError,
            "no such repository (nor a folder here), or it is private; check the name, or give a "
            "token with access",
        ),
        (errors.RevisionNotFoundError, "the repository has no such revision"),
        (errors.OfflineModeIsEnabled, "HF_HUB_OFFLINE forbids using the network"),
        (errors.LocalTokenNotFoundError, "no access token; run 'hf auth login' or give one"),
        (errors.HFValidationError, "not a valid repository name; it looks like 'org/name'"),
    )
    for kind, reason in reasons:
        if isinstance(error, kind):
            return reason
    causes = list(_causes(error))
    for cause in causes:
        if (answer := getattr(cause, "response", None)) is not None:
            return _status_reason(int(answer.status_code))
    for cause in causes:
        if "Timeout" in type(cause).__name__:
            return "the Hub doesn't answer in time; try again (HF_HUB_DOWNLOAD_TIMEOUT is longer)"
    if any(type(cause).__name__ == "ConnectError" for cause in causes):
        return "the Hub can't be reached, and it is not cached"
    forbidden = len(causes) == 1 or isinstance(causes[-1], errors.OfflineModeIsEnabled)
    if isinstance(error, errors.EntryNotFoundError) and forbidden:
        return "the network must not be used, and it is not cached"
    first = causes[-1]
    lines = str(first).strip().splitlines()
    return f"{type(first).__name__}: {lines[0]}" if lines else type(first).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and the chain of its causes."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__


def _status_reason(status: int) -> str:
    reasons = {
        401: "the Hub doesn't accept the access token; run 'hf auth login' or give another",
        403: "the access token doesn't allow it; give one with the permission",
        429: "the Hub gets too many requests from here; wait a few minutes, or give a token",
    }
    if status >= 500:
        return f"the Hub is out of order (status {status}), and it is not cached; try again later"
    return reasons.get(status, f"the Hub answers with status {status}")
