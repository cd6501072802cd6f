"""Artefact folders from and to the Hugging Face Hub."""

import os
from pathlib import Path

from icgan_sdk.artefacts.layout import ARTEFACT_FILES
from icgan_sdk.errors import DownloadError


def download(
    repo_id: str,
    *,
    revision: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    token: str | None = None,
    local_files_only: bool = False,
) -> Path:
    """Fetch the artefact's files of a repository, or find them in the cache.

    Returns:
        The folder in the Hub's cache.

    Raises:
        DownloadError: If there is no such repository or revision, access is refused, or the Hub
            can't be reached and the cache doesn't hold it.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            repo_id,
            revision=revision,
            cache_dir=None if cache_dir is None else Path(cache_dir),
            token=token,
            local_files_only=local_files_only,
            allow_patterns=list(ARTEFACT_FILES),
        )
    # The library's errors have no common base, nor has its HTTP client's over the versions.
    except Exception as error:
        raise DownloadError(f"can't download {repo_id!r}: {_reason(error)}") from error
    return Path(folder)


def upload(
    folder: str | os.PathLike[str],
    repo_id: str,
    *,
    private: bool = False,
    token: str | None = None,
    revision: str | None = None,
) -> str:
    """Push an artefact folder's files, creating the repository and branch where needed.

    Returns:
        The commit's address.

    Raises:
        DownloadError: If the Hub refuses or can't be reached.
    """
    from huggingface_hub import HfApi

    api = HfApi(token=token)
    try:
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
    except Exception as error:  # for the same reason as above
        raise DownloadError(f"can't push to {repo_id!r}: {_reason(error)}") from error
    return str(commit.commit_url)


def _reason(error: Exception) -> str:
    """What went wrong and what to do, in one line."""
    from huggingface_hub import errors

    # From the special to the general: a gated repository counts as one not found, for instance.
    reasons: tuple[tuple[type[Exception], str], ...] = (
        (errors.GatedRepoError, "access is gated; ask for it on its page, then give a token"),
        (
            errors.RepositoryNotFoundError,
            "no such repository (nor a folder here), or it is private; check the name, or give a "
            "token with access",
        ),
        (errors.RevisionNotFoundError, "the repository has no such revision"),
        (
            errors.EntryNotFoundError,
            "the Hub can't be reached or must not be, and it is not cached",
        ),
        (errors.OfflineModeIsEnabled, "HF_HUB_OFFLINE forbids using the network"),
        (errors.LocalTokenNotFoundError, "no access token; run 'hf auth login' or give one"),
        (errors.HFValidationError, "not a valid repository name; it looks like 'org/name'"),
    )
    for kind, reason in reasons:
        if isinstance(error, kind):
            return reason
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
