"""Draw letters of the installed fonts, with a table of what the font files say of them.

The attributes are Bold, Italic and Serif, as the fonts' names have them, and Upper_Case. Everything
after the table is the same for pictures of your own: docs/guides/letters.md.

Usage: ``python examples/letters.py letters``, which makes the folder letters and letters.csv
"""

import argparse
import csv
import random
import string
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONTS = Path("/usr/share/fonts/truetype")
"""Where Debian and Ubuntu install fonts: apt-get install fonts-dejavu fonts-liberation."""
FAMILIES = ("DejaVu Sans", "DejaVu Serif", "Liberation Sans", "Liberation Serif")
"""Families with a Serif, or Sans, in their names; those that end in Mono are left out."""
ATTRIBUTES = ("Bold", "Italic", "Serif", "Upper_Case")
SIDE, SCALE = 32, 4
"""Side of a picture, and how much larger it is drawn, so that its edges are smooth."""


def read_fonts(folder: Path) -> list[tuple[Path, dict[str, bool]]]:
    """The font files of the families, and what their names say of them."""
    fonts = []
    for path in sorted(folder.rglob("*.ttf")):
        family, style = ImageFont.truetype(path, 8).getname()
        if family and style and family.startswith(FAMILIES) and "Mono" not in family:
            italic = "Italic" in style or "Oblique" in style
            present = {"Bold": "Bold" in style, "Italic": italic, "Serif": "Serif" in family}
            fonts.append((path, present))
    return fonts


def draw_letter(font: Path, letter: str, source: random.Random) -> Image.Image:
    """A letter in dark ink on light paper; all stand on one line, or case could not be seen."""
    side = SIDE * SCALE
    picture = Image.new("L", (side, side), source.randint(225, 255))
    x, y = (side / 2 + source.uniform(-6, 6), side * 0.73 + source.uniform(-4, 4))
    size = source.uniform(0.62, 0.68) * side
    ImageDraw.Draw(picture).text(
        (x, y),
        letter,
        fill=source.randint(0, 60),
        font=ImageFont.truetype(font, size),
        anchor="ms",
    )
    return picture.resize((SIDE, SIDE), Image.Resampling.BOX)


def main() -> None:
    """Draw the pictures and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("out", type=Path, help="new folder for the pictures; OUT.csv is the table")
    parser.add_argument("--pictures", type=int, default=3000, help="how many to draw")
    parser.add_argument("--fonts", type=Path, default=FONTS, help="folder of font files")
    arguments = parser.parse_args()

    fonts, source = read_fonts(arguments.fonts), random.Random(0)
    if not fonts:
        sys.exit(f"no {', '.join(FAMILIES)} below {arguments.fonts}: install them, or --fonts")
    arguments.out.mkdir(parents=True)
    with arguments.out.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", *ATTRIBUTES])
        for number in range(arguments.pictures):
            (font, present), letter = source.choice(fonts), source.choice(string.ascii_letters)
            name = f"{number:04}.png"
            draw_letter(font, letter, source).save(arguments.out / name)
            present = {**present, "Upper_Case": letter.isupper()}
            rows.writerow([name, *(int(present[attribute]) for attribute in ATTRIBUTES)])
    print(f"{arguments.pictures} letters of {len(fonts)} fonts: {arguments.out}")


if __name__ == "__main__":
    main()
