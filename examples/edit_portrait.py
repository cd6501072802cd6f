"""Edit a portrait in several ways, and write original, reconstruction and edits side by side.

python examples/edit_portrait.py edited.png
"""

import argparse
from pathlib import Path

from icgan_sdk import IcGAN
from icgan_sdk.pictures.grids import grid
from icgan_sdk.pictures.saving import save_picture

PORTRAIT = Path(__file__).with_name("astronaut.jpg")


def main() -> None:
    """Write the picture, and print what the model reads in the portrait."""
    parser = argparse.ArgumentParser(description="Edit a portrait in several ways.")
    parser.add_argument("out", type=Path, help="picture to write")
    parser.add_argument("--portrait", type=Path, default=PORTRAIT)
    arguments = parser.parse_args()
    portrait = arguments.portrait

    model = IcGAN.from_pretrained("celeba")
    present = {name: s for name, s in model.predict_attributes(portrait).items() if s > 0.5}
    print("\n".join(f"{name}: {score:.2f}" for name, score in present.items()))
    original, reconstruction, *_ = model.variations(portrait)
    edits = [
        model.edit(portrait, Eyeglasses=1),
        model.edit(portrait, Eyeglasses=1, detail="photo"),  # only the change, on the photo
        model.edit(portrait, hair_color="Blond_Hair", Wavy_Hair=1, refine=50),
        model.edit(portrait, Smiling=0, Gray_Hair=0.5),
    ]
    save_picture(grid([[original, reconstruction, *edits]]), arguments.out)


if __name__ == "__main__":
    main()
