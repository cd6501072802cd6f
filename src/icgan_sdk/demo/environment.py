"""Starting Gradio whatever the environment says of the network: it asks nothing but itself."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

NO_PROXY = ("NO_PROXY", "no_proxy")

CERTIFICATES = (
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSLKEYLOGFILE",
)  # fmt: skip
"""Name files that HTTP clients open when they are made, and fail without."""


@contextmanager
def only_this_machine() -> Iterator[None]:
    """Let HTTP clients that are made or used within the context ask no proxy, nor certificates.

    Gradio makes one when it is imported, and asks its own server as it starts: proxies can't reach
    this machine's addresses, and should not learn of them.
    """
    before = {name: os.environ.get(name) for name in (*NO_PROXY, *CERTIFICATES)}
    os.environ.update(dict.fromkeys(NO_PROXY, "*"))
    for name in CERTIFICATES:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
