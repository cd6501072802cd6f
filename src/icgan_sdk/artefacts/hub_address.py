"""The ways in which people write a model on the Hub: ``org/name``, and addresses of its pages."""

import os
import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from icgan_sdk.errors import ConfigError, ModelNotFoundError

HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co", "www.hf.co")

PAGES = frozenset({"tree", "blob", "resolve", "raw", "commit", "commits"})
"""Parts of a page's address after which a revision follows."""

OTHERS = frozenset({"datasets", "spaces", "collections", "papers", "docs", "buckets"})
"""What the Hub has beside models."""

_HUB_ID = re.compile(r"[A-Za-z0-9_][\w.-]*/[A-Za-z0-9_][\w.-]*", re.ASCII)
_SSH = re.compile(r"(?:ssh://)?git@([\w.-]+)[:/](.*)", re.DOTALL)


class Repository(NamedTuple):
    """A model on the Hub.

    Attributes:
        name: ``org/name``.
        revision: Branch, tag or commit; None: not said.
    """

    name: str
    revision: str | None = None


def is_plain(text: str) -> bool:
    """Whether a text is ``org/name`` and nothing more."""
    return bool(_HUB_ID.fullmatch(text))


def read_address(text: str) -> Repository | None:
    """The model that ``org/name``, ``org/name@revision`` or an address names; None: it is none.

    Raises:
        ModelNotFoundError: If it is an address, but of no model on the Hub.
    """
    text = text.strip()
    path = _path_on_hub(text)
    if path is None:
        found = _read(text.strip("/"))
        return found if found is not None and not text.startswith(("/", ".")) else None
    parts = path.split("/")
    if parts[:2] == ["api", "models"]:
        parts = parts[2:]
    elif parts[0] == "models":
        parts = parts[1:]
    found = None if parts and parts[0] in OTHERS else _read("/".join(parts))
    if found is None:
        raise ModelNotFoundError(f"{text} is no model on the Hub: write 'org/name'")
    return found


def one_revision(found: Repository, revision: str | None) -> str | None:
    """The revision of an address or of an option.

    Raises:
        ConfigError: If both are given, and differ.
    """
    if found.revision and revision and found.revision != revision:
        raise ConfigError(
            f"{found.name} is asked for in two revisions, {found.revision} and {revision}: give one"
        )
    return revision or found.revision


def _path_on_hub(text: str) -> str | None:
    """What an address has after the Hub's name; None: the text is no address.

    Raises:
        ModelNotFoundError: If the address is another site's.
    """
    if text.casefold().startswith("hf:"):
        return text[3:].strip("/")
    if ssh := _SSH.fullmatch(text):
        host, path = ssh[1], ssh[2]
    else:
        is_address = "://" in text
        try:
            parts = urlsplit(text if is_address else f"//{text}")
            host, path = parts.hostname or "", parts.path
        except ValueError:
            host, path = "", ""
        if not is_address and host not in _hosts():
            return None
    if host.casefold() not in _hosts():
        raise ModelNotFoundError(f"{text} is no address of a model on the Hub: write 'org/name'")
    return path.strip("/").removesuffix(".git")


def _hosts() -> tuple[str, ...]:
    try:
        mirror = urlsplit(os.environ.get("HF_ENDPOINT", "")).hostname
    except ValueError:
        mirror = None
    return (*HOSTS, mirror) if mirror else HOSTS


def _read(path: str) -> Repository | None:
    """``org/name``, with ``@revision`` or a page's part after it."""
    before, at, revision = path.partition("@")
    if at:
        found = unquote(revision.rstrip("/")) or None
        return Repository(before, found) if is_plain(before) and found else None
    parts = path.split("/")
    name = "/".join(parts[:2])
    if not is_plain(name):
        return None
    if len(parts) == 2:
        return Repository(name)
    if parts[2] not in PAGES or len(parts) == 3:
        return Repository(name) if parts[2] in {*PAGES, "discussions"} else None
    is_reference = parts[3:5] == ["refs", "pr"] or parts[3:5] == ["refs", "convert"]
    return Repository(name, unquote("/".join(parts[3:6]) if is_reference else parts[3]))
