"""Fetching MNIST from a server on this machine, and every way it can fail."""

import socket
import sys
import threading
from collections.abc import Iterator
from functools import partial
from hashlib import md5
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from torchvision import datasets

from icgan_sdk.data import download, download_celeba, download_mnist, prepare_mnist
from icgan_sdk.errors import DownloadError, SaveError
from tests.data.conftest import MakeCelebA


class QuietHandler(SimpleHTTPRequestHandler):
    """A file server that doesn't log."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address and folder of a file server."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/", folder
        http.shutdown()
        thread.join()


@pytest.fixture
def dead_address() -> str:
    """An address where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


def test_fetches_mnist_once(
    server: tuple[str, Path], shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = server
    for path in (shared / "data/mnist").glob("*.gz"):
        (folder / path.name).symlink_to(path.resolve())
    monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
    # The same data, but compressed anew, so with checksums of its own.
    checksums = [(path.name, md5(path.read_bytes()).hexdigest()) for path in folder.iterdir()]
    monkeypatch.setattr(datasets.MNIST, "resources", checksums)
    target = tmp_path / "new" / "mnist"
    download_mnist(target)
    assert [path.name for path in target.iterdir()] == ["MNIST"]
    assert prepare_mnist(target, tmp_path / "prepared").written == 70_000
    assert socket.getdefaulttimeout() is None
    monkeypatch.setattr(datasets.MNIST, "mirrors", [])
    download_mnist(target)  # there is nothing left to fetch


def test_nobody_answers(dead_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.MNIST, "mirrors", [dead_address])
    with pytest.raises(DownloadError) as caught:
        download_mnist(tmp_path / "mnist")
    message = str(caught.value)
    for part in ("train-images-idx3-ubyte.gz", "yann.lecun.com", f"put them into {tmp_path}"):
        assert part in message
    assert not list(tmp_path.iterdir())


def test_wrong_or_half_a_file(
    server: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = server
    monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
    (folder / "train-images-idx3-ubyte.gz").write_bytes(b"a login page")
    target = tmp_path / "mnist"
    target.mkdir()
    (target / "mine.txt").write_text("x")
    with pytest.raises(DownloadError, match="by hand"):
        download_mnist(target)
    assert [path.name for path in target.iterdir()] == ["mine.txt"]


def test_silence_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
        with pytest.raises(DownloadError, match="timed out"):
            download_mnist(tmp_path / "mnist")
    assert not list(tmp_path.iterdir())


def test_celeba_says_what_to_fetch_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gdown", None)  # as if not installed
    with pytest.raises(DownloadError) as caught:
        download_celeba(tmp_path / "celeba")
    message = str(caught.value)
    for part in ("gdown", "img_align_celeba.zip", "mmlab.ie.cuhk.edu.hk", str(tmp_path)):
        assert part in message
    assert not list(tmp_path.iterdir())


def test_celeba_that_is_there_is_not_fetched(make_celeba: MakeCelebA) -> None:
    download_celeba(make_celeba(zipped=True))


def test_target_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SaveError, match="can't write"):
        download_mnist(tmp_path / "file")
