"""Without the extra, the error says which command installs it; with a broken one, what is wrong."""

import os
import sys
from pathlib import Path

import pytest

from icgan_sdk.demo import serve
from icgan_sdk.demo.environment import CERTIFICATES, only_this_machine
from icgan_sdk.errors import ConfigError


def test_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    needed = r"the demo needs Gradio: pip install 'icgan-sdk\[demo\]'"
    with pytest.raises(ConfigError, match=needed), serve(["mnist"]):
        pass


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise ImportError('socks is missing')", "socks is missing"),
        ("import no_such_package", "No module named 'no_such_package'"),
        ("raise OSError('libgomp.so.1: cannot open')", "libgomp.so.1: cannot open"),
        ("int('abc')", "invalid literal for int"),
    ],
)
def test_a_gradio_that_cannot_be_imported_is_not_called_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, reason: str
) -> None:
    (tmp_path / "gradio.py").write_text(code)
    monkeypatch.delitem(sys.modules, "gradio", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    expected = f"gradio is installed, but can't be loaded: {reason}"
    with pytest.raises(ConfigError, match=expected), serve(["mnist"]):
        pass


def test_the_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "example.org")
    monkeypatch.delenv("NO_PROXY", raising=False)
    for name in CERTIFICATES:
        monkeypatch.setenv(name, "/nowhere.pem")
    before = dict(os.environ)
    with only_this_machine():
        assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == "*"
        assert not set(CERTIFICATES) & set(os.environ)
    assert dict(os.environ) == before
