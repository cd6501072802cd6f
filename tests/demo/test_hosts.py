"""Addresses to listen on, and the names a page answers to."""

import socket

import pytest

from icgan_sdk.demo.hosts import Names, Place, find_place
from icgan_sdk.errors import ConfigError


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True


ipv6 = pytest.mark.skipif(not has_ipv6(), reason="needs IPv6 on loopback")


@pytest.mark.parametrize("host", ["::1", "[::1]", "0:0:0:0:0:0:0:1", " ::1 "])
@ipv6
def test_every_spelling_of_an_ipv6_address(host: str) -> None:
    place = find_place(host, None)
    assert place.host == "::1"
    assert place.is_local
    assert place.url == f"http://[::1]:{place.port}/"


@pytest.mark.parametrize(
    ("host", "shown", "local"),
    [
        ("0.0.0.0", "localhost", False),
        pytest.param("::", "[::1]", False, marks=ipv6),
        pytest.param("[::]", "[::1]", False, marks=ipv6),
        ("::ffff:127.0.0.1", "127.0.0.1", True),
        ("localhost", "localhost", True),
        ("127.0.0.3", "127.0.0.3", True),
    ],
)
def test_what_a_browser_opens(host: str, shown: str, local: bool) -> None:
    place = find_place(host, None)
    assert place.url == f"http://{shown}:{place.port}/"
    assert place.is_local is local


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("http://127.0.0.1/", "give a name or an address alone"),
        ("127.0.0.1:8000", "give a name or an address alone"),
        ("[::1]:8000", "give a name or an address alone"),
        ("", "give a name or an address alone"),
        ("192.0.2.1", "can't listen on 192.0.2.1, port any from 7860: "),
        ("2001:db8::1", "can't listen on 2001:db8::1, port any from 7860: "),
    ],
)
def test_what_is_no_address_of_this_machine(host: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        find_place(host, None)
    assert message in str(raised.value)


@ipv6
def test_a_port_that_is_taken_by_ipv6_alone() -> None:
    with socket.socket(socket.AF_INET6) as other:
        other.bind(("::1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"can't listen on ::1, port {port}: "):
            find_place("::1", port)
        assert find_place("127.0.0.1", port).port == port


HERE = Names(Place("127.0.0.1", 7860, True))
ALLOWED = Names(Place("127.0.0.1", 7860, True), ["demo.example.org", "https://*.example.net:8443/"])
OPEN = Names(Place("0.0.0.0", 7860, False))
CHOSEN = Names(Place("0.0.0.0", 7860, False), ["demo.example.org"])
FACES = Names(Place("127.0.0.1", 7860, True), (), "https://demo.example.org/faces")


@pytest.mark.parametrize(
    ("names", "host", "answers"),
    [
        (HERE, "127.0.0.1:7860", True),
        (HERE, "localhost", True),
        (HERE, "LOCALHOST.:8000", True),
        (HERE, "faces.localhost:7860", True),
        (HERE, "[::1]:7860", True),
        (HERE, "192.168.1.7:80", True),  # an address can't be made to point here
        (HERE, "evil.example", False),
        (HERE, "127.0.0.1.evil.example:7860", False),
        (HERE, "localhost.evil.example", False),
        (HERE, "127.0.0.1@evil.example", False),
        (HERE, "", False),
        (HERE, "[::1", False),
        (ALLOWED, "demo.example.org", True),
        (ALLOWED, "Demo.Example.Org:443", True),
        (ALLOWED, "a.example.net", True),
        (ALLOWED, "example.com", False),
        (OPEN, "anything.example", True),
        (CHOSEN, "demo.example.org:7860", True),
        (CHOSEN, "anything.example", False),
        (FACES, "demo.example.org", True),
        (Names(Place("myname", 7860, False), ["x"]), "myname:7860", True),
    ],
)
def test_names_that_are_answered_to(names: Names, host: str, answers: bool) -> None:
    assert names.answers_to(host) is answers


@pytest.mark.parametrize(
    ("names", "origin", "headers", "own"),
    [
        (HERE, "http://127.0.0.1:7860", {"host": "127.0.0.1:7860"}, True),
        (HERE, "http://localhost:3000", {"host": "127.0.0.1:7860"}, True),
        (HERE, "http://evil.example", {"host": "127.0.0.1:7860"}, False),
        (HERE, "http://203.0.113.9", {"host": "127.0.0.1:7860"}, False),
        (HERE, "null", {"host": "127.0.0.1:7860"}, False),
        (HERE, "file://localhost", {"host": "127.0.0.1:7860"}, False),
        (HERE, "http://[::1", {"host": "127.0.0.1:7860"}, False),
        (ALLOWED, "https://demo.example.org", {"host": "127.0.0.1:7860"}, True),
        (OPEN, "http://nas.local:7860", {"host": "nas.local:7860"}, True),
        (OPEN, "http://evil.example", {"host": "nas.local:7860"}, False),
        (OPEN, "https://a.org", {"host": "b:7860", "x-forwarded-host": "a.org, b"}, True),
        (FACES, "https://demo.example.org", {"host": "127.0.0.1:7860"}, True),
    ],
)
def test_pages_that_may_ask(names: Names, origin: str, headers: dict[str, str], own: bool) -> None:
    assert names.comes_from_here(origin, headers) is own
