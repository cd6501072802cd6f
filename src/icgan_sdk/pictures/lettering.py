"""Fonts for names in any script, as far as the machine has some."""

import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from PIL import ImageFont

from icgan_sdk.errors import FontWarning

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

FONTS = (
    "DejaVuSans.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "AppleSDGothicNeo.ttc",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "YuGothM.ttc",
    "malgun.ttf",
    "simsun.ttc",
)
"""Fonts of many scripts that come with Linux, macOS and Windows; Pillow looks in their folders."""

NO_CHARACTER = "\U0010fffe"
"""What no font has: it shows what a font draws for what it lacks."""


class Lettering(NamedTuple):
    """A text, and a font that can draw it."""

    text: str
    font: Font


def legible(texts: Sequence[str], usual: Font) -> list[Lettering]:
    """A font for each text; where there is none the text's number, counted from 1, with a warning.

    Args:
        texts: Titles or labels.
        usual: The font that is taken wherever it can be.
    """
    found, unreadable = [], []
    for number, text in enumerate(texts, start=1):
        font = usual if covers(usual, text) else _other_font(text, round(_size(usual)))
        if font is None:
            unreadable.append(f"{number} {text}")
        found.append(Lettering(str(number), usual) if font is None else Lettering(text, font))
    if unreadable:
        warnings.warn(
            f"no font here has the characters of some names, which are numbered instead: "
            f"{', '.join(unreadable)}",
            FontWarning,
            stacklevel=2,
        )
    return found


def covers(font: Font, text: str) -> bool:
    """Whether a font has all characters of a text."""
    try:
        lacking = bytes(font.getmask(NO_CHARACTER))
        return all(c.isspace() or bytes(font.getmask(c)) != lacking for c in set(text))
    except UnicodeError:  # Pillow's font without FreeType has Latin-1 alone
        return text.isascii()


@lru_cache(maxsize=256)
def _other_font(text: str, size: int) -> ImageFont.FreeTypeFont | None:
    for name in FONTS:
        try:
            font = ImageFont.truetype(name, size)
        except (OSError, ImportError):
            continue
        if covers(font, text):
            return font
    return None


def _size(font: Font) -> float:
    return font.size if isinstance(font, ImageFont.FreeTypeFont) else 10.0
