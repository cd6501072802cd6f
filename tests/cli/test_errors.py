from pathlib import Path

import pytest
from PIL import Image

from icgan_sdk.cli import inspect
from tests.cli.conftest import Run

MODEL = ("--model", "tiny", "--device", "cpu")


def refused(result: tuple[int, str, str], status: int = 1) -> str:
    """The one line on stderr of a command that failed."""
    assert result[0] == status
    assert result[2].count("\n") == 1
    assert result[2].startswith("icgan: error: ")
    assert "Traceback" not in result[2]
    return result[2]


CASES: dict[str, tuple[list[str], str]] = {
    "missing file": (["edit", "none.png", "Smiling=1"], "no such image file: none.png"),
    "not an image": (["edit", "bad.png", "Smiling=1"], "bad.png is not an image"),
    "truncated": (["edit", "cut.png", "Smiling=1"], "cut.png can't be read, it may be damaged"),
    "folder": (["edit", "photos", "Smiling=1"], "photos is a folder"),
    "no match": (["edit", "*.tiff", "Smiling=1"], "no files match '*.tiff'"),
    "unknown attribute": (["edit", "a.png", "--set", "Simling=1"], "did you mean 'Smiling'?"),
    "unknown group": (["edit", "a.png", "--set", "hiar_color=Black_Hair"], "'hair_color'?"),
    "unknown member": (["edit", "a.png", "--set", "hair_color=Red"], "has no member 'Red'"),
    "out of range": (["edit", "a.png", "--set", "Smiling=3"], "Smiling=3.0 is out of range"),
    "not a number": (["edit", "a.png", "--set", "Smiling=si"], "Smiling='si' is no number"),
    "no value": (["edit", "a.png", "--set", "Smiling"], "write NAME=VALUE"),
    "set twice": (
        ["edit", "a.png", "--set", "Smiling=1", "--set", "Smiling=0"],
        "Smiling is set twice",
    ),
    "option as name": (
        ["sample", "--set", "seed=1"],
        "'seed' is no attribute but an option: --seed 1",
    ),
    "interpolate missing": (["interpolate", "a.png", "none.png"], "no such image file: none.png"),
    "swap unreadable": (["swap", "bad.png", "a.png"], "bad.png is not an image"),
}


@pytest.mark.parametrize(
    "command",
    [
        ["edit", "none.png", "Smiling=1"],
        ["interpolate", "none.png", "Smiling=1"],
        ["variations", "none.png"],
        ["swap", "none.png", "a.png"],
        ["sample", "--model", "nothing"],
    ],
)
def test_an_output_that_cannot_be_is_told_before_the_work(command: list[str], icgan: Run) -> None:
    for output, message in (
        ("out.mp4", "animation is" if "interpolate" in command else "has the suffix '.mp4'"),
        ("a.png/b.png", "a.png is no folder"),
    ):
        assert message in refused(icgan(*command, "-o", output), 2)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["edit", "a.png", "scale=2"], "'scale' is no attribute but an option: --scale 2"),
        (["edit", "a.png", "Align=none"], "an option: --align none"),
        (["edit", "a.png", "strip=1"], "an option: --strip\n"),
        (["edit", "a.png", "crop=yes"], "an option: --crop\n"),
        (["sample", "seed=1"], "'seed' is no attribute but an option: --seed 1"),
        (["edit", "a.png", "seed=1"], "unknown attribute 'seed'"),
    ],
)
def test_options_without_dashes_are_named(command: list[str], message: str, icgan: Run) -> None:
    assert message in refused(icgan(*command, *MODEL, "-o", "out.png"))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["variations", "a.png", "Smiling=1"], "Smiling=1: this command takes pictures"),
        (["reconstruct", "a.png", "Smiling=1"], "Smiling=1: this command takes pictures"),
        (["sample", "a.png"], "write what to show as NAME=VALUE, not a.png"),
        (["interpolate", "a.png", "b.jpg", "--paste-back"], "not with two pictures"),
    ],
)
def test_what_a_command_does_not_take_is_refused(
    command: list[str], message: str, icgan: Run
) -> None:
    assert message in refused(icgan(*command, *MODEL, "-o", "out.png"), 2)
    assert not Path("out.png").exists()


def test_info_is_of_one_model(icgan: Run) -> None:
    assert "name one model" in refused(icgan("info", "mnist", "--model", "tiny"), 2)


def test_a_folder_is_no_file_to_write(icgan: Run) -> None:
    Path("folder").mkdir()
    said = refused(icgan("variations", "a.png", *MODEL, "-o", "folder"), 2)
    assert "folder is a folder: name a file, as folder/out.png" in said


