"""The ways in which people write a model on the Hub."""

import pytest

from icgan_sdk import IcGAN
from icgan_sdk.artefacts.hub_address import Repository, read_address
from icgan_sdk.artefacts.resolving import resolve
from icgan_sdk.errors import ConfigError, ModelNotFoundError
from tests.artefacts.test_hub import faces, hub  # noqa: F401 - fixtures
from tests.hub import Hub
from tests.hub import Repository as Stored


@pytest.mark.parametrize(
    ("text", "revision"),
    [
        ("org/name", None),
        ("org/name/", None),
        (" org/name\n", None),
        ("org/name@v1", "v1"),
        ("org/name@refs/pr/3", "refs/pr/3"),
        ("org/name/tree/v1/", "v1"),
        ("hf://org/name", None),
        ("hf://models/org/name@v1", "v1"),
        ("hf:org/name", None),
        ("https://huggingface.co/org/name", None),
        ("http://www.huggingface.co/org/name/", None),
        ("HTTPS://HuggingFace.co/org/name?library=icgan#usage", None),
        ("huggingface.co/org/name", None),
        ("hf.co/org/name/", None),
        ("https://hf.co/org/name/tree/main", "main"),
        ("https://huggingface.co/org/name/tree/v1/", "v1"),
        ("https://huggingface.co/org/name/tree/refs%2Fpr%2F1", "refs/pr/1"),
        ("https://huggingface.co/org/name/tree/refs/pr/1", "refs/pr/1"),
        ("https://huggingface.co/org/name/blob/v1/README.md", "v1"),
        ("https://huggingface.co/org/name/resolve/0f1e/model.safetensors?download=true", "0f1e"),
        ("https://huggingface.co/org/name/commit/0f1e", "0f1e"),
        ("https://huggingface.co/org/name/discussions/4", None),
        ("https://huggingface.co/org/name/tree", None),
        ("https://huggingface.co/models/org/name", None),
        ("https://huggingface.co/api/models/org/name", None),
        ("https://huggingface.co/org/name.git", None),
        ("git@hf.co:org/name.git", None),
        ("ssh://git@hf.co/org/name", None),
    ],
)
def test_spellings(text: str, revision: str | None) -> None:
    assert read_address(text) == Repository("org/name", revision)


@pytest.mark.parametrize(
    "text",
    [
        "https://huggingface.co/datasets/org/name",
        "hf://datasets/org/name",
        "hf.co/spaces/org/name",
        "https://huggingface.co/org",
        "https://huggingface.co/",
        "https://github.com/org/name",
        "https://huggingface.co.evil.example/org/name",
        "git@github.com:org/name.git",
        "https://[::1/org/name",
    ],
)
def test_addresses_of_no_model(text: str) -> None:
    with pytest.raises(ModelNotFoundError, match="write 'org/name'"):
        resolve(text)


@pytest.mark.parametrize("text", ["", "name", "a/b/c", "./a/b", "/a/b", "~/m", "../a/b", "a b/c"])
def test_what_is_no_address(text: str) -> None:
    assert read_address(text) is None


def test_a_mirror_is_the_hub_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example")
    assert read_address("https://hub.example/org/name/tree/v1") == Repository("org/name", "v1")


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_they_are_loaded_and_pushed_to(hub: Hub, faces: Stored) -> None:  # noqa: F811
    faces.commit(faces.commits[faces.names["main"]], "v1")
    for text in ("https://huggingface.co/org/faces/", "hf://org/faces@v1", "org/faces/"):
        model = IcGAN.from_pretrained(text, device="cpu")
        assert model.attributes
    assert resolve("org/faces@v1").name == faces.names["v1"]
    assert resolve("https://hf.co/org/faces/tree/v1", revision="v1").name == faces.names["v1"]
    with pytest.raises(ConfigError, match="two revisions, v1 and main: give one"):
        resolve("org/faces@v1", revision="main")
    model.push_to_hub("https://huggingface.co/org/new/tree/trial")
    assert set(hub.repositories["org/new"].names) == {"main", "trial"}
    with pytest.raises(ModelNotFoundError, match="no model on the Hub"):
        model.push_to_hub("hf.co/datasets/org/new")
