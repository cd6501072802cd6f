"""Names in any script are drawn, or numbered where no font has them."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageFont

from icgan_sdk.errors import FontWarning
from icgan_sdk.pictures import lettering
from icgan_sdk.pictures.grids import grid, titled
from icgan_sdk.pictures.lettering import covers, legible

DEJAVU = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
CYRILLIC, CHINESE = "Очки", "眼镜"


@pytest.fixture(autouse=True)
def no_other_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "FONTS", ())
    lettering._other_font.cache_clear()


def test_fonts_know_what_they_lack() -> None:
    usual = ImageFont.load_default()
    assert covers(usual, "Wearing Hat 10 %")
    assert not covers(usual, CHINESE)
    assert covers(ImageFont.truetype(str(DEJAVU), 10), CYRILLIC)


def test_another_font_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "FONTS", ("no-such-font.ttf", str(DEJAVU)))
    (latin, other) = legible(["Hat", CYRILLIC], ImageFont.load_default())
    assert latin.font is not other.font
    assert (latin.text, other.text) == ("Hat", CYRILLIC)
    assert isinstance(other.font, ImageFont.FreeTypeFont)
    assert str(other.font.path) == str(DEJAVU)


def test_columns_that_no_font_can_name_are_numbered() -> None:
    sheet = grid([[Image.new("RGB", (20, 20), "blue")] * 3])
    with pytest.warns(FontWarning, match=f"numbered instead: 2 {CHINESE}"):
        page = titled(sheet, ["Hat", CHINESE, "Hair"])
    assert np.array_equal(np.asarray(page), np.asarray(titled(sheet, ["Hat", "2", "Hair"])))
