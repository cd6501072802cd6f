import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from icgan_sdk import IcGAN
from icgan_sdk.artefacts import hub, resolving
from icgan_sdk.artefacts.resolving import bundled_names, resolve
from icgan_sdk.bundled import BUNDLED_ROOT
from icgan_sdk.errors import ConfigError, DownloadError, ModelNotFoundError


@pytest.fixture
def bundle(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that brings along the models celeba and mnist."""
    root = tmp_path / "pretrained"
    for name in ("celeba", "mnist"):
        shutil.copytree(tiny_folder, root / name)
    (root / "not-a-model").mkdir()
    monkeypatch.setattr(resolving, "BUNDLED_ROOT", root)
    monkeypatch.chdir(tmp_path)
    return root


def test_every_model_that_comes_with_the_package_loads() -> None:
    assert "mnist" in bundled_names()
    for name in bundled_names():
        assert IcGAN.from_pretrained(name, device="cpu").sample(1, seed=0)


def test_a_name_is_a_bundled_model(bundle: Path) -> None:
    assert bundled_names() == ("celeba", "mnist")
    assert resolve("mnist") == bundle / "mnist"
    Path("mnist").mkdir()  # a folder of that name needs to be said
    assert resolve("mnist") == bundle / "mnist"
    assert resolve("./mnist") == Path("mnist")
    assert resolve(Path("mnist")) == Path("mnist")


def test_unknown_names_are_told_what_there_is(bundle: Path) -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        resolve("celba")
    assert "did you mean 'celeba'?" in str(caught.value)
    assert "celeba, mnist" in str(caught.value)
    with pytest.raises(ModelNotFoundError, match="a model is a name or a folder, not None"):
        resolve(None)  # type: ignore[arg-type]
    with pytest.raises(ModelNotFoundError) as caught:
        resolve("nothing")
    assert str(caught.value).count("celeba") == 1
    for name in ("", "./nowhere", "/no/where/at/all", "a/b/c"):
        with pytest.raises(ModelNotFoundError, match=r"no (such )?model"):
            resolve(name)


def test_existing_folders_are_taken(tiny_folder: Path, bundle: Path) -> None:
    assert resolve(str(tiny_folder)) == tiny_folder
    assert resolve("tiny") == Path("tiny")


def test_a_folder_that_looks_like_a_repository_is_ambiguous(bundle: Path) -> None:
    Path("org/name").mkdir(parents=True)
    with pytest.raises(ModelNotFoundError) as caught:
        resolve("org/name")
    assert "./org/name" in str(caught.value)
    assert "Path('org/name')" in str(caught.value)
    assert resolve("./org/name") == resolve(Path("org/name")) == Path("org/name")


def test_repositories_are_not_sought_without_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DownloadError, match=r"'org/name'.*not cached"):
        resolve("org/name", local_files_only=True, cache_dir=tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match=r"'org/name'.*not cached"):
        resolve("org/name", cache_dir=tmp_path)
    with pytest.raises(DownloadError, match="can't push to 'org/name': HF_HUB_OFFLINE forbids"):
        hub.upload(BUNDLED_ROOT / "mnist", "org/name", token="hf_none")


def test_a_download_in_the_cache_is_found_offline(tiny_folder: Path, tmp_path: Path) -> None:
    repository = tmp_path / "cache" / "models--org--name"
    commit = "0123456789abcdef0123456789abcdef01234567"
    shutil.copytree(tiny_folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    model = IcGAN.from_pretrained(
        "org/name", cache_dir=tmp_path / "cache", local_files_only=True, device="cpu"
    )
    assert model.attributes
    with pytest.raises(DownloadError, match="not cached"):
        resolve("org/name", cache_dir=tmp_path / "cache", local_files_only=True, revision="v2")


def test_folders_have_no_revisions(tiny_folder: Path) -> None:
    for options in ({"revision": "v1"}, {"source": "hub"}):
        with pytest.raises(ConfigError, match="it has no revisions"):
            resolve(tiny_folder, **options)  # type: ignore[arg-type]
        with pytest.raises(ModelNotFoundError, match=r"write 'org/name' \(bundled models: celeba"):
            resolve(str(tiny_folder), **options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="'auto' or 'hub', not 'web'"):
        resolve("mnist", source="web")  # type: ignore[arg-type]


def test_a_run_folder_stands_for_its_model(tiny_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.toml").write_text("data = ''")
    with pytest.raises(ModelNotFoundError, match="finish it with `icgan train --resume --out"):
        resolve(run)
    shutil.copytree(tiny_folder, run / "artefact")
    assert resolve(run) == resolve(str(run)) == run / "artefact"
    assert IcGAN.from_pretrained(str(run), device="cpu").attributes


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("HF_ENDPOINT", "hf-mirror.example", "HF_ENDPOINT is no address: 'hf-mirror.example'"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "abc", "not a number.*HF_HUB_DOWNLOAD_TIMEOUT='abc'"),
        ("SSL_CERT_FILE", "missing.pem", "SSL_CERT_FILE names certificates that aren't there"),
    ],
)
def test_settings_of_the_environment_are_named(
    tmp_path: Path, variable: str, value: str, message: str
) -> None:
    # The client reads them when it is imported, so this needs a process of its own.
    environment = {
        **os.environ,
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_HUB_CACHE": str(tmp_path),
        variable: value,
    }
    command = [sys.executable, "-m", "icgan_sdk.cli.main", "pull", "org/name"]
    ended = subprocess.run(
        command, check=False, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 1
    assert re.search(message, ended.stderr)
    assert len(ended.stderr.splitlines()) == 1
