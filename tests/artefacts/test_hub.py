"""Models to and from a real HTTP server that speaks the Hub's protocol, and its faults."""

import filecmp
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from icgan_sdk import IcGAN
from icgan_sdk.artefacts.hub import download, upload
from icgan_sdk.artefacts.layout import ARTEFACT_FILES, weights_digest
from icgan_sdk.artefacts.resolving import PUBLISHED, bundled_names, resolve
from icgan_sdk.artefacts.store import load_artefact, save_artefact
from icgan_sdk.bundled import BUNDLED_ROOT
from icgan_sdk.cli.main import run
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import DownloadError, IcGANError, ModelFormatError, ModelNotFoundError
from tests.conftest import tiny_networks
from tests.hub import TOKEN, Fault, Files, Hub, Repository, serve, sha256

# The client's own upload of large files calls its HTTP library in a way that is going out of use.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

WEIGHTS = "generator.safetensors"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """An empty Hub that the client in this process talks to, with an empty cache and a token."""
    with serve() as hub:
        constants = "huggingface_hub.constants"
        template = hub.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(f"{constants}.ENDPOINT", hub.address)
        monkeypatch.setattr(f"{constants}.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(f"{constants}.HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(f"{constants}.HF_HUB_DISABLE_PROGRESS_BARS", True)
        monkeypatch.setattr(f"{constants}.HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(f"{constants}.HF_HUB_DOWNLOAD_TIMEOUT", 1)
        monkeypatch.setattr(f"{constants}.HF_HUB_ETAG_TIMEOUT", 1)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        # The client waits between its trials.
        hurry = SimpleNamespace(sleep=lambda _: time.sleep(0.01), time=time.time)
        monkeypatch.setattr("huggingface_hub.utils._http.time", hurry)
        monkeypatch.setattr("huggingface_hub.file_download.time", hurry)
        yield hub


def read(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def faces(hub: Hub, tiny_folder: Path) -> Repository:
    """A repository org/faces with a model, and files that must not be fetched."""
    files = {**read(tiny_folder), "pytorch_model.bin": b"a pickle", "run.py": b"import os"}
    repository = hub.repositories["org/faces"] = Repository()
    repository.commit(files)
    return repository


# --- round trips -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_saved_pushed_pulled_and_loaded_is_the_same(
    hub: Hub, tiny_config: ModelConfig, tmp_path: Path, dtype: torch.dtype
) -> None:
    networks = tiny_networks(tiny_config)
    card = '---\nlicense: mit\n---\n# Tiny\n\nIcGAN.from_pretrained("celeba")\n'
    save_artefact(networks, tmp_path / "saved", card=card, dtype=dtype)
    address = IcGAN.from_pretrained(tmp_path / "saved").push_to_hub("org/tiny", private=True)
    assert address.startswith(hub.address)
    assert hub.repositories["org/tiny"].private
    pulled = resolve("org/tiny")
    for name in read(tmp_path / "saved"):
        assert filecmp.cmp(tmp_path / "saved" / name, pulled / name, shallow=False), name
    first, second = load_artefact(tmp_path / "saved"), load_artefact(pulled)
    assert first.config == second.config
    ours, theirs = first.state_dict(), second.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("name", bundled_names())
def test_the_bundled_copy_is_the_published_one(hub: Hub, tmp_path: Path, name: str) -> None:
    repository, revision = PUBLISHED[name]
    digest = weights_digest(BUNDLED_ROOT / name)
    assert revision == f"weights-{digest[:12]}"  # a new model needs a new revision
    upload(BUNDLED_ROOT / name, repository, revision=revision)
    pulled = tmp_path / "pulled"
    assert run(["pull", name, "-o", str(pulled)]) == 0
    assert read(pulled) == read(BUNDLED_ROOT / name)
    assert resolve(name) == BUNDLED_ROOT / name
    cached = resolve(name, source="hub")
    assert cached != BUNDLED_ROOT / name
    assert resolve(name, revision=revision) == cached
    with pytest.raises(DownloadError, match="no such revision"):
        resolve(name, revision="weights-0")


def test_a_new_model_gets_a_card_that_names_the_repository(
    hub: Hub, tiny_config: ModelConfig
) -> None:
    IcGAN(tiny_networks(tiny_config), device="cpu").push_to_hub("org/new", revision="trial")
    repository = hub.repositories["org/new"]
    assert set(repository.commits[repository.names["main"]]) == {".gitattributes"}
    card = repository.commits[repository.names["trial"]]["README.md"].decode()
    assert 'from_pretrained("org/new")' in card
    assert "library_name: icgan-sdk" in card
    assert "pipeline_tag: image-to-image" in card
    assert IcGAN.from_pretrained("org/new", revision="trial", device="cpu").attributes


def test_a_push_of_the_same_model_changes_nothing(hub: Hub, tiny_model: IcGAN) -> None:
    for _ in range(2):
        tiny_model.push_to_hub("org/same")
    assert len(hub.repositories["org/same"].commits) == 2  # the first one, and the model's


# --- downloads -------------------------------------------------------------------------------


def test_only_the_models_files_are_fetched(hub: Hub, faces: Repository, tiny_folder: Path) -> None:
    model = IcGAN.from_pretrained("org/faces", device="cpu")
    assert len(model.sample(1, seed=0)) == 1
    names = {path.rpartition("/")[2] for path in hub.paths("HEAD")}
    assert names == set(read(tiny_folder))  # it has no graphs
    assert not [path for path in hub.paths() if path.endswith((".bin", ".py"))]


def test_what_is_cached_needs_no_network(
    hub: Hub, faces: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = download("org/faces")
    hub.requests.clear()
    assert download("org/faces") == folder
    assert not [path for path in hub.paths() if "cdn" in path or "resolve" in path]
    hub.requests.clear()
    assert download("org/faces", local_files_only=True) == folder
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert download("org/faces") == folder
    assert hub.requests == []
    with pytest.raises(DownloadError, match="not cached"):
        download("org/faces", cache_dir=tmp_path / "empty")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with pytest.raises(DownloadError, match="not cached"):
        download("org/faces", cache_dir=tmp_path / "empty", local_files_only=True)


def test_a_hub_out_of_order_leaves_what_is_cached(hub: Hub, faces: Repository) -> None:
    folder = download("org/faces")
    hub.faults.append(Fault("GET", "api/models", status=500))
    assert download("org/faces") == folder


def test_revisions(hub: Hub, faces: Repository) -> None:
    first = faces.names["main"]
    files = faces.commits[first]
    second = faces.commit({**files, "README.md": b"# Second\n"})
    faces.names["v1"] = first
    faces.commit({**files, "README.md": b"# Trial\n"}, "trial")

    def card(revision: str | None) -> str:
        return (download("org/faces", revision=revision) / "README.md").read_text()

    for revision, title in (
        (None, "Second"),
        ("main", "Second"),
        (second, "Second"),
        ("v1", "Tiny"),
        (first, "Tiny"),
        ("trial", "Trial"),
    ):
        assert card(revision) == f"# {title}\n"
    with pytest.raises(DownloadError, match="no such revision"):
        card("v9")


def test_private_repositories_want_a_token(
    hub: Hub, faces: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces.private = True
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(DownloadError, match=r"no such repository.*private"):
        download("org/faces")
    with pytest.raises(DownloadError, match="doesn't accept the access token"):
        download("org/faces", token="hf_wrong")
    assert download("org/faces", token=TOKEN)


def test_a_repository_of_pickles_is_refused_by_name(hub: Hub) -> None:
    hub.repositories["org/old"] = Repository()
    hub.repositories["org/old"].commit({"config.json": b"{}", "pytorch_model.bin": b"a pickle"})
    hub.repositories["org/none"] = Repository()
    hub.repositories["org/none"].commit({"config.json": b"{}"})
    with pytest.raises(ModelFormatError, match=r"no weights but pytorch_model.bin"):
        download("org/old")
    with pytest.raises(ModelFormatError, match=r"'org/none' holds no weights$"):
        download("org/none")
    assert not [path for path in hub.paths() if path.endswith("pytorch_model.bin")]


def test_a_config_that_claims_more_than_the_file_holds_is_refused(
    hub: Hub, faces: Repository
) -> None:
    files = faces.commits[faces.names["main"]]
    config = {**json.loads(files["config.json"]), "generator_width": 65536}
    faces.commit({**files, "config.json": json.dumps(config).encode()})
    with pytest.raises(ModelFormatError, match="expected"):
        IcGAN.from_pretrained("org/faces")


# --- faults ----------------------------------------------------------------------------------


def flip(body: bytes) -> bytes:
    """The same length, one bit of the last byte turned."""
    return body[:-1] + bytes([body[-1] ^ 1])


def test_a_download_cut_in_the_middle_is_resumed(
    hub: Hub, faces: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 500)
    weights = faces.commits[faces.names["main"]][WEIGHTS]
    hub.faults.append(Fault("GET", f"cdn/{sha256(weights)}", times=2, cut=1000))
    folder = download("org/faces")
    ranges = [asked for _, path, asked in hub.requests if path.startswith("cdn/") and asked]
    assert ranges == ["bytes=1000-", "bytes=2000-"]
    assert load_artefact(folder)


def test_what_passes_is_waited_for(hub: Hub, faces: Repository) -> None:
    for method, word in (("HEAD", WEIGHTS), ("GET", "cdn/")):
        hub.faults.append(Fault(method, word, times=1, wait=1.2))
        hub.faults.append(Fault(method, word, times=1, status=429))
    assert load_artefact(download("org/faces"))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("GET", "api/models", status=401), "doesn't accept the access token"),
        (Fault("GET", "api/models", status=403), "doesn't allow it"),
        (Fault("GET", "api/models", status=404), "status 404"),
        (Fault("GET", "api/models", status=429), "too many requests"),
        (Fault("GET", "api/models", status=500), "out of order"),
        (Fault("GET", "api/models", wait=1.5), "doesn't answer in time"),
        (Fault("HEAD", WEIGHTS, status=401), "doesn't accept the access token"),
        (Fault("HEAD", WEIGHTS, status=403), "doesn't allow it"),
        (Fault("HEAD", WEIGHTS, status=404), "status 404"),
        (Fault("HEAD", WEIGHTS, status=429), "too many requests"),
        (Fault("HEAD", WEIGHTS, status=503), "out of order"),
        (Fault("GET", "cdn/", status=403), "doesn't allow it"),
        (Fault("GET", "cdn/", status=404), "status 404"),
        (Fault("GET", "cdn/", status=429), "too many requests"),
        (Fault("GET", "cdn/", status=500), "out of order"),
        (Fault("GET", "cdn/", wait=1.5), "doesn't answer in time"),
        (Fault("GET", "cdn/", short=True), "Consistency check failed"),
        (Fault("GET", "cdn/", change=flip), "safetensors arrived damaged"),
        (Fault("GET", "config.json", change=flip), "config.json arrived damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_faults_end_in_one_line_and_no_model(
    hub: Hub, faces: Repository, fault: Fault, reason: str
) -> None:
    hub.faults.append(fault)
    with pytest.raises(DownloadError, match=f"can't download 'org/faces': .*{reason}") as caught:
        download("org/faces")
    assert "\n" not in str(caught.value)
    with pytest.raises(IcGANError):  # nothing that would load is left behind
        IcGAN.from_pretrained("org/faces", local_files_only=True)
    hub.faults.clear()
    assert IcGAN.from_pretrained("org/faces", device="cpu").attributes


def test_an_address_where_nobody_listens(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match="can't be reached, and it is not cached") as caught:
        download("org/name")
    assert "\n" not in str(caught.value)
    with pytest.raises(DownloadError, match=r"can't be reached$"):  # no cache could help
        upload(BUNDLED_ROOT / "mnist", "org/name")
    with pytest.raises(DownloadError, match=r"'org/na\.\.me'.*looks like 'org/name'"):
        download("org/na..me")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("POST", "repos/create", status=401), "doesn't accept the access token"),
        (Fault("POST", "repos/create", status=403), "doesn't allow it"),
        (Fault("POST", "preupload", status=500), "out of order"),
        (Fault("POST", "objects/batch", status=403), "doesn't allow it"),
        (Fault("PUT", "lfs/", status=500), "out of order"),
        (Fault("POST", "commit/main", status=500), "out of order"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_push_that_fails_leaves_no_half_model(
    hub: Hub, tiny_model: IcGAN, fault: Fault, reason: str
) -> None:
    hub.faults.append(fault)
    with pytest.raises(DownloadError, match=f"can't push to 'org/new': .*{reason}") as caught:
        tiny_model.push_to_hub("org/new")
    assert "\n" not in str(caught.value)
    for repository in hub.repositories.values():
        for files in repository.commits.values():
            assert set(files) == {".gitattributes"}
    hub.faults.clear()
    tiny_model.push_to_hub("org/new")
    assert IcGAN.from_pretrained("org/new", device="cpu").attributes


def test_a_card_that_is_not_valid_is_not_pushed(hub: Hub, tiny_folder: Path) -> None:
    (tiny_folder / "README.md").write_text("---\nlicense: [\n---\n# Tiny\n")
    with pytest.raises(DownloadError, match="can't push to 'org/tiny'") as caught:
        upload(tiny_folder, "org/tiny")
    assert "\n" not in str(caught.value)
    assert hub.requests == []


# --- the command line and the environment ----------------------------------------------------


def environment(hub: Hub, tmp_path: Path, **more: str) -> dict[str, str]:
    return os.environ | {
        "HF_ENDPOINT": hub.address,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_TOKEN": TOKEN,
        "OMP_NUM_THREADS": "1",
        **more,
    }


def icgan(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "icgan_sdk.cli.main", *arguments]


@pytest.mark.slow
def test_two_processes_download_at_once(hub: Hub, faces: Repository, tmp_path: Path) -> None:
    faces.private = True
    hub.faults.append(Fault("GET", "cdn/", times=1, wait=1))
    env = environment(hub, tmp_path)
    outputs = [tmp_path / "a", tmp_path / "b"]
    both = [
        subprocess.Popen(icgan("pull", "org/faces", "-o", str(out)), env=env, text=True)
        for out in outputs
    ]
    assert [process.wait(60) for process in both] == [0, 0]
    expected = faces.commits[faces.names["main"]]
    for out in outputs:
        assert read(out) == {n: data for n, data in expected.items() if n in ARTEFACT_FILES}
    assert len([path for path in hub.paths() if path.startswith("cdn/")]) == 1
    # And from the cache, with the network forbidden.
    hub.requests.clear()
    offline = environment(hub, tmp_path, HF_HUB_OFFLINE="1")
    subprocess.run(icgan("pull", "org/faces"), env=offline, check=True, stdout=subprocess.PIPE)
    assert hub.requests == []


def test_push_and_pull_from_the_command_line(
    hub: Hub, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["push", str(tiny_folder), "org/mine", "--private"]) == 0
    assert capsys.readouterr().out.startswith(hub.address)
    assert run(["pull", "org/mine"]) == 0
    assert load_artefact(capsys.readouterr().out.strip())
    (tmp_path / "full").mkdir()
    (tmp_path / "full/letter.txt").write_text("mine")
    for arguments, reason in (
        (["push", str(tmp_path / "nowhere"), "org/mine"], "no such model folder"),
        (["pull", "org/nothing"], "no such repository"),
        (["pull", "nothing"], "write 'org/name'"),
        (["pull", "org/mine", "-o", str(tmp_path / "full")], "holds other files"),
    ):
        assert run(arguments) == 1
        lines = capsys.readouterr().err.splitlines()  # the client's progress bars among them
        (error,) = [line for line in lines if line.startswith("icgan: error: ")]
        assert reason in error
        assert lines[-1] == error
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]


def test_a_damaged_model_is_not_pulled_into_a_folder(
    hub: Hub, faces: Repository, tmp_path: Path
) -> None:
    files = faces.commits[faces.names["main"]]
    faces.commit({**files, WEIGHTS: files[WEIGHTS][:-8]})
    assert run(["pull", "org/faces", "-o", str(tmp_path / "out")]) == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_and_a_repository_of_one_name(
    hub: Hub, faces: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("org/faces").mkdir(parents=True)
    with pytest.raises(ModelNotFoundError, match=r"\./org/faces.*source='hub' or a revision"):
        resolve("org/faces")
    assert resolve("org/faces", source="hub") == resolve("org/faces", revision="main")
