"""Command lines as people write them: each does what was meant, or one line says what to do."""

from pathlib import Path

import pytest

from icgan_sdk import IcGAN
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.celeba import CELEBA_ATTRIBUTES
from icgan_sdk.cli.options import parse_settings
from icgan_sdk.errors import IcGANError
from tests.cli.conftest import Run
from tests.cli.test_errors import refused

PAPER = AttributeSet.celeba()
EVERY = AttributeSet.celeba(CELEBA_ATTRIBUTES)
MODEL = ("--model", "tiny", "--device", "cpu")

UNDERSTOOD: list[tuple[str, dict[str, object]]] = [
    ("moustache=1", {"Mustache": 1.0}),
    ("mustache=yes", {"Mustache": 1.0}),
    ("Moustache=on", {"Mustache": 1.0}),
    ("fringe=1", {"Bangs": 1.0}),
    ("FRINGE=50%", {"Bangs": 0.5}),
    ("no_glasses=1", {"Eyeglasses": 0.0}),
    ("no glasses=yes", {"Eyeglasses": 0.0}),
    ("without-glasses=1", {"Eyeglasses": 0.0}),
    ("no_smile=0", {"Smiling": 1.0}),
    ("not smiling=1", {"Smiling": 0.0}),
    ("no_hat=75%", {"Wearing_Hat": 0.25}),
    ("glasses=no", {"Eyeglasses": 0.0}),
    ("glasses=off", {"Eyeglasses": 0.0}),
    ("GLASSES=TRUE", {"Eyeglasses": 1.0}),
    ("spectacles=1", {"Eyeglasses": 1.0}),
    ("SMILING=1", {"Smiling": 1.0}),
    ("smile=0,5", {"Smiling": 0.5}),
    ("Smiling=0,5", {"Smiling": 0.5}),
    ("Smiling=50%", {"Smiling": 0.5}),
    ("Smiling=150 %", {"Smiling": 1.5}),
    ("Smiling=half", {"Smiling": 0.5}),
    ("Smiling= 1 ", {"Smiling": 1.0}),
    ("happy=1", {"Smiling": 1.0}),
    ("woman=yes", {"Male": 0.0}),
    ("female=30%", {"Male": 0.7}),
    ("hair=blond=0.5", {"Blond_Hair": 0.5}),
    ("hair=BLONDE", {"hair_color": "Blond_Hair"}),
    ("hair=grey=25%", {"Gray_Hair": 0.25}),
    ("hair_color=Black_Hair=0,5", {"Black_Hair": 0.5}),
    ("brunette=1", {"Brown_Hair": 1.0}),
    ("makeup=y", {"Heavy_Makeup": 1.0}),
]  # fmt: skip

EVERY_UNDERSTOOD: list[tuple[str, dict[str, object]]] = [
    ("beard=1", {"No_Beard": 0.0}),
    ("beard=no", {"No_Beard": 1.0}),
    ("no_beard=1", {"No_Beard": 1.0}),
    ("old=1", {"Young": 0.0}),
    ("older=50%", {"Young": 0.5}),
    ("lipstick=1", {"Wearing_Lipstick": 1.0}),
]

REFUSED = [
    ("beard=1", "knows nothing of 'beard'; it has Bald, Bangs, "),
    ("old=1", "knows nothing of 'old'; it has Bald"),
    ("lipstick=yes", "knows nothing of 'lipstick'; it has"),
    ("hair=red", "hair=red is no hair_color or hair_texture: say hair= and one of Black_Hair, "),
    ("hair_color=red", "has no member 'red'"),
    ("Smiling=maybe", "Smiling='maybe' is no number"),
    ("Smiling=1=0.5", "give one value, as in Smiling=0.5"),
    ("hair=blond=lots", "Blond_Hair='lots' is no number"),
    ("hair=blond=1=2", "is no number"),
    ("Smiling=300%", "out of range"),
    ("no_glasses=2", "say Eyeglasses=0"),
    ("blond=50%,black=1", "give one value, as in Blond_Hair=0.5"),
]

