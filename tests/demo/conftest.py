"""A page of two tiny models, and a browser: both started once for all tests."""

import asyncio
import gc
import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from selenium import webdriver

from icgan_sdk import IcGAN
from icgan_sdk.artefacts.store import save_artefact
from icgan_sdk.config import ModelConfig
from tests.conftest import tiny_networks
from tests.demo.browsing import CHROMIUM, DRIVER, start_browser

pytest.importorskip("gradio", reason="needs Gradio: pip install 'icgan-sdk[demo]'")


PANDAS_WARNINGS = [
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting'"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
"""What Gradio's statistics of its queue do with newer releases of pandas."""


@contextmanager
def building() -> Iterator[None]:
    """Gradio leaves event loops open where it builds or closes a page; they fail no test here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        asyncio.set_event_loop(None)
        gc.collect()


@pytest.fixture(scope="session")
def model_names(
    tiny_config: ModelConfig, digits_config: ModelConfig, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """Folders of a model with groups and sliders, and of one of classes."""
    root = tmp_path_factory.mktemp("models")
    for name, config in (("tiny", tiny_config), ("digits", digits_config)):
        save_artefact(tiny_networks(config), root / name, card=f"# The card of {name}\n")
    return [str(root / "tiny"), str(root / "digits")]


@pytest.fixture(scope="session")
def tiny(model_names: list[str]) -> IcGAN:
    return IcGAN.from_pretrained(model_names[0], device="cpu")


@pytest.fixture(scope="session")
def address(model_names: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from icgan_sdk.demo import serve

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        page = ExitStack()
        with building():
            url = page.enter_context(serve(model_names, device="cpu"))
        yield url
        with building():
            page.close()


@pytest.fixture(scope="session")
def upload_folder(address: str) -> Path:
    return Path(os.environ["GRADIO_TEMP_DIR"])


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("needs chromium and chromium-driver")
    browser = start_browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.quit()
