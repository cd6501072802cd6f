"""Grids of pictures, and titles above their columns."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from icgan_sdk.errors import ShapeError
from icgan_sdk.pictures.lettering import Font, legible

GAP = 2
"""White pixels between pictures, and around them."""

SMALLEST_TEXT = 10
"""Size of titles, pixels, below which they can't be read."""


def sheet(
    rows: Sequence[Sequence[Image.Image]], titles: Sequence[str] = (), *, scale: int = 1
) -> Image.Image:
    """A sheet of pictures, as those of the command line are.

    Args:
        rows: Pictures in rows, the longest first; of another size than the first, they are scaled.
        titles: One for each column, or none.
        scale: How many times as large each picture becomes.

    Returns:
        White gaps between the pictures and around them; a single one without titles as it is.

    Raises:
        ShapeError: If there are no rows of pictures, or not as many titles as columns.
    """
    if not rows or not rows[0] or isinstance(rows[0], Image.Image):
        raise ShapeError("a sheet is rows of pictures, as in sheet([[first, second], [third]])")
    if titles and len(titles) != len(rows[0]):
        raise ShapeError(f"{len(titles)} titles for {len(rows[0])} columns")
    if scale < 1:
        raise ShapeError(f"scale must be a whole number from 1, not {scale}")
    larger = [[enlarge(picture, scale) for picture in row] for row in rows]
    return titled(grid(larger), titles) if titles else grid(larger)


def grid(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """One picture of pictures in rows, white gaps between and around.

    A single picture stays as it is; pictures of another size than the first are scaled to it.

    Args:
        rows: The first row must be the longest.
    """
    first, columns = rows[0][0], len(rows[0])
    if len(rows) == columns == 1:
        return first.copy()
    width, height = first.width + GAP, first.height + GAP
    sheet = Image.new(first.mode, (columns * width + GAP, len(rows) * height + GAP), "white")
    for down, row in enumerate(rows):
        for right, picture in enumerate(row):
            fitting = picture if picture.size == first.size else picture.resize(first.size)
            sheet.paste(fitting, (GAP + right * width, GAP + down * height))
    return sheet


def enlarge(picture: Image.Image, scale: int) -> Image.Image:
    """A picture so many times as large; itself at 1."""
    if scale == 1:
        return picture
    size = (picture.width * scale, picture.height * scale)
    return picture.resize(size, Image.Resampling.BICUBIC)


def titled(sheet: Image.Image, titles: Sequence[str]) -> Image.Image:
    """A grid with a title above each column, turned upwards. Underscores become spaces.

    Columns whose title no font here can draw get their number, see `legible`.

    Args:
        sheet: What `grid` gave.
        titles: One for each column.
    """
    texts = legible([title.replace("_", " ") for title in titles], ImageFont.load_default())
    strips = [_lettered(*t).transpose(Image.Transpose.ROTATE_90) for t in texts]
    height = max(strip.height for strip in strips) + GAP
    page = Image.new(sheet.mode, (sheet.width, sheet.height + height), "white")
    page.paste(sheet, (0, height))
    step = (sheet.width - GAP) // len(titles)
    for column, strip in enumerate(strips):
        middle = column * step + (step + GAP) // 2
        page.paste(strip.convert(sheet.mode), (middle - strip.width // 2, height - strip.height))
    return page


def captioned(pictures: Sequence[Image.Image], titles: Sequence[str]) -> list[Image.Image]:
    """Pictures of one size, each below its title. Underscores become spaces.

    Args:
        pictures: One or more.
        titles: One for each.
    """
    width, height = pictures[0].size
    texts = [title.replace("_", " ") for title in titles]
    size = max(SMALLEST_TEXT, width // 12)
    strips = [_lettered(*t) for t in legible(texts, ImageFont.load_default(size))]
    above = max(strip.height for strip in strips) + 2 * GAP
    found = []
    for picture, strip in zip(pictures, strips, strict=True):
        if strip.width > width:
            strip.thumbnail((width, above), Image.Resampling.LANCZOS)
        page = Image.new(picture.mode, (width, height + above), "white")
        page.paste(strip.convert(picture.mode), ((width - strip.width) // 2, GAP))
        page.paste(picture, (0, above))
        found.append(page)
    return found


def _lettered(text: str, font: Font) -> Image.Image:
    measure = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = map(int, measure.textbbox((0, 0), text, font))
    strip = Image.new("L", (right - left + 2 * GAP, bottom - top), "white")
    ImageDraw.Draw(strip).text((GAP - left, -top), text, font=font, fill="black")
    return strip
