"""Where the page is served: the address to listen on, its port, and the names it answers to."""

import errno
import os
import re
import socket
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from icgan_sdk.errors import ConfigError

FIRST_PORT, PORTS = 7860, 100
"""Where a free port is looked for."""

WILDCARDS = {"0.0.0.0": "localhost", "::": "[::1]"}
"""Addresses that stand for all of a machine's, and what reaches them from the machine itself."""

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


class Place(NamedTuple):
    """Where a server listens.

    Attributes:
        host: A name or an address, as sockets take it.
        port: The port.
        is_local: Whether only this machine reaches it.
    """

    host: str
    port: int
    is_local: bool

    @property
    def bracketed(self) -> str:
        """The host as addresses of pages write it."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def url(self) -> str:
        """What a browser on this machine opens."""
        return f"http://{WILDCARDS.get(self.host, self.bracketed)}:{self.port}/"


def find_place(host: str, port: int | None) -> Place:
    """Where the page can be served.

    Args:
        host: A name or an address; IPv6 with or without brackets.
        port: None: the first free one from 7860.

    Raises:
        ConfigError: If the host is none, not this machine's, or the port is taken.
    """
    name = _read_host(host)
    ports = range(FIRST_PORT, FIRST_PORT + PORTS) if port is None else (port,)
    problem: OSError | OverflowError | None = None
    for candidate in ports:
        try:
            if port is None:
                _try("127.0.0.1", candidate)  # where Gradio looks, whatever the host
            return Place(name, candidate, _try(name, candidate))
        except (OSError, OverflowError) as error:
            problem = error
            if getattr(error, "errno", None) == errno.EADDRINUSE:
                continue
            break
    reason = getattr(problem, "strerror", None) or problem
    raise ConfigError(
        f"can't listen on {host}, port {port or f'any from {FIRST_PORT}'}: {reason}"
    ) from problem


def _read_host(host: str) -> str:
    bare = host.strip().removeprefix("[").removesuffix("]")
    try:
        address = ip_address(bare)
    except ValueError:
        if _NAME.fullmatch(bare):
            return bare
        raise ConfigError(
            f"can't listen on {host!r}: give a name or an address alone, such as 127.0.0.1, ::1 "
            "or 0.0.0.0, and the port for itself"
        ) from None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def _try(host: str, port: int) -> bool:
    """Whether only this machine reaches a server there; raises OSError if none can listen."""
    places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    absent: OSError | None = None
    found: list[str] = []
    for family, kind, protocol, _, place in places:
        with socket.socket(family, kind, protocol) as tried:
            if os.name == "posix":  # elsewhere it would let two servers share a port
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                tried.bind(place)
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL:
                    raise
                absent = error  # "localhost" may have an IPv6 address that the machine lacks
            else:
                found.append(str(place[0]))
    if absent is not None and not found:
        raise absent
    return all(map(_is_local, found))


class Names:
    """The names under which a page answers.

    A page that only this machine can reach must not answer to other names: whoever owns a name can
    let it point here, and a browser then takes the page for a part of that owner's site ("DNS
    rebinding"). Addresses can't be made to point elsewhere.

    Args:
        place: Where the page is served.
        others: More names, as a proxy in front of the page has them: ``demo.example.org``,
            ``*.example.org``, or the address of a page there. Without any, a page that other
            machines reach answers to all names.
        root: The page's whole address behind a proxy, where it is known.
    """

    def __init__(self, place: Place, others: Iterable[str] = (), root: str = "") -> None:
        names = [_name_of(other) or other.casefold() for other in others]
        self._any = not names and not place.is_local
        self._known = [*names, _name_of(root) or root] if "//" in root else names
        self._own = place.host.casefold()

    def answers_to(self, host: str) -> bool:
        """Whether a request's ``Host`` is the page's, or may be.

        Args:
            host: With or without a port.
        """
        name = _name_of(host)
        if name is None:
            return False
        return self._any or self._is_known(name) or _is_address(name)

    def comes_from_here(self, origin: str, headers: Mapping[str, str]) -> bool:
        """Whether a request was made by the page itself, rather than by another site's.

        Args:
            origin: The request's ``Origin``.
            headers: Its headers.
        """
        parts = _split(origin)
        name = parts and parts.hostname
        if parts is None or not name or parts.scheme not in {"http", "https"}:
            return False
        own = (headers.get("host", ""), headers.get("x-forwarded-host", "").split(",")[0].strip())
        return parts.netloc.casefold() in map(str.casefold, own) or self._is_known(name)

    def _is_known(self, name: str) -> bool:
        is_own = name == self._own and name not in WILDCARDS
        is_here = name.endswith(".localhost") or _is_local(name)
        return is_own or is_here or any(fnmatchcase(name, known) for known in self._known)


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - raises for what is none
    except ValueError:
        return None
    return parts


def _name_of(host: str) -> str | None:
    """The bare name in ``host``, ``host:port`` or the address of a page; None: there is none."""
    parts = _split(host if "//" in host else f"//{host}")
    return None if parts is None or not parts.hostname else parts.hostname.rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_local(host: str) -> bool:
    """Whether only this machine is reached by it."""
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
