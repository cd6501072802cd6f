"""Several pictures at the same time: results in order, errors of one don't stop the others."""

import json
from pathlib import Path

from PIL import Image

from tests.cli.conftest import Run


def test_a_folder_is_edited_as_one_picture_after_the_other(
    icgan: Run, picture: Image.Image
) -> None:
    for number in range(12):
        picture.rotate(30 * number).save(f"p{number:02}.png")
    Path("p05.png").write_text("no picture")
    model = ("--model", "tiny", "--device", "cpu")
    status, out, errors = icgan("edit", "p*.png", "Smiling=1", *model, "-o", "out")
    assert status == 1
    assert "p05.png is not an image" in errors
    assert [Path(line).name for line in out.split()] == [
        f"p{number:02}.png" for number in range(12) if number != 5
    ]
    for number in (0, 11):
        assert icgan("edit", f"p{number:02}.png", "Smiling=1", *model, "-o", "one.png")[0] == 0
        assert Path("one.png").read_bytes() == Path(f"out/p{number:02}.png").read_bytes()


def test_only_a_single_picture_is_said_to_be_so_already(icgan: Run, picture: Image.Image) -> None:
    for name in ("p1.png", "p2.png"):
        picture.save(name)
    model = ("--model", "tiny", "--device", "cpu")
    read = json.loads(icgan("attributes", "p1.png", *model, "--json")[1])["p1.png"]["Smiling"]
    wish = f"Smiling={read:.3f}"
    assert "reads this already" in icgan("edit", "p1.png", wish, *model, "-o", "one.png")[2]
    assert icgan("edit", "p1.png", "p2.png", wish, *model, "-o", "out")[2] == ""
