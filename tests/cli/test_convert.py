"""``icgan convert-torch7``."""

from pathlib import Path

import pytest

from icgan_sdk import IcGAN
from icgan_sdk.artefacts.store import load_artefact
from tests.cli.conftest import Run
from tests.torch7_files import dump
from tests.torch7_models import make_trees

FILES = (
    "--generator",
    "generator.t7",
    "--encoder-z",
    "encoder_z.t7",
    "--encoder-y",
    "encoder_y.t7",
)
NAMES = ("--attributes", "Eyeglasses,Male,Smiling")


@pytest.fixture
def saved(icgan: Run) -> None:
    """The files of a model, in the working directory."""
    for name, tree in make_trees().items():
        Path(f"{name}.t7").write_bytes(dump(tree))


@pytest.mark.usefixtures("saved")
def test_the_files_become_a_model_that_edits(icgan: Run) -> None:
    options = ("--discriminator", "discriminator.t7", "--noise", "uniform")
    assert icgan("convert-torch7", *FILES, *options, *NAMES, "new") == (0, "new\n", "")
    networks = load_artefact("new")
    assert networks.discriminator is not None
    assert networks.config.noise == "uniform"
    card = Path("new/README.md").read_text()
    assert "| generator.t7 | `" in card
    assert 'from_pretrained("./new")' in card
    status, out, _ = icgan("info", "--model", "./new")
    assert status == 0
    assert "discriminator" in out
    edit = ("edit", "a.png", "--set", "Smiling=1", "--crop", "-m", "./new", "-o", "o.png")
    assert icgan(*edit, "--device", "cpu")[0] == 0
    IcGAN.from_pretrained(Path("new"), device="cpu").save_pretrained("again")
    assert load_artefact("again").discriminator is not None


@pytest.mark.usefixtures("saved")
def test_refusals_are_one_line_and_leave_nothing(icgan: Run) -> None:
    whole = Path("encoder_z.t7").read_bytes()
    Path("cut.t7").write_bytes(whole[: len(whole) // 2])
    before = sorted(Path().iterdir())
    cases = {
        "no such file: none.t7": ("--generator", "none.t7"),
        "cut.t7 breaks off at byte": ("--encoder-z", "cut.t7"),
        "a.png is no Torch7 file": ("--encoder-y", "a.png"),
        "reads 3 attributes, but 18 are named": ("--attributes", "celeba18"),
        "generator.t7 holds no discriminator": ("--discriminator", "generator.t7"),
    }
    words = (*FILES, *NAMES)
    for message, options in cases.items():
        given = dict(zip(words[::2], words[1::2], strict=True)) | dict([options])
        others = [word for pair in given.items() for word in pair]
        status, out, err = icgan("convert-torch7", *others, "new")
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("icgan: error: ")
        assert message in err
    assert icgan("convert-torch7", "new")[0] == 2
    assert sorted(Path().iterdir()) == before
