import json
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image

from icgan_sdk import IcGAN, __version__
from icgan_sdk.cli.main import run
from icgan_sdk.engines.pytorch import TorchEngine
from icgan_sdk.photo import subject
from icgan_sdk.pictures import opening
from icgan_sdk.pictures.grids import grid, sheet, titled
from tests.cli.conftest import Run

MODEL = ("--model", "tiny", "--device", "cpu")


def read(path: str | Path) -> Image.Image:
    with Image.open(path) as picture:
        picture.load()
        return picture


def same(path: str | Path, picture: Image.Image) -> bool:
    return np.array_equal(np.asarray(read(path)), np.asarray(picture))


@pytest.fixture
def model(icgan: Run) -> IcGAN:
    return IcGAN.from_pretrained("tiny", device="cpu")


def test_edit_writes_what_the_library_gives(icgan: Run, model: IcGAN) -> None:
    settings = ("--set", "Smiling=0.5", "--set", "hair_color=Blond_Hair")
    assert icgan("edit", "a.png", *settings, *MODEL, "-o", "out.png") == (0, "out.png\n", "")
    wanted = {"Smiling": 0.5, "Blond_Hair": 1}
    assert same("out.png", model.edit("a.png", wanted))
    options = ("--refine", "2", "--detail", "photo")
    assert icgan("edit", "a.png", *settings, *options, *MODEL, "-o", "new/out.png")[0] == 0
    expected = model.edit("a.png", wanted, refine=2, detail="photo")
    assert same("new/out.png", expected)


