"""Downloading artefact folders from the Hugging Face Hub, and uploading them."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from icgan_sdk.artefacts.hub_faults import check_settings, reason
from icgan_sdk.artefacts.layout import (
    ARTEFACT_FILES,
    CARD_FILE,
    PICKLE_SUFFIXES,
    WEIGHTS_FILES,
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
    check_settings()
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
        raise DownloadError(
            f"can't download {repo_id!r}: {reason(error, uncached=True)}"
        ) from error
    if not any((Path(folder) / name).is_file() for name in WEIGHTS_FILES):
        pickles = [] if local_files_only else _pickles(repo_id, revision, token)
        only = f" but {', '.join(pickles)}: pickled weights can run code" if pickles else ""
        raise ModelFormatError(f"the repository {repo_id!r} holds no weights{only}")
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
    links = [path for name in ARTEFACT_FILES if (path := folder / name).is_symlink()]
    damaged = [link for link in links if not _is_named_by_hash(link.resolve())]
    for path in (path for link in damaged for path in (link.resolve(), link)):
        with suppress(OSError):  # a read-only cache: only its owner can remove the file
            path.unlink()
    if damaged:
        names = " and ".join(link.name for link in damaged)
        raise DownloadError(
            f"can't download {repo_id!r}: {names} arrived damaged (wrong hash), removed from the "
            "cache; try again"
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
    check_settings()
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
                delete_patterns=list(ARTEFACT_FILES),  # what another model had and this one hasn't
                commit_message="Upload IcGAN model",
            )
    except Exception as error:  # as in `download`
        raise DownloadError(f"can't push to {repo_id!r}: {reason(error)}") from error
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
