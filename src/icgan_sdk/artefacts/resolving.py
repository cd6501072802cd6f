"""Finding a model's folder by the name or path that the user gives."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from icgan_sdk.artefacts.hub_address import is_plain, one_revision, read_address
from icgan_sdk.artefacts.layout import ARTEFACT_FOLDER, CONFIG_FILE, RUN_CONFIG_FILE
from icgan_sdk.bundled import BUNDLED_ROOT
from icgan_sdk.errors import ConfigError, ModelNotFoundError, closest

Source = Literal["auto", "hub"]


class Published(NamedTuple):
    """Where on the Hub a bundled model is published.

    Attributes:
        repository: ``org/name``.
        revision: The tag of exactly the bundled weights: ``weights-`` and the first twelve
            digits of `icgan_sdk.artefacts.layout.weights_digest`.
    """

    repository: str
    revision: str


PUBLISHED: Mapping[str, Published] = {
    "celeba": Published("icgan-sdk/celeba", "weights-cf0d1ea5820f"),
    "mnist": Published("icgan-sdk/mnist", "weights-4e60168c3c1d"),
}
"""Where on the Hub each bundled model is published."""


def bundled_names() -> tuple[str, ...]:
    """Names of the bundled models."""
    return tuple(sorted(path.parent.name for path in BUNDLED_ROOT.glob(f"*/{CONFIG_FILE}")))


def resolve(
    name_or_path: str | os.PathLike[str],
    *,
    source: Source = "auto",
    revision: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    token: str | None = None,
    local_files_only: bool = False,
) -> Path:
    """Find a model's folder, downloading it if it lies on the Hub.

    A `Path` always means a folder. A string means a bundled model if there is one of that name,
    else an existing folder or a Hub repository ``org/name``. A string that could mean either is
    refused, so that a folder never hides a repository, or the other way round. A revision or
    ``source="hub"`` asks for the Hub: a bundled name then stands for the repository in which that
    model is published. The folder of a training run stands for the model that it made.

    Args:
        name_or_path: ``"mnist"``, ``"org/name"``, ``Path("my/model")`` or ``"./my/model"``. The
            Hub's own spellings are understood too: ``"org/name@v1"``, ``"hf://org/name"``,
            ``"https://huggingface.co/org/name/tree/v1"``.
        source: "hub" takes the model from the Hub, whatever folders there are here.
        revision: Branch, tag or commit on the Hub; by default the main branch, for a bundled name
            the tag of the bundled weights.
        cache_dir: Where downloads are kept; by default the Hub's cache.
        token: Access token for private repositories; by default the one of ``hf auth login``.
        local_files_only: Use only what is in the cache already.

    Raises:
        ConfigError: If a folder is given a revision, or the source is unknown.
        ModelNotFoundError: If nothing has that name, it is no name at all, a string of the form
            ``org/name`` is a folder here too, or a run isn't complete.
        ModelFormatError: If the repository holds no weights, or only pickled ones.
        DownloadError: If the Hub's repository can't be fetched.
    """
    if source not in ("auto", "hub"):
        raise ConfigError(f"source must be 'auto' or 'hub', not {source!r}")
    from_hub = source == "hub" or revision is not None
    if not isinstance(name_or_path, str | os.PathLike):
        raise ModelNotFoundError(f"a model is a name or a folder, not {name_or_path!r}")
    if not isinstance(name_or_path, str):
        if from_hub:
            raise ConfigError(f"{name_or_path} is a folder: it has no revisions and no Hub")
        return _model_of(Path(name_or_path))
    if name_or_path in bundled_names() and not from_hub:
        return BUNDLED_ROOT / name_or_path
    if not from_hub and (folder := _folder(name_or_path)) is not None:
        return _model_of(folder)
    if (published := PUBLISHED.get(name_or_path)) is not None:
        repository, revision = published.repository, revision or published.revision
    elif (found := read_address(name_or_path)) is not None:
        repository, revision = found.name, one_revision(found, revision)
    else:
        raise _unknown(name_or_path, from_hub)
    from icgan_sdk.artefacts.hub import download

    return download(
        repository,
        revision=revision,
        cache_dir=cache_dir,
        token=token,
        local_files_only=local_files_only,
    )


def _model_of(folder: Path) -> Path:
    """The folder itself, or the model in the folder of a finished training run."""
    if (folder / CONFIG_FILE).exists() or not (folder / RUN_CONFIG_FILE).is_file():
        return folder
    if not (folder / ARTEFACT_FOLDER).is_dir():
        raise ModelNotFoundError(
            f"{folder} is a run that isn't complete: finish it with `icgan train --resume --out "
            f"{folder}`"
        )
    return folder / ARTEFACT_FOLDER


def _folder(name: str) -> Path | None:
    if name.startswith("~") and not Path(name).exists():
        name = os.path.expanduser(name)  # noqa: PTH111 - Path's raises where there is no such home
    if not name or not Path(name).is_dir():
        return None
    if is_plain(name):
        raise ModelNotFoundError(
            f"{name!r} is a folder here and may be a Hub repository too: write './{name}' or "
            f"Path({name!r}) for the folder, source='hub' or a revision for the repository"
        )
    return Path(name)


def _unknown(name: str, from_hub: bool) -> ModelNotFoundError:
    bundled = f"bundled models: {', '.join(bundled_names()) or 'none'}"
    if from_hub:
        return ModelNotFoundError(
            f"no repository {name!r} on the Hub: write 'org/name' ({bundled})"
        )
    if "/" in name or os.sep in name:
        return ModelNotFoundError(f"no such model folder: {name}")
    near = closest(name, bundled_names())
    meant = f": did you mean {near!r}?" if near else ""
    return ModelNotFoundError(
        f"no model named {name!r}{meant} ({bundled}; or give a folder, or 'org/name' on the Hub)"
    )
