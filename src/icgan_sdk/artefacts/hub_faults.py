"""What goes wrong with the Hub, in words: its errors have no common base class."""

import os
from collections.abc import Iterator
from pathlib import Path

from icgan_sdk.errors import ConfigError

UNREACHABLE, OUT_OF_ORDER = "the Hub can't be reached", "the Hub is out of order"

BAD_ADDRESSES = {"UnsupportedProtocol", "InvalidURL", "LocalProtocolError"}
"""Errors of the HTTP client about the Hub's address."""

CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Environment variables that name certificates to trust."""


def check_settings() -> None:
    """Raise ConfigError if huggingface_hub can't read its environment variables."""
    try:
        import huggingface_hub.constants  # noqa: F401
    except ValueError as error:
        numbers = (n for n in sorted(os.environ) if n.startswith("HF_") and n.endswith("TIMEOUT"))
        named = ", ".join(f"{name}={os.environ[name]!r}" for name in numbers) or "HF_…"
        raise ConfigError(
            f"an environment variable of the Hub is not a number ({error}): look at {named}"
        ) from error


def _missing_certificates() -> str | None:
    named = (name for name in CERTIFICATES if os.environ.get(name))
    return next((name for name in named if not Path(os.environ[name]).exists()), None)


def reason(error: Exception, *, uncached: bool = False) -> str:
    """What went wrong and what to do, in one line.

    Args:
        error: What huggingface_hub raised.
        uncached: Whether the cache could have held what was asked for.
    """
    text = _reason(error)
    unreachable = text.startswith((UNREACHABLE, OUT_OF_ORDER))
    return f"{text}, and it is not cached" if uncached and unreachable else text


def _reason(error: Exception) -> str:
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
    known = next((text for kind, text in reasons if isinstance(error, kind)), "")
    causes = list(_causes(error))
    if found := known or _http_reason(causes):
        return found
    forbidden = len(causes) == 1 or isinstance(causes[-1], errors.OfflineModeIsEnabled)
    if isinstance(error, errors.EntryNotFoundError) and forbidden:
        return "the network must not be used, and it is not cached"
    first = causes[-1]
    lines = str(first).strip().splitlines()
    return f"{type(first).__name__}: {lines[0]}" if lines else type(first).__name__


def _http_reason(causes: list[BaseException]) -> str:
    """What the HTTP client met; empty if it met nothing known."""
    answers = (getattr(cause, "response", None) for cause in causes)
    if (answer := next((a for a in answers if a is not None), None)) is not None:
        return _status_reason(int(answer.status_code))
    names = {type(cause).__name__ for cause in causes}
    missing, address = _missing_certificates(), os.environ.get("HF_ENDPOINT")
    if missing is not None and isinstance(causes[-1], OSError):
        reason = f"{missing} names certificates that aren't there: {os.environ[missing]}"
    elif any("Timeout" in name for name in names):
        reason = "the Hub doesn't answer in time; try again (HF_HUB_DOWNLOAD_TIMEOUT is longer)"
    elif "ConnectError" in names:
        reason = UNREACHABLE
    elif names & BAD_ADDRESSES:
        reason = f"HF_ENDPOINT is no address: {address!r}; write 'https://…'"
    else:
        reason = ""
    return reason


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
        return f"{OUT_OF_ORDER} (status {status}; try again later)"
    return reasons.get(status, f"the Hub answers with status {status}")
