"""Starting Gradio where the environment names a proxy."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLES = ("NO_PROXY", "no_proxy")


@contextmanager
def no_proxy() -> Iterator[None]:
    """Let HTTP clients that are made or used within the context ask no proxy.

    Gradio makes one when it is imported, and asks its own server as it starts: proxies can't reach
    this machine's addresses, and should not learn of them.
    """
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(dict.fromkeys(VARIABLES, "*"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