@pytest.mark.parametrize("case", CASES)
def test_errors_are_one_line_and_leave_no_file(case: str, icgan: Run) -> None:
    whole = Path("a.png").read_bytes()
    Path("cut.png").write_bytes(whole[: len(whole) // 2])
    Path("photos").mkdir()
    before = sorted(Path().iterdir())
    arguments, message = CASES[case]
    assert message in refused(icgan(*arguments, *MODEL, "-o", "out.png"))
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["edit", "a.png"], "Missing option '--output'"),
        (["edit", "-o", "x.png"], "Missing argument 'images'"),
        (
            ["edit", "a.png", "b.jpg", "Male=1", *MODEL, "-o", "x.png"],
            "need a folder, not the file x.png",
        ),
        (["edit", "a.png", "-o", "x.png", "--detail", "sharp"], "--detail"),
        (["edit", "a.png", "-o", "x.png", "--refine", "-1"], "--refine"),
        (["sample", "-n", "0", "-o", "x.png"], "-n"),
        (["interpolate", "a.png", "b.jpg", "--steps", "1", "-o", "x.png"], "--steps"),
        (["edit", "Smiling=1", "-o", "x.png"], "name a picture file"),
        (["edit", "a", "--set", "Smiling", "-o", "x.png"], "name a picture file"),
        (["edit", "a.png", "-o", "x.png"], "say what to change, as in Eyeglasses=1. Try"),
        (["edit", "a.png", "Smiling", "-o", "x.png"], "say what to change, as in Smiling=1. Try"),
        (["edit", "a.png", "Smiling=1", "-o", "-"], "name a file or a folder"),
        (["variations", "a.png", "-o", "-"], "name a file"),
        (["edits"], "No such command 'edits'"),
        (["edit", "--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    arguments: list[str], message: str, icgan: Run
) -> None:
    line = refused(icgan(*arguments), status=2)
    assert message in line
    assert "--help" in line


@pytest.mark.parametrize(
    ("model", "device", "message"),
    [
        ("no-such-model", "cpu", "no model named 'no-such-model'"),
        ("./no/folder", "cpu", "no such model folder"),
        ("tiny", "cuda:99", "there is no device 'cuda:99' here"),
        ("tiny", "toaster", "unknown device 'toaster'"),
        ("broken", "cpu", "may be damaged"),
        ("halved", "cpu", "encoder_z.safetensors and encoder_y.safetensors missing"),
    ],
)
def test_models_and_devices_that_arent_there(
    model: str, device: str, message: str, icgan: Run
) -> None:
    for name in ("broken", "halved"):
        Path(name).mkdir()
        Path(name, "config.json").write_bytes(Path("tiny/config.json").read_bytes())
        Path(name, "generator.safetensors").write_bytes(b"garbage")
    for network in ("encoder_z", "encoder_y"):
        Path("broken", f"{network}.safetensors").write_bytes(b"garbage")
    result = icgan("edit", "a.png", "Male=1", "-o", "x.png", "--model", model, "--device", device)
    assert message in refused(result)


def test_the_others_are_done_when_one_cant_be_read(icgan: Run) -> None:
    arguments = ("a.png", "bad.png", "b.jpg", *MODEL)
    result = icgan("edit", *arguments, "--set", "Smiling=1", "-o", "out")
    assert "bad.png is not an image" in refused(result)
    assert sorted(p.name for p in Path("out").iterdir()) == ["a.png", "b.jpg"]
    result = icgan("attributes", *arguments, "--json")
    assert "bad.png" in refused(result)
    assert '"b.jpg"' in result[1]
    assert "bad.png" in refused(icgan("variations", *arguments, "--no-titles", "-o", "v.png"))
    with Image.open("v.png") as sheet:
        assert sheet.height == 2 * 16 + 3 * 2
    assert "bad.png" in refused(icgan("variations", "bad.png", *MODEL, "-o", "none.png"))
    assert not Path("none.png").exists()


def test_unwritable_outputs(icgan: Run) -> None:
    assert "bad.png is no folder" in refused(icgan("sample", *MODEL, "-o", "bad.png/x.png"), 2)
    assert "suffix '.xyz'" in refused(icgan("sample", *MODEL, "-o", "x.xyz"), 2)
    said = refused(icgan("reconstruct", "a.png", *MODEL, "-o", "x.xyz"), 2)
    assert "suffix '.xyz'" in said


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (RuntimeError("two\nlines"), 1, "RuntimeError: two lines (ICGAN_TRACEBACK=1 shows where)"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_nothing_ends_in_a_traceback(
    error: BaseException,
    status: int,
    message: str,
    icgan: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(inspect, "resolve", fail)
    assert message in refused(icgan("info", *MODEL[:2]), status)


def test_large_pictures_are_read_without_a_word(
    icgan: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (1500, 1000)).save("large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10**6)
    status, _, errors = icgan("reconstruct", "large.png", *MODEL, "-o", "out.png")
    assert (status, errors) == (0, "")


@pytest.mark.parametrize(
    "command",
    [
        ["edit", "a.png", "--set", "Smiling=1"],
        ["reconstruct", "a.png"],
        ["variations", "a.png"],
        ["swap", "a.png", "b.png"],
        ["interpolate", "b.png", "a.png"],
    ],
)
def test_the_picture_that_is_read_is_not_written_over(icgan: Run, command: list[str]) -> None:
    before = Path("a.png").read_bytes()
    Path("link.png").symlink_to("a.png")
    for output in ("a.png", "link.png"):
        result = icgan(*command, "-o", output, *MODEL)
        assert "is the picture that is read" in refused(result, status=2)
    assert Path("a.png").read_bytes() == before
    if command[0] in {"edit", "reconstruct"}:
        assert icgan(*command, "-o", "a.png", "--overwrite", *MODEL)[0] == 0
        assert Path("a.png").read_bytes() != before