def test_strips_show_what_was_before(icgan: Run, model: IcGAN) -> None:
    original = model.edit("a.png", detail="photo")
    reconstruction = model.reconstruct("a.png")
    edited = model.edit("a.png", Smiling=1)
    assert icgan("edit", "a.png", "--set", "Smiling=1", "--strip", *MODEL, "-o", "s.png")[0] == 0
    assert same("s.png", grid([[original, reconstruction, edited]]))
    assert icgan("reconstruct", "a.png", "--strip", *MODEL, "-o", "r.png")[0] == 0
    assert same("r.png", grid([[original, reconstruction]]))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often files are opened, cut, and given to the networks."""
    found: Counter[str] = Counter()

    def count(owner: Any, name: str, called: str = "") -> None:
        function = getattr(owner, name)

        def counting(*arguments: Any, **options: Any) -> Any:
            found[called or name] += 1
            return function(*arguments, **options)

        monkeypatch.setattr(owner, name, counting)

    count(opening, "open_listed", "open")
    count(subject, "fit_picture")
    for name in ("encode", "decode", "change", "refine"):
        count(TorchEngine, name)
    return found


@pytest.mark.parametrize(
    ("options", "networks"),
    [
        (["--detail", "generated"], {"decode": 1}),
        (["--detail", "generated", "--strip"], {"decode": 2}),
        (["--detail", "photo"], {"decode": 2, "change": 1}),
        (["--detail", "photo", "--strip"], {"decode": 2, "change": 1}),
        ([], {"decode": 1}),
        (["--strip", "--refine", "3"], {"decode": 2, "refine": 1}),
        (["--detail", "photo", "--refine", "3"], {"decode": 2, "change": 1, "refine": 1}),
        (["--paste-back"], {"decode": 2, "change": 1}),
        (["--paste-back", "--refine", "3"], {"decode": 2, "change": 1, "refine": 1}),
    ],
)
def test_an_edit_does_everything_once(
    options: list[str], networks: dict[str, int], icgan: Run, calls: Counter[str]
) -> None:
    assert icgan("edit", "a.png", "--set", "Smiling=1", *options, *MODEL, "-o", "s.png")[0] == 0
    assert calls == Counter(open=1, fit_picture=1, encode=1, **networks)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["reconstruct", "a.png", "--strip"], {"open": 1, "encode": 1, "decode": 1}),
        (["variations", "a.png"], {"open": 1, "encode": 1, "decode": 1}),
        (["interpolate", "a.png", "b.jpg"], {"open": 2, "encode": 1, "decode": 1}),
        (["swap", "a.png", "b.jpg"], {"open": 2, "encode": 2, "decode": 3}),
    ],
)
def test_sheets_encode_no_picture_twice(
    command: list[str], expected: dict[str, int], icgan: Run, calls: Counter[str]
) -> None:
    assert icgan(*command, *MODEL, "-o", "s.png")[0] == 0
    assert calls == Counter(expected | {"fit_picture": expected["open"]})


@pytest.mark.parametrize("detail", ["generated", "photo"])
def test_refined_strips_and_swaps(
    detail: Literal["generated", "photo"], icgan: Run, model: IcGAN
) -> None:
    edited = model.edit("a.png", Smiling=1, refine=3, detail=detail)
    before = [model.reconstruct(path, refine=3) for path in ("a.png", "b.jpg")]
    options = ("--set", "Smiling=1", "--detail", detail, "--strip", "--refine", "3", *MODEL)
    assert icgan("edit", "a.png", *options, "-o", "s.png")[0] == 0
    original = model.edit("a.png", detail="photo")
    assert same("s.png", grid([[original, before[0], edited]]))
    assert icgan("swap", "a.png", "b.jpg", "--refine", "3", *MODEL, "-o", "w.png")[0] == 0
    swapped = model.swap_attributes(*(model.invert(x, refine=3) for x in ("a.png", "b.jpg")))
    squares = [model.invert(path).square for path in ("a.png", "b.jpg")]
    assert same("w.png", grid([squares, before, [*swapped]]))


def test_no_member_of_a_group(icgan: Run, model: IcGAN) -> None:
    settings = ("--set", "hair_color=none", "--set", "Smiling=1")
    assert icgan("edit", "a.png", *settings, *MODEL, "-o", "out.png")[0] == 0
    assert same("out.png", model.edit("a.png", hair_color=None, Smiling=1))
    assert same("out.png", model.edit("a.png", Black_Hair=0, Blond_Hair=0, Smiling=1))
    status, _, errors = icgan("edit", "a.png", "--set", "Smiling=none", *MODEL, "-o", "x.png")
    assert status == 1
    assert "Smiling='none' is no number" in errors


def test_several_inputs_go_to_a_folder(icgan: Run, model: IcGAN) -> None:
    status, out, err = icgan("reconstruct", "a.png", "[b]*.jpg", "b.jpg", *MODEL, "-o", "out")
    assert (status, err) == (0, "")
    assert out.split() == [str(Path("out/a.png")), str(Path("out/b.png"))]
    assert same("out/b.png", model.reconstruct("b.jpg"))


def test_one_input_may_go_to_a_folder_too(icgan: Run) -> None:
    assert icgan("reconstruct", "a.png", *MODEL, "-o", "out/")[1].strip() == str(Path("out/a.png"))


def test_outputs_never_overwrite_each_other_or_the_inputs(icgan: Run) -> None:
    for name in ("x/p.png", "y/p.png", "y/P.jpg"):
        Path(name).parent.mkdir(exist_ok=True)
        read("a.png").save(name)
    inputs = ("a.png", "x/p.png", "y/p.png", "y/P.jpg")
    before = Path("a.png").read_bytes()
    status, out, _ = icgan("reconstruct", *inputs, *MODEL, "-o", ".")
    assert status == 0
    assert out.split() == ["a_2.png", "x_p.png", "y_p_png.png", "y_P_jpg.png"]
    assert Path("a.png").read_bytes() == before


def test_attributes_are_printed_for_people_and_programs(icgan: Run, model: IcGAN) -> None:
    scores = model.predict_attributes("a.png")
    status, out, _ = icgan("attributes", "a.png", "b.jpg", *MODEL)
    assert status == 0
    assert f"  Smiling     {scores['Smiling']:.2f}" in out
    status, out, _ = icgan("attributes", "a.png", "--json", *MODEL)
    assert json.loads(out) == {"a.png": pytest.approx(scores)}


def test_figures_of_the_paper(icgan: Run, model: IcGAN) -> None:
    assert icgan("variations", "a.png", "b.jpg", *MODEL, "-o", "v.png")[0] == 0
    figure = grid([model.variations("a.png"), model.variations("b.jpg")])
    assert same("v.png", titled(figure, ("Original", "Reconstruction", *model.attributes)))
    assert icgan("variations", "a.png", "b.jpg", *MODEL, "--no-titles", "-o", "v.png")[0] == 0
    assert same("v.png", figure)

    assert icgan("interpolate", "a.png", "b.jpg", "--steps", "3", *MODEL, "-o", "i.png")[0] == 0
    assert same("i.png", grid([model.interpolate("a.png", "b.jpg", steps=3)]))
    assert icgan("interpolate", "a.png", "b.jpg", *MODEL, "-o", "i.gif")[0] == 0
    with Image.open("i.gif") as animation:
        assert getattr(animation, "n_frames", 1) == 8

    assert icgan("swap", "a.png", "b.jpg", *MODEL, "-o", "w.png")[0] == 0
    given = [model.invert(name).square for name in ("a.png", "b.jpg")]
    before = model.reconstruct(["a.png", "b.jpg"])
    rows = [given, before, [*model.swap_attributes("a.png", "b.jpg")]]
    assert same("w.png", grid(rows))
    assert icgan("swap", "a.png", "b.jpg", *MODEL, "--scale", "2", "-o", "w.png")[0] == 0
    assert same("w.png", sheet(rows, scale=2))


def test_passing_to_an_edit_and_back(icgan: Run, model: IcGAN) -> None:
    arguments = ("a.png", "Smiling=1", "--steps", "4", *MODEL)
    assert icgan("interpolate", *arguments, "-o", "i.png")[0] == 0
    steps = model.invert("a.png").towards(Smiling=1, steps=4)
    assert same("i.png", grid([steps]))
    for suffix in ("gif", "webp"):
        assert icgan("interpolate", *arguments, "-o", f"i.{suffix}")[0] == 0
        with Image.open(f"i.{suffix}") as animation:
            assert getattr(animation, "n_frames", 1) == 6
    for wrong in (("a.png",), ("a.png", "b.jpg", "Smiling=1"), ("a.png", "b.jpg", "a.png")):
        status, _, errors = icgan("interpolate", *wrong, *MODEL, "-o", "i.png")
        assert status == 2
        assert "give one second picture, or else an edit of the first" in errors


def test_samples_as_a_grid_or_one_by_one(icgan: Run, model: IcGAN) -> None:
    options = ("-n", "11", "--seed", "3", "--set", "Smiling=1", *MODEL)
    pictures = model.sample(11, seed=3, Smiling=1)
    assert icgan("sample", *options, "-o", "grid.png")[0] == 0
    assert same("grid.png", grid([pictures[:4], pictures[4:8], pictures[8:]]))
    assert icgan("sample", *options, "-o", "many")[0] == 0
    assert same("many/sample_10.png", pictures[10])
    assert len(list(Path("many").iterdir())) == 11


def test_info_tells_what_a_model_is(icgan: Run) -> None:
    status, out, _ = icgan("info", "--model", "tiny")
    assert status == 0
    for part in ("16×16, colour", "Male, Smiling", "group hair_color", "README.md", "generator"):
        assert part in out
    facts = json.loads(icgan("info", "--model", "tiny", "--json")[1])
    assert facts["config"]["z_dim"] == 6
    assert set(facts["parameters"]) == {"generator", "encoder_z", "encoder_y"}
    assert facts["card"].endswith("README.md")


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"icgan {__version__}\n"


def test_a_name_that_nobody_gave_costs_no_file(icgan: Run) -> None:
    Image.new("RGB", (20, 20)).save("a_2.png")
    before = Path("a_2.png").read_bytes()
    assert icgan("edit", "a.png", "--set", "Smiling=1", *MODEL, "-o", ".")[1] == "a_3.png\n"
    assert Path("a_2.png").read_bytes() == before
    status, _, errors = icgan("edit", "a.png", "--set", "Smiling=1", *MODEL, "-o", "")
    assert status == 2
    assert "name a file or a folder" in errors
