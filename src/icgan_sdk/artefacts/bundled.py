"""From what a user names a model by to the folder it lies in."""

import os
import re
from importlib.resources import files
from pathlib import Path

from icgan_sdk.artefacts.layout import CONFIG_FILE
from icgan_sdk.errors import ModelNotFoundError, did_you_mean

BUNDLED_ROOT = Path(str(files("icgan_sdk") / "pretrained"))
"""Where the package keeps the models it brings along."""

_HUB_ID = re.compile(r"[A-Za-z0-9_][\w.-]*/[A-Za-z0-9_][\w.-]*", re.ASCII)


def bundled_names() -> tuple[str, ...]:
    """Names of the models that come with the package."""
    return tuple(sorted(path.parent.name for path in BUNDLED_ROOT.glob(f"*/{CONFIG_FILE}")))


def resolve(
    name_or_path: str | os.PathLike[str],
    *,
    revision: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    token: str | None = None,
    local_files_only: bool = False,
) -> Path:
    """Find a model's folder, downloading it if it lies on the Hub.

    A `Path` always means a folder. A string means a bundled model if there is one of that name,
    else an existing folder or a Hub repository ``org/name``. One that could be either is refused,
    so that no folder ever hides a repository, or the other way round.

    Args:
        name_or_path: ``"mnist"``, ``"org/name"``, ``Path("my/model")`` or ``"./my/model"``.
        revision: Branch, tag or commit on the Hub.
        cache_dir: Where downloads are kept; by default the Hub's cache.
        token: Access token for private repositories; by default the one of ``hf auth login``.
        local_files_only: Take only what is in the cache already.

    Raises:
        ModelNotFoundError: If nothing has that name, or a string of the form ``org/name`` is a
            folder here too.
        DownloadError: If the Hub's repository can't be fetched.
    """
    if not isinstance(name_or_path, str):
        return Path(name_or_path)
    name = name_or_path
    if name in bundled_names():
        return BUNDLED_ROOT / name
    is_folder, is_hub_id = bool(name) and Path(name).is_dir(), bool(_HUB_ID.fullmatch(name))
    if is_folder and is_hub_id:
        raise ModelNotFoundError(
            f"{name!r} is a folder here and may be a Hub repository too: write './{name}' or "
            f"Path({name!r}) for the folder; for the repository, work in another directory"
        )
    if is_folder:
        return Path(name)
    if is_hub_id:
        from icgan_sdk.artefacts.hub import download

        return download(
            name,
            revision=revision,
            cache_dir=cache_dir,
            token=token,
            local_files_only=local_files_only,
        )
    if "/" in name or os.sep in name:
        raise ModelNotFoundError(f"no such model folder: {name}")
    raise ModelNotFoundError(
        f"no model named {name!r}: {did_you_mean(name, bundled_names())} (bundled models: "
        f"{', '.join(bundled_names()) or 'none'}; or give a folder, or 'org/name' on the Hub)"
    )