LINES: list[tuple[list[str], int, str]] = [
    (["edit", "a.png", "Male=1", "-o", "x.png", "--face", "1", "--face", "2"], 2,
     "--face: is given twice"),
    (["edit", "a.png", "Male=1", "-o", "x.png", "-o", "y.png"], 2, "is given twice"),
    (["edit", "a.png", "Male=1", "-o", "x.png", "--scale=2", "--scale=3"], 2,
     "--scale: is given twice"),
    (["edit", ".", "Male=1", "-o", "x.png"], 2, "3 pictures need a folder"),
    (["edit", "nothing", "Male=1", "-o", "out"], 1, "nothing is a folder without pictures"),
    (["edit", "a.png", "Male", "yes", "-o", "x.png"], 2, "say what to change, as in Male=1"),
    (["edit", "Male=1", "-o", "x.png"], 2, "name a picture file"),
    (["edit", "a.png", "Male=1", "-o", "-"], 2, "name a file or a folder"),
    (["edit", "a.png", "Male=1"], 2, "Missing option '--output'"),
    (["data", "prepare", "folder", "nothing", "out", "--csv", "none.csv"], 2,
     "no such file: none.csv"),
    (["edti", "a.png", "Male=1"], 2, "No such command 'edti'"),
]  # fmt: skip


@pytest.mark.parametrize(("setting", "meant"), UNDERSTOOD)
def test_words_that_are_understood(setting: str, meant: dict[str, object]) -> None:
    assert parse_settings([setting], PAPER) == pytest.approx(meant)


@pytest.mark.parametrize(("setting", "meant"), EVERY_UNDERSTOOD)
def test_words_for_what_other_models_have(setting: str, meant: dict[str, object]) -> None:
    assert parse_settings([setting], EVERY) == pytest.approx(meant)


@pytest.mark.parametrize(("setting", "message"), REFUSED)
def test_words_that_are_refused(setting: str, message: str) -> None:
    with pytest.raises(IcGANError) as raised:
        parse_settings([setting], PAPER)
    assert message in str(raised.value)
    assert "did you mean 'Bald'" not in str(raised.value)


@pytest.mark.parametrize(("line", "status", "message"), LINES)
def test_lines_that_are_refused(line: list[str], status: int, message: str, icgan: Run) -> None:
    Path("nothing").mkdir()
    model = [] if line[0] in {"data", "edti"} else MODEL
    assert message in refused(icgan(*line, *model), status)


def test_a_folder_stands_for_its_pictures(icgan: Run) -> None:
    Path("in/within").mkdir(parents=True)
    for name in ("a.png", "b.jpg"):
        Path(name).rename(Path("in", name))
    Path("in/notes.txt").write_text("no picture")
    assert icgan("edit", "in", "Male=1", *MODEL, "-o", "out")[0] == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.png", "b.jpg"]


def test_the_help_names_the_attributes(icgan: Run) -> None:
    told = " ".join(icgan("edit", "--help")[1].replace("│", " ").split())
    for name in IcGAN.from_pretrained("celeba", runtime="onnx").attributes:
        assert name in told
    assert "icgan info" in told
    assert "<name>.jpg" in told


def test_at_least_sixty() -> None:
    assert len([*UNDERSTOOD, *EVERY_UNDERSTOOD, *REFUSED, *LINES]) >= 60


def test_control_c_in_training_says_how_to_continue(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from icgan_sdk.cli.train import _told_how_to_go_on

    for told in (False, True):
        with pytest.raises(KeyboardInterrupt), _told_how_to_go_on(tmp_path, True):
            raise KeyboardInterrupt
        line = f"continue from the last checkpoint: icgan train --resume --out {tmp_path}\n"
        assert (line in capsys.readouterr().err) is told
        (tmp_path / "config.toml").touch()
