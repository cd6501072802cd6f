"""Edit all pictures of a folder, in batches; what can't be read is named and left out.

python examples/batch.py photos edited Smiling=1 Eyeglasses=1
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.errors import ImageError
from icgan_sdk.images import open_picture, save_picture

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
BATCH = 64
"""Pictures that are in memory at a time."""


def batches(folder: Path) -> Iterator[dict[str, Image.Image]]:
    """The folder's readable pictures by name, so many at a time."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    for start in range(0, len(paths), BATCH):
        pictures = {}
        for path in paths[start : start + BATCH]:
            try:
                pictures[path.stem] = open_picture(path, channels=3)
            except ImageError as error:
                print(error, file=sys.stderr)
        if pictures:
            yield pictures


def main() -> None:
    """Write an edited picture for each that can be read."""
    parser = argparse.ArgumentParser(description="Edit all pictures of a folder.")
    parser.add_argument("folder", type=Path, help="folder with the pictures")
    parser.add_argument("out", type=Path, help="folder for the edited ones")
    parser.add_argument("settings", nargs="+", metavar="NAME=VALUE", help="as in Smiling=1")
    arguments = parser.parse_args()
    edit = {name: float(value) for name, value in (s.split("=") for s in arguments.settings)}

    model = IcGAN.from_pretrained("celeba")
    for pictures in batches(arguments.folder):
        edited = model.edit(list(pictures.values()), edit, detail="photo")
        for name, picture in zip(pictures, edited, strict=True):
            save_picture(picture, arguments.out / f"{name}.png")
            print(arguments.out / f"{name}.png")


if __name__ == "__main__":
    main()
