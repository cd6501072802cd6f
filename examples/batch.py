"""Edit all pictures of a folder; what can't be read or shows no face is named and left out.

python examples/batch.py photos edited Smiling=1 hair_color=Blond_Hair
"""

import argparse
import sys
from pathlib import Path

from icgan_sdk import IcGAN, save_picture

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic"}


def setting(text: str) -> tuple[str, float | str]:
    """``Smiling=1`` or ``hair_color=Blond_Hair`` as a name and its value."""
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        return name, value  # a member of a group


def main() -> None:
    """Write an edited picture, the whole photo, for each that can be read."""
    parser = argparse.ArgumentParser(description="Edit all pictures of a folder.")
    parser.add_argument("folder", type=Path, help="folder with the pictures")
    parser.add_argument("out", type=Path, help="folder for the edited ones")
    parser.add_argument("settings", nargs="+", metavar="NAME=VALUE", help="as in Smiling=1")
    arguments = parser.parse_args()
    edit = dict(map(setting, arguments.settings))

    photos = sorted(p for p in arguments.folder.iterdir() if p.suffix.lower() in SUFFIXES)
    model = IcGAN.from_pretrained("celeba")
    for result in model.stream(photos, edit, align="always", paste_back=True, on_error="skip"):
        if result.image is None:
            print(result.error, file=sys.stderr)
            continue
        # a.jpg and a.png are two pictures.
        target = arguments.out / f"{Path(result.source).name}.png"
        save_picture(result.image, target)
        print(target)


if __name__ == "__main__":
    main()
